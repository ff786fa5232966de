"""Samples around rows by way of the first layer, against asking about the rows themselves."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.networks import Opaque, tiny_model, tiny_table
from workbench import api
from workbench.core.card import Architecture
from workbench.core.context import Context
from workbench.engines.lime.moved import MovedSamples
from workbench.engines.lime.neighbourhood import around
from workbench.engines.lime.params import LimeParams
from workbench.engines.lime.sampler import make_sampler
from workbench.registry.architectures import build_encoder, build_network

ENCODERS = ("one_hot", "embedding", "raw", "columns")


def columns_of(schema):
    """Every number standardised, flagged where it is missing or a round 0; codes and words."""
    columns = []
    for feature in schema.features:
        if feature.kind == "categorical":
            columns += [{"feature": feature.name, "code": True, "fill": -1.0}]
            columns += [{"feature": feature.name, "equals": feature.categories[0]}]
        else:
            columns += [{"feature": feature.name, "mean": 0.3, "scale": 2.0, "fill": 0.1}]
            columns += [{"feature": feature.name, "missing": True}]
            columns += [{"feature": feature.name, "equals": 0.0}]
    return columns


def model_of(table, kind, *, network="mlp"):
    """A network in double precision behind an encoder of every kind."""
    usual = tiny_model(table)
    card = Architecture(name="tabular", arguments={"categorical": kind, "embedding_size": 3})
    if kind == "raw":
        card = Architecture(name="raw", arguments={"fill": -1.0})
    if kind == "columns":
        card = Architecture(name="columns", arguments={"columns": columns_of(table.schema)})
    torch.manual_seed(3)
    encoder = build_encoder(card, table.schema)
    encoder.fit(table.X)
    arguments = {"hidden": (16, 8), "activation": "tanh"} if network == "mlp" else {}
    architecture = Architecture(name=network, arguments=arguments)
    net = build_network(architecture, len(encoder.groups), len(table.schema.output_names))
    return replace(usual, encoder=encoder, network=net).to(dtype=torch.float64)


def around_rows(model, table, n=6):
    """A sampler, its samples, and a way to the answers around ``n`` rows."""
    params = LimeParams(sampling="around", perturbations=200)
    sampler = make_sampler(model, table[:n], table, params, Context())
    draws, X = sampler.draws(0), table.X[:n]
    moved = MovedSamples(model, draws, X, sampler.centre, sampler.scales, sampler.is_number)
    return sampler, draws, X, moved


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("network", ["mlp", "linear", "tabular-resnet"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_says_what_the_model_says_of_the_samples_themselves(kind, network, task):
    table = tiny_table(n=60, d=5, task=task, missing=True)
    model = model_of(table, kind, network=network)
    sampler, draws, X, moved = around_rows(model, table)
    assert X.isnan().any()
    linear = moved.are_linear()
    # Flags of a round 0 do not move with a row: such rows have to be asked about as they are.
    zeros = (X[:, ::2] == 0).any(1)
    expected = ~zeros if kind == "columns" else torch.ones_like(linear)
    assert torch.equal(linear, expected)
    samples = around(draws, X, sampler.scales, sampler.is_number)
    found = sampler.answers(0, X, torch.arange(len(X)))
    for row, own in enumerate(samples):
        np.testing.assert_allclose(found[row], model.predict(own), rtol=1e-9, atol=1e-11)


def test_a_round_number_with_a_flag_is_seen():
    table = tiny_table(n=60, d=5)
    X = table.X.clone()
    X[1, 0] = 0.0
    table = replace(table, X=X)
    _, _, _, moved = around_rows(model_of(table, "columns"), table)
    assert not moved.are_linear()[1]


class Bent(nn.Module):
    """An encoder whose numbers are cut off at a bound."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.groups = encoder, encoder.groups

    def forward(self, X):
        return self.encoder(X).clamp(max=1.0)


def test_numbers_that_do_not_enter_linearly_are_asked_about_as_they_are():
    table = tiny_table(n=60, d=5, missing=True)
    usual = model_of(table, "one_hot")
    model = replace(usual, encoder=Bent(usual.encoder))
    sampler, draws, X, moved = around_rows(model, table)
    assert not moved.are_linear().any()
    found = sampler.answers(0, X, torch.arange(len(X)))
    own = around(draws, X[:1], sampler.scales, sampler.is_number)[0]
    np.testing.assert_array_equal(found[0], model.predict(own))


@pytest.mark.parametrize("n", [1, 9])
def test_asks_about_as_many_rows_with_the_shortcut_as_without(n):
    table = tiny_table(n=60, d=5, missing=True)
    model, asked = model_of(table, "one_hot"), []
    model.network.layers.register_forward_hook(lambda _, args, __: asked.append(len(args[0])))
    settings = {"sampling": "around", "perturbations": 100}
    quick = api.lime(model, table[:n], table, **settings)
    assert sum(asked) == quick.provenance.evaluations == 100 * n + 20 + n
    slow = api.lime(replace(model, network=Opaque(model.network)), table[:n], table, **settings)
    assert slow.provenance.evaluations == quick.provenance.evaluations
    np.testing.assert_allclose(quick.coefficients, slow.coefficients, atol=1e-10)
    np.testing.assert_allclose(quick.std_errors, slow.std_errors, rtol=1e-5)


def test_a_row_far_away_keeps_its_digits():
    table = tiny_table(n=60, d=5, categorical=False)
    X = table.X.clone()
    X[0, 0] = 1e6
    table = replace(table, X=X)
    sampler, draws, rows, _ = around_rows(model_of(table, "one_hot"), table)
    found = sampler.answers(0, rows, torch.arange(len(rows)))
    own = around(draws, rows[:1], sampler.scales, sampler.is_number)[0]
    expected = model_of(table, "one_hot").predict(own)
    np.testing.assert_allclose(found[0], expected, atol=1e-8)
