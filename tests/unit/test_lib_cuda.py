"""A basis does not depend on the device, nor on how many rows fit its memory at once."""

from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.method import METHODS
from workbench.engines.lib.graph import NAME
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.row import explain_row
from workbench.numerics.interaction_basis import moments, neuron_basis
from workbench.numerics.section_jacobians import jacobian_gram

# The paths with and without a closed form, and one with random signs.
KINDS = {"relu": {}, "tanh": {}, "drawn": {"sources": 3}}


@cache
def case(kind):
    table = tiny_table(n=250, task="multiclass", seed=3)
    bend = "relu" if kind == "relu" else "tanh"
    return tiny_model(table, activation=bend, hidden=(8, 6)), table


def fit(kind, device="cpu", budget=512 * 2**20):
    model, table = case(kind)
    context = Context(seed=1, device=torch.device(device), budget=budget)
    settings = LibParams(**KINDS[kind])
    return METHODS[NAME].explain(
        model.to(context.device), table.split("test"), table, settings, context
    )


def assert_alike(one, two):
    """Everything agrees to 1e-8 of the largest of its layer or section."""
    np.testing.assert_array_equal(one.sizes, two.sizes)
    assert abs(one.base - two.base) < 1e-12
    for at in range(one.n_sections):
        for basis in ("lib", "pca", "neurons"):
            here, there = one.edges(at, basis), two.edges(at, basis)
            assert np.abs(here - there).max() <= 1e-8 * here.max()
            here, there = one.layer(at, basis), two.layer(at, basis)
            gap = np.abs(here.importance - there.importance).max()
            assert gap <= 1e-8 * here.importance[0]
    for name in ("node_worth", "all_node_worth", "nodes_required", "edges_required"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_allclose(one.features, two.features, atol=1e-8 * np.abs(one.features).max())
    np.testing.assert_allclose(one.co_firing, two.co_firing, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_in_small_parts_give_the_same(kind):
    assert_alike(fit(kind), fit(kind, budget=100_000))


def test_every_row_is_given_the_same_signs_in_whatever_parts():
    torch.manual_seed(0)
    section = nn.Sequential(nn.Linear(6, 5), nn.Tanh()).double()
    X = torch.randn(70, 1, 6, dtype=torch.float64)
    into = neuron_basis(*moments(section(X).detach())).into

    def drawn(budget):
        rng = np.random.default_rng(0)
        return jacobian_gram(section, X, into, sources=3, rng=rng, budget=budget).detach()

    torch.testing.assert_close(drawn(7000), drawn(2**20), rtol=1e-12, atol=1e-12)


@pytest.mark.cuda
@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_gives_what_the_cpu_gives(kind):
    here, there = fit(kind), fit(kind, "cuda:0")
    assert there.provenance.device == torch.cuda.get_device_name(0)
    assert_alike(here, there)


@pytest.mark.cuda
def test_a_gpu_gives_the_same_bytes_again():
    one, two = fit("relu", "cuda:0"), fit("relu", "cuda:0")
    for name in ("intos", "edge_values", "node_worth", "edge_worth", "communities"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()


@pytest.mark.cuda
def test_a_row_passes_there_as_here():
    model, table = case("relu")
    result = fit("relu")
    here, there = (explain_row(model.to(d), result, table[[7]]) for d in ("cpu", "cuda:0"))
    for a, b in zip(here.attributions, there.attributions, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8 * np.abs(a).max())
