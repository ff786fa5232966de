"""Audits of errors of a tiny model of a number."""

from functools import cache

from tests.networks import tiny_model, tiny_table
from workbench import api


@cache
def some_errors(n=120):
    """Two attributes, alone and crossed; some of the crossed groups have few rows."""
    table = tiny_table(task="regression", n=n)
    settings = {"by": "c1,c3", "resamples": 200, "device": "cpu"}
    return api.error_audit(tiny_model(table), table, **settings)
