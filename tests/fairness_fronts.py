"""Fronts of fairness across equally good models: of tiny tables, and made up."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.api import list_methods
from workbench.core.fairness_front import NONE, REPORTED, FairnessFront
from workbench.core.table import Table

assert "rashomon.fairness" in list_methods(), "importing the verbs registers what they run"
QUICK = {
    "models": 8, "near_copies": 2, "directed": 6, "draws": 100, "explained": 6, "least_rows": 1,
    "explorers": ("gaussian-units", "gaussian-weights"),
}  # fmt: skip


def grouped_table(n=300, seed=0, *, pull=1.0) -> Table:
    """A table whose outcome depends on a number and on the group c1, more or less."""
    table = tiny_table(n=n, seed=seed)
    rng = np.random.default_rng(seed)
    logit = 2 * table.X[:, 0].numpy() + pull * (2 * table.X[:, 1].numpy() % 2 - 1)
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    schema = table.schema.model_copy(update={"favourable": "yes"})
    return replace(table, schema=schema, y=torch.from_numpy(y))


@cache
def tiny_front(**params) -> FairnessFront:
    """An untrained network with groups by a feature of three levels."""
    table = grouped_table()
    own = QUICK | {"by": "c1", "eps": 0.1} | params
    model = tiny_model(table, dtype=torch.float32)
    return api.fairness_front(model, table, table.split("test"), **own)


def some_front(*, change=-0.08, half=0.02, width=0.1, width_half=0.03, **changes) -> FairnessFront:
    """A front whose second model is chosen, with a change and a range of the gap as asked."""
    base = tiny_front()
    q = base.at
    chosen, ends = base.chosen.copy(), base.ends.copy()
    chosen[q], ends[q] = 1, (1, 2)
    moved, wide = base.change.copy(), base.width.copy()
    moved[1, REPORTED, q] = change, change - half, change + half
    wide[q, REPORTED] = width, width - width_half, width + width_half
    accuracy = base.accuracy.copy()
    accuracy[:3, 0] = 0.8
    return replace(
        base, chosen=chosen, ends=ends, change=moved, width=wide, accuracy=accuracy,
        **({"read": ()} | changes),
    )  # fmt: skip


def none_found() -> FairnessFront:
    """A front without an alternative."""
    base = tiny_front()
    return replace(
        base, chosen=np.full_like(base.chosen, NONE),
        importance=base.importance[:1], causes=base.causes[:1],
        importance_change=base.importance_change[:0], causes_change=base.causes_change[:0],
        held=base.held[:1], swayed=base.swayed[:1],
    )  # fmt: skip
