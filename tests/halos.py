"""Halos of a tiny model, for tests of what is made of them."""

from functools import cache

from tests.networks import tiny_model, tiny_table
from workbench.core.halo import Halo
from workbench.engines.interactions import halo


@cache
def some_halo(task="binary", **params) -> Halo:
    """The strongest sets of an untrained network on random rows."""
    table = tiny_table(n=40, d=4, task=task)
    settings = {"top": 3, "permutations": 2} | params
    return halo(tiny_model(table, scale=1.0), table, device="cpu", **settings)
