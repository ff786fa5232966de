"""The small convolutional network of the experiments, and what is found inside it."""

from dataclasses import replace

import torch
from torch import nn

from workbench.core.context import Context
from workbench.engines.lib.sections import cut
from workbench.operations import lib_experiments
from workbench.operations.lib_experiments import RECIPES, needed_by
from workbench.operations.small_cnn import small_cnn
from workbench.registry.architectures import build_network


def test_it_is_two_convolutions_that_halve_the_image_and_a_linear_layer():
    torch.manual_seed(0)
    network = build_network(small_cnn(8, (8, 16), 10), 64, 10)
    plain = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64, 10),
    )  # fmt: skip
    plain.load_state_dict(dict(zip(plain.state_dict(), network.state_dict().values(), strict=True)))
    X = torch.rand(12, 64)
    torch.testing.assert_close(network(X), plain(X))
    sections = cut(network, X)
    shapes = [tuple(layer.shape[1:]) for layer in sections.layers(X.double())]
    assert shapes == [(1, 64), (16, 8), (1, 64), (1, 10)], "pixels of a map share its channels"


def test_its_last_layer_takes_fewer_features_and_edges_than_principal_components(monkeypatch):
    monkeypatch.setitem(RECIPES, "digits-cnn", replace(RECIPES["digits-cnn"], epochs=12))
    monkeypatch.setattr(lib_experiments, "FIT_ROWS", 300)
    monkeypatch.setattr(lib_experiments, "CURVE_ROWS", 250)
    lib, pca, _ = needed_by("digits-cnn", 1, Context())
    assert lib.base >= 0.85
    assert lib.nodes[2] <= 10 < pca.nodes[2]
    assert sum(lib.edges) < sum(pca.edges)
