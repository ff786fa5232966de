"""Profiles of a tiny model, for tests of what is made of them."""

from dataclasses import replace

import numpy as np
import torch

from tests.functions import Formula
from tests.networks import tiny_model, tiny_table
from workbench import api


def some_profiles(task="binary", *, missing=False, **params):
    """Profiles of numbers and categories, with the pair of the first two numbers."""
    table = tiny_table(task=task, missing=missing)
    settings = {"points": 6, "curves": 12, "pair": "x0,x2", "pair_points": 4} | params
    return api.profiles(tiny_model(table), table, device="cpu", **settings)


def raw_formula_model(table, formula):
    """A model that reads raw numbers: its encoder neither centres nor scales."""
    model = tiny_model(table)
    model.encoder.mean.zero_()
    model.encoder.scale.fill_(1.0)
    return replace(model, network=Formula(formula))


def numbers(n=400, d=2, correlation=0.0, seed=0):
    """A table of numbers, the first two correlated, its target of no use."""
    table = tiny_table(n=n, d=d, task="regression", categorical=False, seed=seed)
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[:, 1] = correlation * X[:, 0] + np.sqrt(1 - correlation**2) * X[:, 1]
    return replace(table, X=torch.from_numpy(X))


def profiles_of(formula, *, table=None, correlation=0.0, **params):
    """Profiles of a function of two numbers, over 400 rows unless a table is given."""
    table = numbers(correlation=correlation) if table is None else table
    settings = {"points": 20, "curves": 100} | params
    return api.profiles(raw_formula_model(table, formula), table, device="cpu", **settings)
