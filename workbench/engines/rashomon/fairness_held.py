"""What models would decide if the columns that make the groups told them nothing."""

from math import prod
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.context import Context
from workbench.core.fairness_metrics import GAPS
from workbench.core.model import Model
from workbench.engines.rashomon.fairness_models import decisions
from workbench.engines.rashomon.fairness_params import FairnessFrontParams
from workbench.engines.rashomon.fairness_rows import Parts, logits_of
from workbench.numerics.group_rates import confusion, gaps_of, rates_of

# Values, met together in a row, that everybody is given in turn; of more, as many in their order.
MOST_VALUES = 24


def columns_read(model: Model, by: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that make the groups and that the model reads itself."""
    return tuple(name for name in by if name in model.schema.names)


def hold_columns(
    models: tuple[Model, ...], parts: Parts, context: Context
) -> tuple[dict[str, Any], int]:
    """Give everybody the same values of the columns that make the groups, all values in turn.

    Values count as often as they are met, so that a decision becomes a share; gaps of these shares
    are what is left once the columns tell nothing. Besides fields of a result: how many rows went
    through networks.
    """
    columns = columns_read(models[0], parts.by)
    if not columns:
        return {
            "read": (), "held": np.full((len(models), len(GAPS)), np.nan),
            "swayed": np.zeros(len(models)),
        }, 0  # fmt: skip
    rows = parts.reported.table
    places = [models[0].schema.names.index(name) for name in columns]
    values, often = _values(rows.X[:, places])
    gaps, swayed = [], []
    for own, model in enumerate(models):
        said = np.empty((len(values), len(rows)), dtype=bool)
        for at, value in enumerate(values):
            held = rows.X.clone()
            held[:, places] = value
            logits = logits_of(model, model.encode(held))
            said[at] = decisions(model, logits, parts.position)
            context.step(
                own * len(values) + at + 1, len(models) * len(values), "values of the columns"
            )
        gaps.append(_gaps(often @ said, parts))
        swayed.append(float((said.any(0) & ~said.all(0)).mean()))
    return {
        "read": columns, "held": np.stack(gaps), "swayed": np.array(swayed),
    }, len(models) * len(values) * len(rows)  # fmt: skip


def held_passes(model: Model, n_rows: int, params: FairnessFrontParams) -> int:
    """Return how many rows go through networks for that, at most."""
    named = [name.strip() for name in params.by.split(",") if name.strip()]
    features = [one for one in model.schema.features if one.name in named]
    if not named:
        features = [one for one in model.schema.features if one.protected][:1]
    if not features:
        return 0
    levels = prod(len(one.categories) + 1 if one.categories else MOST_VALUES for one in features)
    return 2 * n_rows * min(MOST_VALUES, levels)


def _values(X: Float[Tensor, "n c"]) -> tuple[Float[Tensor, "v c"], Float[np.ndarray, " v"]]:
    """Return values met together and the share of rows that each stands for."""
    marked = X.nan_to_num(nan=-torch.inf)  # a missing value equals itself
    found, counts = torch.unique(marked, dim=0, return_counts=True)
    if len(found) > MOST_VALUES:
        order = found.repeat_interleave(counts, dim=0)
        middle = (torch.arange(MOST_VALUES) + 0.5) * len(order) / MOST_VALUES
        found, counts = order[middle.long()], torch.ones(MOST_VALUES, dtype=torch.long)
    shares = counts.double().numpy()
    return found.masked_fill(found.isneginf(), torch.nan), shares / shares.sum()


def _gaps(share: Float[np.ndarray, " n"], parts: Parts) -> Float[np.ndarray, " q"]:
    own = parts.reported
    n = len(share)
    one: Bool[np.ndarray, " n"] = np.ones(n, dtype=bool)
    counts = sum(
        confusion(said, own.truth, own.group, len(parts.groups), weights)
        for said, weights in ((one, share), (~one, 1 - share))
    )
    found: np.ndarray = gaps_of(np.where(parts.enough, rates_of(np.asarray(counts)), np.nan))
    return found
