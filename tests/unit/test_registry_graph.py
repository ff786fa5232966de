"""Graphs from strangers: only what the tables hold, and checked before memory is taken."""

import copy

import pytest
import torch
from torch import nn

from workbench.core.card import Architecture
from workbench.core.errors import RegistryError
from workbench.core.model import splits_first_layer
from workbench.registry.architectures import build_network
from workbench.registry.graph_functions import FUNCTIONS, LAYERS


def step(name, target, *args, **more):
    op = "layer" if target in LAYERS else "function"
    return {"name": name, "op": op, "target": target, "args": list(args)} | more


def layer(name, target, source, path=None, **settings):
    return step(name, target, node(source), path=path or name, settings=settings)


def node(name):
    return {"node": name}


INPUT = {"name": "x", "op": "input"}
FIRST = layer("a", "Linear", "x", in_features=4, out_features=3)
LAST = layer("z", "Linear", "a", in_features=3, out_features=2)


def build(*steps, n_inputs=4, n_outputs=2):
    return build_network(
        Architecture(name="graph", arguments={"nodes": steps}), n_inputs, n_outputs
    )


def refusal(*steps, **sizes):
    with pytest.raises(RegistryError) as caught:
        build(*steps, **sizes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_graph_is_its_steps():
    network = build(
        INPUT, FIRST, step("b", "tanh", node("a")),
        {"name": "w", "op": "tensor", "path": "scales.w", "settings": {
            "shape": [3], "learned": True}},
        step("c", "mul", node("b"), node("w")),
        step("d", "add", node("c"), node("a"), kwargs={"alpha": 0.5}),
        step("e", "getitem", node("d"), [{"slice": [None, None, None]}, {"list": [2, 0]}]),
    ).double()  # fmt: skip
    state = network.state_dict()
    assert set(state) == {"a.weight", "a.bias", "scales.w"}
    for tensor in state.values():
        tensor.copy_(torch.rand(tensor.shape))
    x = torch.rand(6, 4, dtype=torch.float64)
    a = x @ state["a.weight"].T + state["a.bias"]
    d = a.tanh() * state["scales.w"] + 0.5 * a
    torch.testing.assert_close(network(x), d[:, [2, 0]])
    torch.testing.assert_close(network.rest(network.first(x)), d[:, [2, 0]])


def test_the_first_layer_survives_copies():
    network = build(INPUT, FIRST, LAST)
    assert splits_first_layer(network)
    twin = copy.deepcopy(network).double()
    assert twin.first is twin.get_submodule("a")
    assert twin.first.weight.dtype == torch.float64
    assert network.first.weight.dtype == torch.float32
    assert sorted(twin.state_dict()) == ["a.bias", "a.weight", "z.bias", "z.weight"]


@pytest.mark.parametrize(
    "steps",
    [
        (INPUT, FIRST, LAST, step("s", "sum", node("x"), 1, True),
         step("o", "add", node("z"), node("s"))),
        (INPUT, step("r", "relu", node("x")), layer(
            "z", "Linear", "r", in_features=4, out_features=2)),
    ],
    ids=["the input is used again", "something comes before"],
)  # fmt: skip
def test_the_first_layer_is_not_split_off_where_it_is_not_alone(steps):
    assert not splits_first_layer(build(*steps))


def test_one_value_per_row_becomes_a_column():
    network = build(INPUT, step("p", "Linear", node("x"), path="p", settings={
        "in_features": 4, "out_features": 1}), step(
            "s", "squeeze", node("p"), 1), n_outputs=1)  # fmt: skip
    assert network(torch.zeros(5, 4)).shape == (5, 1)


def wide(n):
    return [step(f"d{i}", "cat", [node(f"d{i - 1}" if i else "a")] * 2, 1) for i in range(n)]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((INPUT, step("a", "system", node("x"))), "Step 'a' calls function 'system', which is not "
         "one of those that a graph may call; export the model to ONNX instead."),
        ((INPUT, step("a", "__import__", "os")), "Step 'a' has an argument that is not a number, a "
         "step, or a short list of them."),
        ((INPUT, {"name": "a", "op": "layer", "target": "Module", "path": "a"}), "Step 'a' is a "
         "layer 'Module', which is not one of those that a graph may hold; export the model to "
         "ONNX instead."),
        ((INPUT, layer("a", "Linear", "x", in_features=10**9, out_features=2)), "Step 'a' has a "
         "setting that Linear does not take: Input should be less than or equal to 65536."),
        ((INPUT, layer("a", "Linear", "x", in_features=4)), "Step 'a' has settings that Linear "
         "does not take: setting 'out_features' is lacking."),
        ((INPUT, layer("a", "Linear", "x", in_features=4, out_features=2, device="cuda")),
         "Step 'a' has settings that Linear does not take: there is no setting 'device'."),
        ((INPUT, layer("a", "Linear", "x", in_features=5, out_features=2)), "Step 'a' (Linear) "
         "does "
         "not fit what it is given: a and b must have same reduction dim, but got [3, 4] X [5, "
         "2]."),
        ((INPUT, FIRST), "The graph gives an output of shape (12, 3) for 12 rows, its schema needs "
         "(12, 2)."),
        ((FIRST, INPUT), "A graph starts with its one step of kind 'input'."),
        ((INPUT, INPUT), "A graph starts with its one step of kind 'input'."),
        ((INPUT, FIRST, FIRST), "Two steps are named 'a'; give each its own name."),
        ((INPUT, layer("a", "Linear", "b", in_features=4, out_features=2)), "Step 'a' needs 'b', "
         "which is not an earlier step."),
        ((INPUT, step("a", "relu", node("x"))), "The graph has no learned numbers; there is "
         "nothing "
         "to explain."),
        ((INPUT, step("a", "relu", node("x"), kwargs={"out": node("x")})), "Step 'a' does not call "
         "function 'relu' rightly: got an unexpected keyword argument 'out'."),
        ((INPUT, FIRST, layer("b", "Linear", "a", "a", in_features=3, out_features=2)), "Step 'b' "
         "and "
         "another one describe layer 'a' differently; give each layer a path of its own."),
        ((INPUT, layer("a", "Linear", "x", "forward", in_features=4, out_features=2)), "Step 'a' "
         "cannot use path 'forward', which is taken or reserved; choose another."),
        ((INPUT, layer("a", "Linear", "x", "_modules.w", in_features=4, out_features=2)), "Step "
         "'a' "
         "cannot use path '_modules.w': '_modules' is taken or reserved; choose another."),
        ((INPUT, FIRST, step("m", "matmul", node("a"), node("t")), LAST), "Step 'm' needs 't', "
         "which is not an earlier step."),
        ((INPUT, FIRST, *wide(40), LAST), "Step 'd14' gives 1,179,648 numbers for 12 rows, allowed "
         "are 786,432; use a smaller network."),
        ((INPUT, FIRST, step("t", "t", node("a")), step("m", "matmul", node("a"), node("t")),
          step("s", "sum", node("m"), 1, True), step("o", "add", node("z"), node("s"))), "Step 'o' "
         "needs 'z', which is not an earlier step."),
        ((INPUT, FIRST, LAST, step("t", "t", node("a")), step("m", "matmul", node("a"), node("t")),
          step("s", "sum", node("m"), 1, True), step("o", "add", node("z"), node("s"))), "Step 'm' "
         "mixes the rows of a batch; each row must be treated alone."),
        ((INPUT, FIRST, LAST, step("s", "size", node("x"), 1), step("p", "pow", node("s"), 10**9),
          step("o", "mul", node("z"), node("p"))), "Step 'p' (pow) does not fit what it is given: "
         "(34, 'Numerical result out of range')."),
        ((INPUT, FIRST, LAST, step("s", "size", node("x")), step("o", "mul", node("s"), 10**9)),
         "Step 'o' (mul) does not fit what it is given: a tensor or a number of at most "
         "1,099,511,627,776 is needed."),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_a_graph_may_not_be(steps, message):
    assert refusal(*steps) == message


def test_parameters_are_counted_before_memory_is_taken():
    large = [layer(f"l{i}", "Linear", f"l{i - 1}" if i else "x", in_features=4 if not i else 60000,
                   out_features=60000) for i in range(20)]  # fmt: skip
    assert refusal(INPUT, *large).startswith("The graph has 68,401,440,000 parameters, allowed are")


def test_deep_and_long_arguments_are_refused():
    deep = [1]
    for _ in range(10):
        deep = [deep]
    for argument in (deep, [0] * 5000, float("inf"), "a" * 1000, {"node": "x", "more": 1}, 2**50):
        assert "has an argument that is not" in refusal(INPUT, FIRST, step("b", "cat", argument))


def test_every_layer_can_be_read_and_built_again():
    """What the converter reads off a layer is what the graph builds."""
    made = {
        "Linear": (3, 2), "Bilinear": (3, 2, 2), "Embedding": (3, 2), "BatchNorm1d": (3,),
        "BatchNorm2d": (3,), "LayerNorm": (3,), "RMSNorm": (3,), "GroupNorm": (1, 2),
        "Conv1d": (1, 2, 3), "Conv2d": (1, 2, 3), "MaxPool1d": (2,), "MaxPool2d": (2,),
        "AvgPool1d": (2,), "AvgPool2d": (2,), "AdaptiveAvgPool1d": (1,), "AdaptiveAvgPool2d": (1,),
        "MultiheadAttention": (4, 2), "Unflatten": (1, (2, 2)), "Threshold": (0.1, 2.0),
        "GLU": (-1,), "Softmax": (-1,), "LogSoftmax": (-1,),
    }  # fmt: skip
    for name, entry in LAYERS.items():
        original = entry.kind(*made.get(name, ()))
        again = entry.build(entry.read(original))
        assert repr(again) == repr(original), name
        assert again.state_dict().keys() == original.state_dict().keys()


def test_no_function_of_the_table_writes_to_its_input():
    """Called as a graph would, with one tensor or two."""
    for name, function in FUNCTIONS.items():
        x = torch.rand(4, 4) + 0.1
        before = x.clone()
        for arguments in ((x,), (x, x), (x, 1), ([x, x],), (x, 0, 1)):
            try:
                function(*arguments)
            except Exception:  # noqa: S112 - another way of calling it
                continue
        assert torch.equal(x, before), name


def test_names_of_modules_are_kept_apart():
    steps = (INPUT, layer("a", "Linear", "x", "net.0", in_features=4, out_features=3),
             layer("b", "Linear", "a", "net.0.more", in_features=3, out_features=2))  # fmt: skip
    assert refusal(*steps) == (
        "Step 'b' cannot use path 'net.0.more': '0' is taken or reserved; choose another."
    )
    assert isinstance(build(INPUT, FIRST, LAST).get_submodule("a"), nn.Linear)
