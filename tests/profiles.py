"""Profiles of a tiny model, for tests of what is made of them."""

from tests.networks import tiny_model, tiny_table
from workbench.engines.profiles import profiles


def some_profiles(task="binary", *, missing=False, **params):
    """Profiles of numbers and categories, with the pair of the first two numbers."""
    table = tiny_table(task=task, missing=missing)
    settings = {"points": 6, "curves": 12, "pair": "x0,x2", "pair_points": 4} | params
    return profiles(tiny_model(table), table, device="cpu", **settings)
