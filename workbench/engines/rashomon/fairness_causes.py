"""What the given model and the alternative go by, and which features make their scores differ."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.context import Context
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.model import Model
from workbench.core.results import Attribution
from workbench.engines.rashomon.attributions_params import AttributionsParams
from workbench.engines.rashomon.fairness_rows import Parts
from workbench.engines.rashomon.inner_method import Inner, choose_inner
from workbench.engines.rashomon.one_by_one import part_of
from workbench.numerics.group_rates import rates_of

DRAWN, BACKGROUND = 0xFA2, 100
NORMAL = 1.959964


def compared_groups(counts: Float[np.ndarray, "g 2 2"], gap: str) -> tuple[int, int] | None:
    """Return the worse and the better off group in the first rate of a gap; None without two."""
    own = rates_of(counts)[list(RATES).index(GAPS[gap].of[0])]
    known = np.flatnonzero(np.isfinite(own))
    if len(known) < 2:
        return None
    worse, better = known[own[known].argmin()], known[own[known].argmax()]
    return None if worse == better else (int(worse), int(better))


def nothing_explained() -> dict[str, Any]:
    """Return the fields of a result that explains no rows."""
    empty = np.zeros((0, 0, 3))
    return {
        "compared": (), "features": (), "importance": empty, "causes": empty,
        "importance_change": empty, "causes_change": empty, "n_explained": 0,
    }  # fmt: skip


def inner_for(model: Model, n_rows: int, n_train: int) -> Inner:
    """Return how both models are explained."""
    return choose_inner(model, n_rows, min(BACKGROUND, n_train), AttributionsParams())


def explain_both(
    models: tuple[Model, ...], parts: Parts, two: tuple[int, int], n: int, context: Context
) -> tuple[dict[str, Any], int]:
    """Explain the same rows by the given model and, if there is one, by the alternative.

    Besides fields of a result: how many rows went through networks.
    """
    reported = parts.reported
    rng = context.stream(DRAWN)
    drawn = np.sort(rng.permutation(len(reported.table))[:n])
    rows, group = reported.table[drawn], reported.group[drawn]
    train = parts.train.table
    background = train.sample(min(BACKGROUND, len(train)), seed=context.seed)
    inner = inner_for(models[0], len(rows), len(train))
    found, passes = [], 0
    for place, model in enumerate(models):
        said = inner.method.explain(
            replace(model, explainers=()), rows, background, inner.params,
            part_of(context, place, len(models)),
        )  # fmt: skip
        assert isinstance(said, Attribution)  # noqa: S101 - by choice of the methods
        found.append(said.values[..., parts.position])  # (n, d)
        passes += said.provenance.evaluations
    values = np.stack(found)
    moved = values[1:] - values[:1]
    return {
        "compared": tuple(parts.groups[g] for g in two),
        "features": models[0].schema.names,
        "importance": np.stack([_mean(np.abs(own)) for own in values]),
        "causes": np.stack([_apart(own, group, two) for own in values]),
        "importance_change": _stack(
            [_mean(np.abs(own) - np.abs(values[0])) for own in values[1:]], values.shape[2]
        ),
        "causes_change": _stack([_apart(own, group, two) for own in moved], values.shape[2]),
        "n_explained": len(rows),
    }, passes  # fmt: skip


def _stack(found: list[np.ndarray], d: int) -> Float[np.ndarray, "w d 3"]:
    return np.stack(found) if found else np.zeros((0, d, 3))


def _mean(values: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "d 3"]:
    """Mean over rows and its interval; of a single row the interval is unknown."""
    return _with_error(values.mean(0), _squared_error(values))


def _apart(
    values: Float[np.ndarray, "n d"], group: Int[np.ndarray, " n"], two: tuple[int, int]
) -> Float[np.ndarray, "d 3"]:
    """Mean in one group less the mean in another, NaN where one of them has no rows."""
    one, other = (values[group == g] for g in two)
    if not (len(one) and len(other)):
        return np.full((values.shape[1], 3), np.nan)
    return _with_error(one.mean(0) - other.mean(0), _squared_error(one) + _squared_error(other))


def _squared_error(values: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    n, d = values.shape
    found: np.ndarray = values.var(0, ddof=1) / n if n > 1 else np.full(d, np.nan)
    return found


def _with_error(
    value: Float[np.ndarray, " d"], squared: Float[np.ndarray, " d"]
) -> Float[np.ndarray, "d 3"]:
    half = NORMAL * np.sqrt(squared)
    return np.stack([value, value - half, value + half], -1)
