"""Functions given by a formula, as models whose best local functions are known."""

import numpy as np
import torch
from torch import nn

from tests.networks import CLASSES
from workbench.core.card import Architecture, Card
from workbench.core.model import Model
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.registry.architectures import build_encoder


class Formula(nn.Module):
    """A network that applies a formula to raw numbers ``[n, d]`` and gives ``[n, k]``."""

    def __init__(self, formula, *, black_box=False):
        super().__init__()
        self.formula = formula
        self.register_buffer("nothing", torch.zeros(1, dtype=torch.float64))
        if black_box:
            self.black_box = True

    def forward(self, inputs):
        return self.formula(inputs)


def formula_case(formula, d, *, n=200, task="regression", seed=0, spreads=None, black_box=False):
    """A model of a formula, and a table of normal numbers with different means and spreads."""
    rng = np.random.default_rng(seed)
    spreads = np.linspace(0.5, 2.0, d) if spreads is None else np.asarray(spreads)
    X = rng.normal(size=(n, d)) * spreads + np.linspace(-1.0, 1.0, d)
    features = tuple(Feature(name=f"x{i}", range=(-9.0, 9.0)) for i in range(d))
    schema = Schema(features=features, target="y", task=task, classes=CLASSES[task])
    raw = Architecture(name="raw")
    card = Card(
        name="formula", version=1, title="formula", schema=schema, encoder=raw, network=raw,
        metrics=(), training_table="none", training_digest="0", training_rows=0, split="none",
        created_by="a test", seed=0, licence="none", intended_use="tests", limits="none",
        weights_sha256="0" * 64,
    )  # fmt: skip
    network = Formula(formula, black_box=black_box)
    model = Model(build_encoder(raw, schema), network, card, "1" * 64)
    table = Table(schema, torch.from_numpy(X), torch.arange(n), None, name="numbers")
    return model, table


def of_logit(logit):
    """Two logits whose second class has these log-odds."""
    return lambda x: torch.stack([torch.zeros(len(x)).to(x), logit(x)], 1)


def one_output(formula):
    """A value for each row as one column."""
    return lambda x: formula(x)[:, None]
