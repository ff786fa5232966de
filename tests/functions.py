"""Models that are a formula, so that what an explanation should say is known."""

import numpy as np
import torch
from torch import nn

from workbench.core.card import Architecture, Card
from workbench.core.model import Model
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.registry.architectures import build_encoder


class Formula(nn.Module):
    """A network that computes a function of its input columns; one value for each row."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.register_buffer("unused", torch.zeros(1, dtype=torch.float64))

    def forward(self, inputs):
        return self.function(inputs)[:, None]


def numbers_table(n=80, d=4, seed=0):
    """Independent normal numbers, standardised over the table."""
    X = np.random.default_rng(seed).normal(size=(n, d))
    X = (X - X.mean(0)) / X.std(0)
    features = tuple(Feature(name=f"x{i}") for i in range(d))
    return _table(features, X)


def categories_table(levels, n=80, seed=0):
    """Independent categories, all about equally common."""
    rng = np.random.default_rng(seed)
    X = np.stack([rng.permutation(np.arange(n) % size) for size in levels], 1).astype(float)
    features = tuple(
        Feature(name=f"c{i}", kind="categorical", categories=tuple("abcdefgh"[:size]))
        for i, size in enumerate(levels)
    )
    return _table(features, X)


def _table(features, X):
    schema = Schema(features=features, target="y", task="regression")
    ids = torch.arange(len(X))
    return Table(schema, torch.from_numpy(X), ids, torch.zeros(len(X)).double(), name="made")


def formula_model(table, function):
    """A regression model: ``function`` maps encoded columns ``[n, p]`` to values ``[n]``."""
    encoder_card = Architecture(name="tabular")
    encoder = build_encoder(encoder_card, table.schema)
    encoder.fit(table.X)
    card = Card(
        name="formula", version=1, title="formula", schema=table.schema, encoder=encoder_card,
        network=Architecture(name="linear"), metrics=(), training_table="made",
        training_digest="0", training_rows=len(table), split="none", created_by="a test", seed=0,
        licence="none", intended_use="tests", limits="none", weights_sha256="0" * 64,
    )  # fmt: skip
    return Model(encoder, Formula(function), card, "2" * 64).to(dtype=torch.float64)
