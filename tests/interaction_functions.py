"""Functions whose interacting features are known, as models."""

import itertools
import math

import torch
from torch import nn

from workbench.core.card import Architecture, Card
from workbench.core.model import Model
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.registry.architectures import build_encoder


class Function(nn.Module):
    """A function of numbers as a network; it shows no first layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.register_buffer("place", torch.zeros(1, dtype=torch.float64))

    def forward(self, inputs):
        return self.function(*inputs.T)[:, None]


def table_of(X, y=None):
    names = [f"x{i + 1}" for i in range(X.shape[1])]
    schema = Schema(
        features=tuple(Feature(name=name) for name in names), target="y", task="regression"
    )
    truth = torch.zeros(len(X), dtype=torch.float64) if y is None else y
    return Table(schema, X, torch.arange(len(X)), truth, name="numbers")


def model_of(network, schema):
    """A model whose network reads the features as they are."""
    stated = Architecture(name="raw")
    card = Card(
        name="function", version=1, title="function", schema=schema, encoder=stated,
        network=Architecture(name="linear"), metrics=(), training_table="none",
        training_digest="0", training_rows=1, split="none", created_by="a test", seed=0,
        licence="none", intended_use="tests", limits="none", weights_sha256="0" * 64,
    )  # fmt: skip
    return Model(build_encoder(stated, schema), network, card, "1" * 64).to(dtype=torch.float64)


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def uniform(n, d, low=-1.0, high=1.0, seed=0):
    unit = torch.rand(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return low + (high - low) * unit


def nid_rows(number, n, seed=0):
    """Rows of the ten functions; those of the first lie where its roots and logarithms do."""
    if number != 1:
        return uniform(n, 10, seed=seed)
    X = uniform(n, 10, 0.0, 1.0, seed=seed)
    for column in (3, 4, 7, 9):
        X[:, column] = 0.6 + 0.4 * X[:, column]
    return X


def _first(x1, x2, x3, x4, x5, _, x7, x8, x9, x10):
    roots = math.pi ** (x1 * x2) * (2 * x3).sqrt() - x4.asin() + (x3 + x5).log()
    return roots - x9 / x10 * (x7 / x8).sqrt() - x2 * x7


def _second(x1, x2, x3, x4, x5, _, x7, x8, x9, x10):
    roots = math.pi ** (x1 * x2) * (2 * x3.abs()).sqrt() - (x4 / 2).asin()
    ratio = x9 / (1 + x10.abs()) * (x7.abs() / (1 + x8.abs())).sqrt()
    return roots + ((x3 + x5).abs() + 1).log() - ratio - x2 * x7


def _third(x1, x2, x3, x4, x5, _, x7, x8, x9, x10):
    smooth = (x4**2 + x5**2 + x7**2 + x8**2).log() + x9 + 1 / (1 + x10**2)
    return (x1 - x2).abs().exp() + (x2 * x3).abs() - (x3**2) ** x4.abs() + smooth


def _fourth(*x):
    return _third(*x) + (x[0] * x[3]) ** 2


def _fifth(x1, x2, x3, x4, x5, x6, x7, x8, x9, x10):
    bumps = 1 / (1 + x1**2 + x2**2 + x3**2) + (x4 + x5).abs().sqrt()
    return bumps + (x6 + x7).abs() + x8 * x9 * x10


def _sixth(x1, x2, x3, x4, x5, x6, _, x8, x9, x10):
    exponentials = ((x1 * x2).abs() + 1).exp() - ((x3 + x4).abs() + 1).exp()
    return exponentials + (x5 + x6 - x8).cos() + (x8**2 + x9**2 + x10**2).sqrt()


def _seventh(*x):
    x1, x2, x3, x4, x5, x6, x7, x8, x9, _ = x
    start = (x1.atan() + x2.atan()) ** 2 + (x3 * x4 + x6).clamp(min=0)
    bump = 1 / (1 + (x4 * x5 * x6 * x7 * x8) ** 2) ** 2
    return start - bump + (x7.abs() / (1 + x9.abs())) ** 5 + sum(x)


def _eighth(x1, x2, x3, x4, x5, x6, x7, x8, x9, x10):
    powers = 2 ** (x3 + x5 + x6) + 2 ** (x3 + x4 + x5 + x7)
    return x1 * x2 + powers + (x7 * (x8 + x9).sin()).sin() + (0.9 * x10).acos()


def _ninth(x1, x2, x3, x4, x5, x6, x7, x8, x9, x10):
    start = (x1 * x2 + x3 * x4).tanh() * x5.abs().sqrt() + (x5 + x6).exp()
    return start + ((x6 * x7 * x8) ** 2 + 1).log() + x9 * x10 + 1 / (1 + x10.abs())


def _tenth(x1, x2, x3, x4, x5, *others):
    _, x7, _, x9, _ = others
    start = (x1 + x2).sinh() + (x3 + x5 + x7).tanh().acos()
    return start + (x4 + x5).cos() + 1 / (x7 * x9).cos()


# The ten functions by which detectors of interactions are compared, and the features, from 1,
# that interact.
NID = {
    1: (_first, ({1, 2, 3}, {3, 5}, {7, 8, 9, 10}, {2, 7})),
    2: (_second, ({1, 2, 3}, {3, 5}, {7, 8, 9, 10}, {2, 7})),
    3: (_third, ({1, 2}, {2, 3}, {3, 4}, {4, 5, 7, 8})),
    4: (_fourth, ({1, 2}, {2, 3}, {3, 4}, {1, 4}, {4, 5, 7, 8})),
    5: (_fifth, ({1, 2, 3}, {4, 5}, {6, 7}, {8, 9, 10})),
    6: (_sixth, ({1, 2}, {3, 4}, {5, 6, 8}, {8, 9, 10})),
    7: (_seventh, ({1, 2}, {3, 4, 6}, {4, 5, 6, 7, 8}, {7, 9})),
    8: (_eighth, ({1, 2}, {3, 5, 6}, {3, 4, 5, 7}, {7, 8, 9})),
    9: (_ninth, ({1, 2, 3, 4, 5}, {5, 6}, {6, 7, 8}, {9, 10})),
    10: (_tenth, ({1, 2}, {3, 5, 7}, {4, 5}, {7, 9})),
}


def interacting(number):
    """Whether each pair of the ten features, in the order of pairs, interacts."""
    _, sets = NID[number]
    pairs = itertools.combinations(range(1, 11), 2)
    return [any({i, j} <= members for members in sets) for i, j in pairs]
