"""How sparse networks are inside, on three trained networks of each kind."""

from functools import cache

import numpy as np
import pytest

from workbench.core.context import Context
from workbench.operations.lib_experiments import needed_by

SEEDS = 3


@cache
def networks(name):
    """What each network takes, in the Local Interaction Basis and in principal components."""
    found = list(needed_by(name, SEEDS, Context()))
    return [[one for one in found if one.basis == basis] for basis in ("lib", "pca")]


def mean_edges(found, section=None):
    return np.mean([sum(one.edges) if section is None else one.edges[section] for one in found])


@pytest.fixture(scope="module")
def digits():
    return networks("digits")


def test_digits_take_at_most_ten_features_of_every_layer(digits):
    lib, _ = digits
    assert len(lib) == SEEDS
    assert min(one.base for one in lib) >= 0.94
    assert max(max(one.nodes) for one in lib) <= 10


def test_digits_take_a_fraction_of_the_edges_of_principal_components(digits):
    lib, pca = digits
    assert mean_edges(lib) <= 0.4 * mean_edges(pca)
    assert mean_edges(lib, 0) <= 0.2 * mean_edges(pca, 0)


def test_six_features_of_every_layer_at_once_nearly_are_the_network(digits):
    lib, pca = digits
    base, kept, others = (
        np.mean(each) for each in (
            [one.base for one in lib], [one.six for one in lib], [one.six for one in pca],
        )
    )  # fmt: skip
    assert kept >= base - 0.03
    assert kept - others >= 0.08


def test_columns_of_noise_cost_principal_components_features_but_not_the_interaction_basis():
    lib, pca = networks("digits-noise")
    assert min(one.base for one in lib) >= 0.85, "it has learned"
    assert max(one.nodes[0] for one in lib) <= 10
    assert min(one.nodes[0] for one in pca) >= 40
    assert mean_edges(lib) <= 0.4 * mean_edges(pca)


def test_a_table_takes_half_the_edges_of_the_inputs():
    lib, pca = networks("breast-cancer")
    assert len(lib) == SEEDS
    assert mean_edges(lib, 0) <= 0.5 * mean_edges(pca, 0)
