"""One row on its way through the features of a network."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.engines.lib.graph import NAME
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.row import explain_row
from workbench.plots.basis_row import row_graph, row_sentence


def made(activation="relu", seed=0):
    table = tiny_table(n=200, task="multiclass")
    model = tiny_model(table, activation=activation, seed=seed)
    return model, table, METHODS[NAME].explain(
        model, table.split("test"), table, LibParams(), Context()
    )  # fmt: skip


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_what_is_added_and_what_is_constant_give_the_feature(activation):
    model, table, result = made(activation)
    found = explain_row(model, result, table[[7]])
    for at, signed in enumerate(found.attributions):
        total = signed.sum(1) + found.constants[at]
        assert np.abs(total - found.features[at + 1]).max() < 1e-9
    outputs = model.network(model.encode(table.X[[7]]))[0].detach().numpy()
    mean = result.layer(result.n_sections).mean
    np.testing.assert_allclose(found.features[-1] + mean, outputs, atol=1e-9)


def test_the_constant_is_what_biases_and_means_add():
    """Against the definition for a linear layer with ReLU, without any gradient."""
    model, table, result = made()
    found = explain_row(model, result, table[[7]])
    x = model.encode(table.X[[7]])[0].double()
    first = model.network.first
    first = first[0] if isinstance(first, torch.nn.Sequential) else first
    W, b = (p.detach().double().numpy() for p in (first.weight, first.bias))
    here, there = result.layer(0), result.layer(1)
    on = (W @ x.numpy() + b > 0).astype(float)
    constant = (on * (W @ here.mean + b) - there.mean) @ there.into
    signed = (there.into.T * on) @ W @ here.back.T * ((x.numpy() - here.mean) @ here.into)
    # What the inputs' dropped directions add is constant too; on these rows they never vary.
    np.testing.assert_allclose(found.attributions[0], signed, atol=1e-8)
    np.testing.assert_allclose(found.constants[0], constant, atol=1e-8)


def test_the_mean_of_squares_over_the_training_rows_is_the_edge():
    model, table, result = made()
    train = table.split("train")
    total = sum(
        explain_row(model, result, train[[i]]).attributions[1] ** 2 for i in range(len(train))
    )  # fmt: skip
    np.testing.assert_allclose(total / len(train), result.edges(1), rtol=1e-9, atol=1e-12)


def test_another_model_and_several_rows_are_refused():
    model, table, result = made()
    record = result.provenance.model_copy(update={"model_digest": "2" * 64})
    with pytest.raises(InvalidInputError, match="not of this"):
        explain_row(model, replace(result, provenance=record), table[[0]])
    with pytest.raises(InvalidInputError, match="One row is explained at a time, got 2"):
        explain_row(model, result, table[[0, 1]])


@pytest.mark.parametrize("dark", [False, True])
def test_a_row_is_drawn_with_the_signs_of_its_attributions(dark):
    model, table, result = made()
    found = explain_row(model, result, table[[7]])
    figure = row_graph(result, found, edges=4, dark=dark)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    drawn = sum(sum(x is None for x in trace.x) for trace in lines)
    assert drawn == 4 * result.n_sections
    positive = sum(
        (np.sort(np.abs(signed), axis=None)[-4] <= np.abs(signed[signed > 0])).sum()
        for signed in found.attributions
    )  # fmt: skip
    first = [trace for trace in lines if trace.name == "raises"]
    assert sum(sum(x is None for x in trace.x) for trace in first) == positive
    at = found.features[-1].argmax()
    assert result.output_names[at] in row_sentence(result, found, int(at))
