"""Results about people at the boundary: of tiny tables, and with numbers of one's choice."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.boundary import BoundaryPeople
from workbench.core.table import Table
from workbench.numerics.intervals import wilson

QUICK = {"models": 30, "favourable": "yes", "tolerance": 0.1}


def protected_table(*, n=80, task="binary", missing=False, seed=0, **flags) -> Table:
    """A tiny table whose second and fourth columns are protected categories."""
    table = tiny_table(n=n, task=task, missing=missing, seed=seed, **flags)
    schema = table.schema
    for name in ("c1", "c3"):
        schema = schema.edit(name, protected=True)
    return replace(table, schema=schema)


@cache
def tiny_people(task="binary", **params) -> BoundaryPeople:
    """An untrained network on random labels."""
    table = protected_table(task=task)
    given = QUICK | {"favourable": "yes" if task == "binary" else "blue"} | params
    return api.boundary_people(tiny_model(table), table.split("test"), table, **given)


def some_people(*, tips=0.05, distance=0.1, models=40) -> BoundaryPeople:
    """As many people as wanted tip, and neighbours as far away as wanted."""
    base = tiny_people()
    n = len(base)
    flips = np.zeros(n, dtype=int)
    flips[: round(tips * n)] = models // 2
    intervals = np.array([wilson(k, models) for k in range(models + 1)])
    typical = np.ones_like(base.typical)
    return replace(
        base, admitted=models, drawn=2 * models, remark="",
        otherwise=np.column_stack([flips / models, intervals[flips]]),
        low=np.maximum(base.scores - 0.1, 0), high=np.minimum(base.scores + 0.1, 1),
        noise=np.array([0.001]), distances=typical * distance, typical=typical,
    )  # fmt: skip


def without_ranges() -> BoundaryPeople:
    """Nobody but the given model was asked."""
    return tiny_people(models=0)


def rows_of(table: Table, ids) -> torch.Tensor:
    """Features of rows by their number."""
    return table.X[[table.ids.tolist().index(int(i)) for i in ids]]
