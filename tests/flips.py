"""Attribute flips of models whose every answer is known beforehand."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch import nn

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.flips import AttributeFlips
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table

FEATURES = (
    Feature(name="sex", kind="categorical", categories=("Female", "Male"), protected=True),
    Feature(name="race", kind="categorical", categories=("A", "B", "C"), protected=True),
    Feature(name="job", kind="categorical", categories=("none", "clerk", "chief")),
    Feature(name="income", range=(0.0, 1.0)),
    Feature(name="age", range=(18.0, 78.0), integer=True, unit="years"),
)
SEX, RACE, JOB, INCOME, AGE = range(5)
SCHEMA = Schema(
    features=FEATURES, target="loan", task="binary", classes=("no", "yes"), favourable="yes"
)


class Raw(nn.Module):
    """An encoder that changes nothing."""

    def __init__(self, d):
        super().__init__()
        self.register_buffer("groups", torch.arange(d), persistent=False)

    def forward(self, X):
        return X


class Rule(nn.Module):
    """A network that is a formula of raw columns: the log-odds of the favourable class."""

    def __init__(self, formula):
        super().__init__()
        self.formula = formula
        self.register_buffer("one", torch.ones(1, dtype=torch.float64))
        self.rows = []

    def forward(self, X):
        self.rows.append(len(X))
        odds = self.formula(X).to(torch.float64)
        return torch.stack([torch.zeros_like(odds), odds], 1)


def people(n=400, *, seed=0, sex=None, race=None, job=None, income=None, age=None):
    """Rows of five features, each drawn on its own unless it is given."""
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, 2, n), rng.integers(0, 3, n), rng.integers(0, 3, n),
             rng.random(n), rng.integers(18, 79, n))  # fmt: skip
    columns = [
        own if given is None else np.broadcast_to(np.asarray(given), n)
        for own, given in zip(drawn, (sex, race, job, income, age), strict=True)
    ]
    X = torch.from_numpy(np.stack(columns, 1).astype(float))
    return Table(SCHEMA, X, torch.arange(n), torch.from_numpy(rng.integers(0, 2, n)), name="loans")


def model_of(formula, table=None):
    """A model that decides by the sign of a formula of raw columns."""
    base = tiny_model(tiny_table())
    table = people(5) if table is None else table
    card = base.card.model_copy(update={"schema_": table.schema})
    return replace(base, encoder=Raw(len(table.schema.features)), network=Rule(formula), card=card)


def by_sex(X):
    return X[:, SEX] - 0.5


def by_income(X):
    return X[:, INCOME] - 0.5


def by_both(X):
    """Women need more than 0.7, men more than 0.4."""
    return X[:, INCOME] - torch.where(X[:, SEX] > 0, 0.4, 0.7)


def flips_of(formula, table=None, **params) -> AttributeFlips:
    table = people() if table is None else table
    return api.flips(model_of(formula, table), table, device="cpu", **{"by": "sex"} | params)


@cache
def some_flips(mode="rows") -> AttributeFlips:
    """A model with another bar for women; chiefs are men, so that some alternatives are nobody."""
    rng = np.random.default_rng(1)
    sex = rng.integers(0, 2, 600)
    job = np.where(sex == 1, rng.integers(0, 3, 600), rng.integers(0, 2, 600))
    return flips_of(by_both, people(600, sex=sex, job=job), mode=mode, neighbours=3)
