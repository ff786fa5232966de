"""Games given by all their values, as models that every method can explain."""

import numpy as np
import torch
from torch import nn

from workbench.core.card import Architecture, Card
from workbench.core.model import Model
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.registry.architectures import build_encoder


class Lookup(nn.Module):
    """A network that reads ``g + 1`` for a known player of game ``g`` and 0 for an unknown one."""

    def __init__(self, tables):
        super().__init__()
        self.register_buffer("tables", tables)
        self.register_buffer("bits", 2 ** torch.arange(int(np.log2(tables.shape[1]))))

    def forward(self, inputs):
        game = (inputs.amax(1).long() - 1).clamp(min=0)
        coalition = (inputs > 0).long() @ self.bits
        return self.tables[game, coalition][:, None]


def tabulated(tables, *, copies=1):
    """A model of the games ``[g, 2^d]``, rows ``[g * copies]`` of them, and its one background row.

    Coalitions are in bit order, and the empty one is worth 0. Rows have numbers of their own, so
    each copy of a game is an independent draw.
    """
    tables = torch.as_tensor(tables, dtype=torch.float64)
    d = int(np.log2(tables.shape[1]))
    assert (tables[:, 0] == 0).all()
    features = tuple(Feature(name=f"x{i}", range=(0.0, float(len(tables)))) for i in range(d))
    schema = Schema(features=features, target="value", task="regression", classes=())
    raw = Architecture(name="raw")
    card = Card(
        name="tabulated", version=1, title="tabulated", schema=schema, encoder=raw, network=raw,
        metrics=(), training_table="none", training_digest="0", training_rows=0, split="none",
        created_by="a test", seed=0, licence="none", intended_use="tests", limits="none",
        weights_sha256="0" * 64,
    )  # fmt: skip
    model = Model(build_encoder(raw, schema), Lookup(tables), card, "1" * 64)
    game = torch.arange(1.0, len(tables) + 1, dtype=torch.float64).repeat_interleave(copies)
    X = game[:, None].expand(-1, d).contiguous()
    rows = Table(schema, X, torch.arange(len(X)), None, name="games")
    background = Table(schema, torch.zeros(1, d).double(), torch.zeros(1).long(), None, name="none")
    return model, rows, background


def random_games(d, n, *, seed=0, decay=2.0):
    """Games whose interactions of order ``k`` have standard deviation ``decay ** -k``."""
    rng = np.random.default_rng(seed)
    tables = np.zeros((n, 1 << d))
    sizes = np.bitwise_count(np.arange(1 << d))
    tables = rng.normal(size=(n, 1 << d)) * decay ** -sizes.astype(float)
    tables[:, 0] = 0
    for i in range(d):  # sum over subsets
        view = tables.reshape(n, -1, 2, 1 << i)
        view[:, :, 1] += view[:, :, 0]
    return tables
