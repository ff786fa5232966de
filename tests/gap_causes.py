"""Gaps shared out among features: of tiny models, and made up."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from tests.networks import CLASSES, tiny_model, tiny_table
from workbench.api import gap_causes
from workbench.core.gap_causes import GapCauses
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table


def grouped_table(*, n=120, d=4, task="binary", seed=0, lean=1.0, name="sex") -> Table:
    """Numbers and categories; the last column is the group, which the first two lean on."""
    table = tiny_table(n=n, d=d - 1, task=task, seed=seed)
    rng = np.random.default_rng(seed + 1)
    group = rng.integers(0, 2, n)
    X = table.X.clone()
    X[:, 0] += lean * torch.from_numpy(group)
    X[:, 1] = torch.where(torch.from_numpy(rng.random(n) < 0.5 * lean),
                          torch.from_numpy(group).double(), X[:, 1])  # fmt: skip
    own = Feature(name=name, kind="categorical", categories=("f", "m"), protected=True)
    schema = Schema(
        features=(*table.schema.features, own), target="y", task=task, classes=CLASSES[task],
        favourable=CLASSES[task][-1] if CLASSES[task] else None,
    )  # fmt: skip
    return replace(
        table, schema=schema, X=torch.cat([X, torch.from_numpy(group).double()[:, None]], 1)
    )


@cache
def tiny_causes(task="binary", **params) -> GapCauses:
    """What an untrained network makes of groups."""
    table = grouped_table(task=task)
    return gap_causes(tiny_model(table), table, table[:20], **params)


def some_causes(
    parts=(-0.06, -0.03, 0.01, -0.02), *, half=0.005, area=0.9, spread=0.01, gap=None
) -> GapCauses:
    """One pair: two proxies, of which one carries the gap, a column against it, and the group."""
    base = tiny_causes()
    parts = np.array(parts)
    gap = float(parts.sum()) if gap is None else gap
    ends = np.array([0.0, -1.0, 1.0])
    told = np.array([0.8, 0.75, 0.5, 1.0])[:, None] + 0.02 * ends
    told[3] = (1.0, 0.99, 1.0)
    return replace(
        base, gaps=np.array([gap + 0.02 * ends]), means=np.array([[0.3 + gap, 0.3]]),
        contributions=(parts[:, None] + half * ends)[None], told=told[None],
        told_mcc=(told - 0.5)[None], effects=np.abs(parts)[:, None] + 0.01 * ends,
        remaining=np.array([area + spread * ends]), remaining_mcc=np.array([0.6 + 0.1 * ends]),
        sizes=np.array([[300, 500]]), n_explained=800, n_told=800,
    )  # fmt: skip
