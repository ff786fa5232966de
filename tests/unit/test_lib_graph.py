"""The method: sections equal the network, and what is left out costs what it should."""

from functools import cache

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.core.errors import CancelledError, InvalidInputError
from workbench.core.local_basis import BASES, LocalBasis
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.core.results import load
from workbench.engines.lib.graph import NAME, column_names
from workbench.engines.lib.params import LibParams
from workbench.plots.local_basis import lib_sentence

METHOD = METHODS[NAME]


@cache
def fit(name, **params):
    return fit_again(name, **params)


def fit_again(name, **params):
    model = api.load_model(name)
    whole = api.load_table(model.card.training_table, split="all")
    return METHOD.explain(model, whole.split("test"), whole, LibParams(**params), Context())


@pytest.fixture(scope="module")
def digits():
    return fit("digits-mlp")


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_every_catalogued_network_can_be_analysed(activation):
    table = tiny_table(n=200, task="multiclass")
    model = tiny_model(table, activation=activation)
    result = METHOD.explain(model, table.split("test"), table, LibParams(), Context())
    assert result.rules[0] == ("gradient" if activation == "relu" else "gauss-legendre 8")
    assert result.sizes[0, -2] <= 3
    assert all(np.isfinite(result.edges(at, basis)).all() for at in range(3) for basis in BASES)


def test_bases_are_those_of_the_network_on_its_training_rows():
    model = api.load_model("wine-mlp")
    whole = api.load_table("wine", split="all")
    result = fit("wine-mlp")
    X = model.encode(whole.split("train").X).double()
    network = model.to(dtype=torch.float64).network
    hidden = torch.relu(network.first(X))
    layer = result.layer(1)
    features = (hidden.numpy() - layer.mean) @ layer.into
    covariance = features.T @ features / len(features)
    wanted = np.diag(layer.importance)
    assert np.abs(covariance - wanted).max() < 1e-8 * layer.importance[0]
    assert np.abs(features.mean(0)).max() < 1e-9
    assert np.abs(layer.back @ layer.into - np.eye(len(layer.importance))).max() < 1e-8


def test_leaving_nothing_out_is_the_network_and_leaving_all_out_is_one_class(digits):
    most = np.bincount(digits.truth.astype(int)).max() / len(digits.truth)
    for basis in BASES:
        for at in range(3):
            curve = digits.node_curve(at, basis)
            assert curve.worth[-1] == digits.base
            assert curve.worth[0] <= most + 0.02
            edges = digits.edge_curve(at, basis)
            assert edges.worth[-1] == digits.base
            assert edges.worth[0] <= most + 0.02 or edges.kept[0] > 0
        assert digits.all_nodes_curve(basis).worth[-1] == digits.base
        assert digits.all_edges_curve(basis).worth[-1] == digits.base


def test_digits_need_few_features_and_a_fraction_of_the_edges_of_principal_components(digits):
    frame = digits.to_frame().set_index(["basis", "layer"])
    assert digits.base >= 0.94
    lib, pca = frame.loc["lib"], frame.loc["pca"]
    assert (lib.nodes_required <= 14).all()
    assert lib.edges_required.sum() <= 0.4 * pca.edges_required.sum()
    assert lib.edges_required.iloc[0] <= 0.2 * pca.edges_required.iloc[0]
    six = [digits.all_nodes_curve(basis).worth[6] for basis in ("lib", "pca")]
    assert six[0] >= digits.base - 0.03
    assert six[0] - six[1] >= 0.08


def test_features_and_edges_left_out_together_end_at_each_alone():
    result = fit("wine-mlp")
    for b, basis in enumerate(BASES):
        nodes, edges = result.all_nodes_curve(basis), result.all_edges_curve(basis)
        of_nodes, of_edges = (dict(zip(c.kept, c.worth, strict=True)) for c in (nodes, edges))
        found = result.both_worth[b]
        assert found[-1, -1] == result.base
        assert result.both_error[b, -1, -1] == 0
        alone = [of_nodes[kept] for kept in result.both_features]
        np.testing.assert_array_equal(found[:, -1], alone)
        for j, kept in enumerate(result.both_edges):
            if kept in of_edges:
                assert found[-1, j] == of_edges[kept]
    assert result.both_worth.min() < result.base - 0.2


def test_a_greater_tolerance_never_needs_more():
    strict, lax = fit("wine-mlp"), fit("wine-mlp", tolerance=0.2)
    assert (lax.nodes_required <= strict.nodes_required).all()
    assert (lax.nodes_required < strict.nodes_required).any()
    assert (lax.edges_required[0] <= strict.edges_required[0]).all()


def test_few_points_of_the_curves_are_out_of_order(digits):
    for at in range(3):
        worth = digits.node_curve(at).worth
        assert (np.diff(worth) < 0).mean() <= 0.25


def test_layers_and_edges_are_taken_apart_as_they_were_put_together(digits):
    for b, basis in enumerate(BASES):
        for at in range(4):
            layer = digits.layer(at, basis)
            assert layer.into.shape == (digits.widths[at], digits.sizes[b, at])
            if basis != "neurons" or at < 3:
                identity = layer.back @ layer.into
                assert np.abs(identity - np.eye(len(identity))).max() < 1e-8
    # Neurons are in the order of their outgoing edges, whichever layer one comes from.
    mass = digits.edges(1, "neurons").sum(0)
    assert (np.diff(mass) <= 1e-12).all()
    torch.testing.assert_close(mass, digits.layer(1, "neurons").importance)


def test_the_same_seed_gives_the_same_bytes_and_a_file_gives_it_back(tmp_path):
    one, two = fit("wine-mlp"), fit_again("wine-mlp")
    for name in ("intos", "edge_values", "node_worth", "edge_worth", "communities"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    back = load(one.save(tmp_path / "wine.basis"))
    assert isinstance(back, LocalBasis)
    assert back.edge_values.tobytes() == one.edge_values.tobytes()


def test_units_that_fire_together_are_counted():
    model = api.load_model("wine-mlp")
    train = api.load_table("wine", split="train")
    network = model.to(dtype=torch.float64).network
    on = (network.first(model.encode(train.X).double()) > 0).double()
    wanted = (on.T @ on / len(on)).numpy()
    np.testing.assert_allclose(fit("wine-mlp").together(1), wanted, atol=1e-12)


def test_columns_are_named_as_their_features_and_categories():
    names = column_names(api.load_model("adult-mlp"))
    assert {"age", "sex = Female", "workclass = missing"} <= set(names)
    assert len(set(names)) == len(names)


def test_features_that_tie_are_marked():
    result = fit("wine-mlp")
    importance = result.layer(0).importance
    close = np.abs(np.diff(importance)) < 0.01 * importance[:-1]
    marked = result.is_tied(0)
    assert marked[:-1][close].all()
    assert not marked[~np.append(close, False) & ~np.insert(close, 0, False)].any()


def test_single_precision_is_refused_with_the_reason():
    with pytest.raises(InvalidInputError, match="decided by rounding in single precision"):
        parse_params(LibParams, {"dtype": "float32"})


@pytest.mark.parametrize("layer", ["first", "layers.2"])
def test_a_layer_without_effect_has_no_features_and_that_is_said(layer):
    table = tiny_table(n=200, task="multiclass")
    model = tiny_model(table)
    with torch.no_grad():
        model.network.get_submodule(layer).bias -= 1e6
    result = METHOD.explain(model, table.split("test"), table, LibParams(), Context())
    dead = 1 if layer == "first" else 2
    assert result.sizes[0, dead] == 0
    assert (result.sizes[0, :dead] == 0).all(), "nothing before it has an effect either"
    for name in ("intos", "backs", "importances", "edge_values", "node_worth", "edge_worth"):
        assert np.isfinite(getattr(result, name)).all()
    assert any("it has no features" in note for note in result.provenance.notes)
    assert lib_sentence(result)


def test_it_can_be_cancelled():
    def stop(done, _total, _what):
        if done > 3:
            raise CancelledError("enough")

    model = api.load_model("wine-mlp")
    whole = api.load_table("wine", split="all")
    with pytest.raises(CancelledError):
        METHOD.explain(model, whole.split("test"), whole, LibParams(), Context(progress=stop))
