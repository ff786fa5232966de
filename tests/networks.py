"""Small models and tables whose every number can be checked by hand."""

import itertools
import math

import numpy as np
import torch
from torch import nn

from workbench.core.card import Architecture, Card
from workbench.core.model import Model
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.registry.architectures import build_encoder, build_network

CLASSES = {"binary": ("no", "yes"), "multiclass": ("red", "green", "blue"), "regression": ()}


def tiny_table(*, n=60, d=5, task="binary", categorical=True, missing=False, seed=0):
    """Numbers, and every other feature categorical with few levels; some cells missing."""
    rng = np.random.default_rng(seed)
    features, columns = [], []
    for i in range(d):
        if categorical and i % 2:
            levels = tuple("abcd"[: 2 + i % 3])
            column = rng.integers(0, len(levels), n).astype(float)
            feature = Feature(
                name=f"c{i}", kind="categorical", categories=levels, has_missing=missing
            )
        else:
            column = rng.normal(size=n).round(1)
            feature = Feature(name=f"x{i}", range=(-4.0, 4.0), has_missing=missing)
        if missing:
            column[rng.random(n) < 0.2] = np.nan
        features.append(feature)
        columns.append(column)
    schema = Schema(features=tuple(features), target="y", task=task, classes=CLASSES[task])
    y = rng.normal(size=n) if task == "regression" else rng.integers(0, len(CLASSES[task]), n)
    X = torch.from_numpy(np.stack(columns, axis=1))
    return Table(schema, X, torch.arange(n), torch.from_numpy(y), name="tiny")


def tiny_model(table, *, network="mlp", scale=2.0, dtype=torch.float64, seed=0, **arguments):
    """An untrained network on the table's features, with weights large enough to interact."""
    architecture = Architecture(
        name=network, arguments={"hidden": (16, 8)} | arguments if network == "mlp" else arguments
    )
    encoder_card = Architecture(name="tabular")
    encoder = build_encoder(encoder_card, table.schema)
    encoder.fit(table.X)
    torch.manual_seed(seed)
    with torch.no_grad():
        net = build_network(architecture, len(encoder.groups), len(table.schema.output_names))
        for parameter in net.parameters():
            parameter.copy_(torch.randn_like(parameter) * scale / math.sqrt(parameter.shape[-1]))
    card = Card(
        name="tiny", version=1, title="tiny", schema=table.schema, encoder=encoder_card,
        network=architecture, metrics=(), training_table="tiny", training_digest="0",
        training_rows=len(table), split="none", created_by="a test", seed=seed, licence="none",
        intended_use="tests", limits="none", weights_sha256="0" * 64,
    )  # fmt: skip
    return Model(encoder, net, card, "1" * 64).to(dtype=dtype)


class Opaque(nn.Module):
    """A network that does not say where its first layer ends."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, inputs):
        return self.network(inputs)


def value_by_definition(model, x, background, coalition, output="probability"):
    """Mean over background rows of the output for mixed raw rows."""
    explained = model.predict if output == "probability" else model.scores
    return explained(torch.where(coalition, x, background)).mean(0)


def shapley_by_permutations(value, d):
    """Mean marginal contribution over all orders of ``d`` players of a set function."""
    players = torch.arange(d)
    table = torch.stack([value(code >> players & 1 == 1) for code in torch.arange(2**d)]).double()
    orders = torch.tensor(list(itertools.permutations(range(d))))  # (d!, d)
    joining = 2**orders
    after = joining.cumsum(1)
    gains = table[after] - table[after - joining]  # (d!, d, ...)
    total = table.new_zeros(d, *table.shape[1:])
    return total.index_add(0, orders.flatten(), gains.flatten(0, 1)) / len(orders)
