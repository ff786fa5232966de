"""Halos of a tiny model, for tests of what is made of them."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.halo import Halo


@cache
def fitting_case(task="binary"):
    """An untrained network, and rows whose labels are drawn as it says."""
    table = tiny_table(n=80, d=4, task=task)
    model = tiny_model(table)
    said, generator = model.predict(table.X), torch.Generator().manual_seed(0)
    if task == "regression":
        y = said[:, 0] + 0.5 * torch.randn(len(said), generator=generator, dtype=torch.float64)
    else:
        y = torch.multinomial(said, 1, generator=generator)[:, 0]
    return model, replace(table, y=y)


@cache
def some_halo(task="binary", **params) -> Halo:
    """The strongest sets of the network on these rows."""
    model, table = fitting_case(task)
    return api.halo(model, table, device="cpu", **{"top": 3, "permutations": 2} | params)


def halo_with(excess, noise) -> Halo:
    """One whose joint models all have this excess and error, in multiples of the tolerance."""
    result = some_halo()
    known = result.known
    return replace(
        result, excess=np.where(known, excess * result.tolerance, np.nan),
        excess_std_errors=np.where(known, noise * result.tolerance, np.nan),
    )  # fmt: skip
