"""Sections of a network equal the network; what a connection reaches over is no place to cut."""

import re

import pytest
import torch
from torch import nn

from tests.networks import tiny_model, tiny_table
from workbench.core.card import Architecture
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.core.params import parse_params
from workbench.engines.lib.cuts import layer_names
from workbench.engines.lib.graph import NAME
from workbench.engines.lib.params import LibParams
from workbench.engines.lib.row import explain_row
from workbench.engines.lib.sections import cut
from workbench.numerics.section_jacobians import dense_gram, jacobian_gram
from workbench.registry.architectures import build_network
from workbench.registry.convert_trace import Tracing

METHOD = METHODS[NAME]


def graph_of(module, n_inputs, n_outputs):
    """The network of a module's own steps, with its weights."""
    traced = Tracing(module, n_inputs)
    network = build_network(
        Architecture(name="graph", arguments={"nodes": traced.steps}), n_inputs, n_outputs
    )
    network.load_state_dict(traced.state)
    return network


class Images(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.head = nn.Linear(24, 3)
        self.act, self.pool = nn.ReLU(inplace=True), nn.MaxPool2d(2)

    def forward(self, x):
        x = (x / 16).reshape(-1, 1, 8, 8)
        x = self.pool(self.act(self.one(x)))
        x = self.pool(self.act(self.two(x)))
        return self.head(x.flatten(1))


class Skips(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 5), nn.Linear(5, 5), nn.Linear(5, 2)

    def forward(self, x):
        first = torch.relu(self.a(x))
        second = torch.relu(self.b(first))
        return self.c(first + second)


def test_sections_of_a_convolution_have_pixels_as_positions_and_give_what_it_gives():
    torch.manual_seed(0)
    network = graph_of(Images(), 64, 3)
    X = torch.randn(20, 64, dtype=torch.float64)
    sections = cut(network, X)
    layers = sections.layers(X)
    assert [tuple(layer.shape[1:]) for layer in layers] == [(1, 64), (16, 4), (1, 24), (1, 3)]
    torch.testing.assert_close(layers[-1][:, 0], network.double()(X))
    assert sections.bends == (True, True, True)


def test_a_cut_that_a_skip_connection_crosses_is_not_made():
    torch.manual_seed(0)
    network = graph_of(Skips(), 6, 2)
    X = torch.randn(20, 6, dtype=torch.float64)
    sections = cut(network, X)
    assert len(sections.parts) == 3, "before a, before b and c together, where the sum is"
    widths = [layer.shape[2] for layer in sections.layers(X)]
    assert widths == [6, 5, 5, 2]


def test_blocks_with_skip_connections_are_sections_of_their_own():
    table = tiny_table()
    model = tiny_model(table, network="tabular-resnet", width=6, n_blocks=2, hidden=8)
    X = model.encode(table.X)
    sections = cut(model.network, X)
    assert sections.names == ("inputs", "stream 0", "stream 1", "stream 2", "outputs")
    torch.testing.assert_close(sections.layers(X)[-1][:, 0], model.network(X))


def skips(rows=20):
    torch.manual_seed(0)
    return graph_of(Skips(), 6, 2), torch.randn(rows, 6, dtype=torch.float64)


def by_definition(network):
    """Steps that a connection reaches over: some later step reads an earlier one."""
    steps = network._steps
    names = [node.name for node in steps]
    reads = [{arg["node"] for arg in node.args if isinstance(arg, dict) and "node" in arg}
             for node in steps]  # fmt: skip
    return {
        names[at]
        for at in range(len(steps))
        if any(set(names[:at]) & found for found in reads[at + 1 :])
    }


def test_a_step_that_a_skip_connection_crosses_is_refused_with_the_reason():
    network, X = skips()
    crossed = by_definition(network)
    assert crossed, "the branch that the sum joins again"
    offered = layer_names(network)
    assert not crossed & set(offered)
    for name in crossed:
        with pytest.raises(InvalidInputError) as caught:
            cut(network, X, [offered[0], name])
        said = str(caught.value)
        assert f"cannot be cut at layer '{name}': a skip connection reaches over it" in said
        start, stop = re.search("from '(.*?)' to '(.*?)'", said).groups()
        names = [node.name for node in network._steps]
        assert names.index(start) < names.index(name) < names.index(stop)
        assert all(each in said for each in offered)


def test_inside_a_block_a_residual_network_is_not_cut():
    table = tiny_table()
    model = tiny_model(table, network="tabular-resnet", width=6, n_blocks=2, hidden=8)
    X = model.encode(table.X)
    with pytest.raises(InvalidInputError, match="skip connection reaches over it, from 'stream 1'"):
        cut(model.network, X, ["inside block 2"])
    sections = cut(model.network, X, ["stream 1"])
    assert sections.names == ("inputs", "stream 1", "outputs")
    layers = sections.layers(X)
    torch.testing.assert_close(layers[1][:, 0], model.network.blocks[0](model.network.first(X)))
    torch.testing.assert_close(layers[2][:, 0], model.network(X))


def test_a_layer_that_does_not_exist_is_refused_with_those_that_do():
    network, X = skips()
    with pytest.raises(InvalidInputError, match=r"no layer 'relu_9' .* choose among a, relu"):
        cut(network, X, ["relu_9"])
    table = tiny_table()
    model = tiny_model(table)
    with pytest.raises(InvalidInputError, match=r"no layer 'inputs' .* hidden 1, hidden 2"):
        METHOD.explain(model, table, table, LibParams(layers=("inputs",)), Context())
    linear = tiny_model(table, network="linear")
    with pytest.raises(InvalidInputError, match="there is none that can be chosen"):
        cut(linear.network, linear.encode(table.X), ["hidden 1"])
    with pytest.raises(InvalidInputError, match="a layer is named twice"):
        parse_params(LibParams, {"layers": "hidden 1, hidden 1"})


def test_what_gives_no_numbers_for_each_row_is_no_layer():
    class Signs(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 2)

        def forward(self, x):
            return self.b((self.a(x) > 0).float())

    torch.manual_seed(0)
    network = graph_of(Signs(), 6, 2)
    with pytest.raises(InvalidInputError, match="'gt': it does not give real numbers"):
        cut(network, torch.randn(20, 6), ["gt"])


def test_a_graph_is_cut_where_it_is_told_to_be():
    torch.manual_seed(0)
    network = graph_of(Images(), 64, 3)
    X = torch.randn(20, 64, dtype=torch.float64)
    *_, last = layer_names(network)
    sections = cut(network, X, [last])
    assert sections.names == ("inputs", last, "outputs")
    torch.testing.assert_close(sections.layers(X)[-1][:, 0], network.double()(X))
    maps = cut(network, X, ["pool"]).layers(X)[1]
    assert tuple(maps.shape[1:]) == (16, 4), "not only before layers of weights"


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 2)
        self.off = nn.Dropout(0.5)

    def forward(self, x):
        return self.c(torch.tanh(self.b(self.off(torch.relu(self.a(x))))))


def test_linear_layers_with_relus_of_a_graph_are_known_as_such():
    torch.manual_seed(0)
    network = graph_of(Plain(), 6, 2)
    X = torch.randn(50, 6, dtype=torch.float64)
    sections = cut(network, X)
    layers = sections.layers(X)
    first, bent, last = sections.dense
    assert bent is None, "a tanh has no closed form"
    assert last.slope is None
    torch.testing.assert_close(
        first.slope(layers[0]), (network.double().a(X) > 0).double()[:, None]
    )
    into = torch.randn(5, 3, dtype=torch.float64)
    want = jacobian_gram(sections.parts[0], layers[0], into)
    torch.testing.assert_close(dense_gram(first, layers[0], into, rows=20), want)
    branched, Y = skips()
    assert [dense is None for dense in cut(branched, Y).dense] == [False, True, False]


def test_a_basis_of_chosen_layers_is_that_of_all_where_both_have_the_same_next_layer():
    table = tiny_table(n=200, task="multiclass")
    model = tiny_model(table)
    few = METHOD.explain(model, table, table, LibParams(layers=("hidden 2",)), Context())
    whole = METHOD.explain(model, table, table, LibParams(), Context())
    assert few.layer_names == ("inputs", "hidden 2", "outputs")
    torch.testing.assert_close(few.edges(1), whole.edges(2))
    assert few.rules[0] == "gradient", "two layers that bend still have one slope on the way"
    passed = explain_row(model, few, table[[3]])
    for at, signed in enumerate(passed.attributions):
        total = signed.sum(1) + passed.constants[at]
        assert abs(total - passed.features[at + 1]).max() < 1e-9


def test_a_product_of_two_steps_is_integrated_and_one_with_a_number_is_not():
    class Scaled(nn.Module):
        def __init__(self, gate):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(6, 5), nn.Linear(6, 5), nn.Linear(5, 2)
            self.gate = gate

        def forward(self, x):
            return self.c(self.a(x) * (self.b(x) if self.gate else 3.0))

    X = torch.randn(20, 6, dtype=torch.float64)
    for gate in (True, False):
        sections = cut(graph_of(Scaled(gate), 6, 2), X)
        assert all(sections.bends) is not gate
