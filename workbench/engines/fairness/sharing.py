"""Shapley values of rows against several parts of a background, whose spread says how sure."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context, Progress
from workbench.core.method import METHODS, Cost
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.engines.fairness.causes_params import CausesParams

# The family whose methods share out predictions.
FAMILY = "shapley"
# All coalitions of all rows, where they take at most so many evaluations of the model.
EXACT_PLAYERS, EXACT_EVALUATIONS = 14, 50_000_000
COALITIONS_PER_FEATURE, FEWEST_COALITIONS = 4, 32
# Parts of equally many background rows, each of at least so many.
PARTS, FEWEST_IN_PART = 5, 2


@dataclass(frozen=True, eq=False)
class Shared:
    """Predictions of rows, shared out.

    Attributes
    ----------
    values
        Attributions of the score against each part of the background; their mean over the parts
        is the attribution against the whole.
    scores
        What the model says of each row.
    why
        Why this method, where nobody named one.
    """

    values: Float[np.ndarray, "p n d"]
    scores: Float[np.ndarray, " n"]
    unit: str
    name: str
    why: str
    n_background: int
    evaluations: int
    chunk_rows: int


def share_out(
    model: Model, rows: Table, background: Table, position: int, params: CausesParams,
    context: Context,
) -> Shared:  # fmt: skip
    """Share out one output of a model for each row, against parts of a background."""
    parts = n_parts(len(background))
    each = len(background) // parts
    name, why = choose_method(model, len(rows), each * parts, params)
    settings, explain = inner_params(model, name, params), METHODS.find(name).explain
    found: list[Attribution] = []
    for part in range(parts):
        some = background[part * each : (part + 1) * each]
        told = _of_part(context.progress, part, parts)
        own = explain(model, rows, some, settings, replace(context, preview=None, progress=told))
        assert isinstance(own, Attribution)  # noqa: S101 - by choice of the methods
        found.append(own)
    return Shared(
        values=np.stack([own.values[:, :, position] for own in found]),
        scores=found[0].predictions[:, position],
        unit=found[0].unit,
        name=name,
        why=why,
        n_background=each * parts,
        evaluations=sum(own.provenance.evaluations for own in found),
        chunk_rows=found[0].provenance.chunk_rows,
    )


def n_parts(n_background: int) -> int:
    """Return into how many parts a background is cut; one where it is too small to tell."""
    return PARTS if n_background >= PARTS * FEWEST_IN_PART else 1


def _of_part(tell: Progress | None, part: int, parts: int) -> Progress | None:
    if tell is None:
        return None
    return lambda done, total, message: tell(part * total + done, parts * total, message)


def choose_method(
    model: Model, n_rows: int, n_background: int, params: CausesParams
) -> tuple[str, str]:
    """Return how predictions are shared out, and why where nobody said.

    Permutations of each row's own are unbiased and add up exactly, and the noise of one row is
    independent of the next one's, so that the spread over rows holds it.
    """
    if params.explanation != "auto":
        return f"{FAMILY}.{params.explanation}", ""
    d = len(model.schema.features)
    if d <= EXACT_PLAYERS and n_rows * 2**d * n_background <= EXACT_EVALUATIONS:
        return f"{FAMILY}.exact", f"exact Shapley values: all {2**d:,} coalitions are feasible"
    return f"{FAMILY}.permutation", (
        f"Shapley values from {_budget(model, params):,} coalitions a row in random orders: all "
        f"2^{d} would take too long"
    )


def inner_params(model: Model, name: str, params: CausesParams) -> Any:
    """Return the settings of the method that shares out predictions."""
    kind = METHODS.find(name).params
    wanted = {"output": params.output, "budget": _budget(model, params)}
    return parse_params(kind, {key: v for key, v in wanted.items() if key in kind.model_fields})


def _budget(model: Model, params: CausesParams) -> int:
    usual = max(FEWEST_COALITIONS, COALITIONS_PER_FEATURE * len(model.schema.features))
    return params.budget or usual


def sharing_cost(model: Model, n_rows: int, n_background: int, params: CausesParams) -> Cost:
    """Say what sharing out takes at most."""
    parts = n_parts(n_background)
    each = n_background // parts
    name, _ = choose_method(model, n_rows, each * parts, params)
    one = METHODS.find(name).cost(model, n_rows, each, inner_params(model, name, params))
    d = len(model.schema.features)
    return Cost(parts * one.evaluations, one.n_bytes + 8 * parts * n_rows * d)
