"""Results about simpler models, of tiny tables."""

from functools import cache

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.simpler_models import SimplerModels


@cache
def simpler(task="binary", **params) -> SimplerModels:
    """An untrained network on random rows, held against simpler models."""
    table = tiny_table(n=100, task=task)
    settings = {"trees": 1000, "depth": 4, "repeats": 1, "folds": 2} | params
    return api.simpler_models(tiny_model(table), table, table.split("test"), **settings)
