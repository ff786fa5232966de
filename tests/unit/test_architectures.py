"""The catalogue: each network against an explicit replica, and what may not be asked of it."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from workbench.core.card import Architecture
from workbench.core.errors import RegistryError
from workbench.core.model import splits_first_layer
from workbench.core.schema import Feature, Schema
from workbench.registry.architectures import ACTIVATIONS, CATALOGUE, build_encoder, build_network

SCHEMA = Schema(features=(Feature(name="a"),))
GRAPH = {
    "nodes": [
        {"name": "x", "op": "input"},
        {"name": "one", "op": "layer", "target": "Linear", "path": "body.0",
         "args": [{"node": "x"}],
         "settings": {"in_features": 4, "out_features": 5}},
        {"name": "two", "op": "function", "target": "relu", "args": [{"node": "one"}]},
        {"name": "three", "op": "layer", "target": "Linear", "path": "head", "args": [
            {"node": "two"}], "settings": {"in_features": 5, "out_features": 3}},
    ]
}  # fmt: skip
EXAMPLES = {
    "graph": (GRAPH,),
    "linear": ({},),
    "mlp": (
        {},
        {"hidden": [7]},
        {"hidden": [7, 3, 5], "activation": "silu", "dropout": 0.4},
    ),
    "tabular-resnet": ({}, {"width": 6, "n_blocks": 3, "hidden": 4, "dropout": 0.2}),
}
CASES = [(name, arguments) for name, examples in EXAMPLES.items() for arguments in examples]


def build(name, arguments, n_inputs=4, n_outputs=3):
    """A network in double precision whose every number is random, running statistics included."""
    network = build_network(Architecture(name=name, arguments=arguments), n_inputs, n_outputs)
    generator = torch.Generator().manual_seed(0)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    return network.double().eval()


def inputs(n=5, p=4):
    return torch.randn(n, p, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_every_architecture_has_an_example():
    assert set(EXAMPLES) == set(CATALOGUE)


@pytest.mark.parametrize(("name", "arguments"), CASES)
@pytest.mark.parametrize(("n_inputs", "n_outputs"), [(1, 1), (4, 3)])
def test_the_first_layer_can_be_taken_off(name, arguments, n_inputs, n_outputs):
    if name == "graph":  # the sizes stand in the steps
        n_inputs, n_outputs = 4, 3
    network = build(name, arguments, n_inputs, n_outputs)
    z = inputs(p=n_inputs)
    assert splits_first_layer(network)
    assert isinstance(network.first, nn.Linear)
    assert network(z).shape == (5, n_outputs)
    assert torch.equal(network(z), network.rest(network.first(z)))
    by_hand = z @ network.first.weight.T + network.first.bias
    torch.testing.assert_close(network(z), network.rest(by_hand))


def test_linear_is_linear():
    network = build("linear", {})
    weight, bias = network.first.weight, network.first.bias
    torch.testing.assert_close(network(inputs()), inputs() @ weight.T + bias)
    assert sum(p.numel() for p in network.parameters()) == 4 * 3 + 3


FORMULAS = {
    "relu": lambda x: x * (x > 0),
    "tanh": lambda x: (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()),
    "silu": lambda x: x / (1 + (-x).exp()),
    "gelu": lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_mlp_is_affine_maps_with_activations_between(activation):
    arguments = {"hidden": [7, 3], "activation": activation, "dropout": 0.4}
    network = build("mlp", arguments)
    # Small weights keep the textbook formulas within range.
    for parameter in network.parameters():
        parameter.data *= 0.3
    state = network.state_dict()
    h = inputs() @ state["first.weight"].T + state["first.bias"]
    for layer in (2, 5):
        h = FORMULAS[activation](h)
        h = h @ state[f"layers.{layer}.weight"].T + state[f"layers.{layer}.bias"]
    torch.testing.assert_close(network(inputs()), h)
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.4] * 2


def batch_norm(h, state, name):
    spread = (state[f"{name}.running_var"] + 1e-5).sqrt()
    normal = (h - state[f"{name}.running_mean"]) / spread
    return normal * state[f"{name}.weight"] + state[f"{name}.bias"]


def test_resnet_adds_each_block_to_its_stream():
    network = build("tabular-resnet", EXAMPLES["tabular-resnet"][1])
    state = network.state_dict()

    def linear(h, name):
        return functional.linear(h, state[f"{name}.weight"], state[f"{name}.bias"])

    h = linear(inputs(), "first")
    for i in range(3):
        body = f"blocks.{i}.body"
        h = h + linear(linear(batch_norm(h, state, f"{body}.0"), f"{body}.1").relu(), f"{body}.4")
    expected = linear(batch_norm(h, state, "head.0").relu(), "head.2")
    torch.testing.assert_close(network(inputs()), expected)


def test_a_block_without_weights_changes_nothing():
    network = build("tabular-resnet", {"width": 6, "n_blocks": 2, "hidden": 4})
    for block in network.blocks:
        nn.init.zeros_(block.body[-1].weight)
        nn.init.zeros_(block.body[-1].bias)
    h = network.first(inputs())
    assert torch.equal(network.blocks(h), h)
    assert torch.equal(network(inputs()), network.head(h))


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_building_leaves_the_random_numbers_alone(name, arguments):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = build_network(Architecture(name=name, arguments=arguments), 4, 3)
    assert torch.equal(torch.rand(2), expected)
    torch.manual_seed(3)
    again = build_network(Architecture(name=name, arguments=arguments), 4, 3)
    assert torch.equal(first.first.weight, again.first.weight)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "cnn",
            {},
            "There is no architecture 'cnn'; choose one of graph, linear, mlp, tabular-resnet.",
        ),
        (
            "mlp",
            {"hidden": [8], "dropout": -1},
            "Arguments of architecture 'mlp' do not fit: dropout: Input should be greater than or "
            "equal to 0.",
        ),
        (
            "tabular-resnet",
            {"width": 0, "depth": 2},
            "Arguments of architecture 'tabular-resnet' do not fit: width: Input should be greater "
            "than or equal to 1; depth: Extra inputs are not permitted.",
        ),
    ],
)
def test_says_what_does_not_fit(name, arguments, message):
    with pytest.raises(RegistryError) as caught:
        build_network(Architecture(name=name, arguments=arguments), 4, 3)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (
            Architecture(name="image"),
            "There is no encoder 'image'; choose one of tabular, columns, raw.",
        ),
        (
            Architecture(name="tabular", arguments={"embedding_size": 0}),
            "Arguments of architecture 'tabular' do not fit: embedding_size: Input should be "
            "greater than or equal to 1.",
        ),
    ],
)
def test_says_what_an_encoder_cannot_be(architecture, message):
    with pytest.raises(RegistryError) as caught:
        build_encoder(architecture, SCHEMA)
    assert str(caught.value) == message
