"""DeepLIFT on the networks of the catalogue, against captum and closed forms."""

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.method import METHODS
from workbench.engines import shapley
from workbench.engines.shapley.deeplift import NAME


def explained(model, rows, background, **settings):
    return shapley.explain(model, rows, background, method=NAME, **settings)


def test_a_linear_model_is_exact():
    table = tiny_table(d=6, task="regression", missing=True)
    model = tiny_model(table, network="linear")
    rows, background = table[30:36], table[:20]
    got = explained(model, rows, background)
    by_pair = model.network.first.weight[0] * (
        model.encode(rows.X)[:, None] - model.encode(background.X)[None]
    )
    expected = torch.zeros(6, 20, 6, dtype=torch.float64).index_add_(2, model.groups, by_pair)
    np.testing.assert_allclose(got.values[..., 0], expected.mean(1), atol=1e-12)
    errors = (expected.std(1) / 20**0.5).square().mean(0).sqrt()
    np.testing.assert_allclose(got.background_std_errors[:, 0], errors, atol=1e-12)
    assert got.std_errors is None


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks:UserWarning")
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_equals_captum_on_logits(activation):
    from captum.attr import DeepLiftShap

    table = tiny_table(d=5, task="multiclass", missing=True)
    model = tiny_model(table, activation=activation, dropout=0.2)
    rows, background = table[30:34], table[:7]
    got = explained(model, rows, background, output="score")
    z, b = (model.encode(part.X).requires_grad_() for part in (rows, background))
    for target in range(3):
        columns = DeepLiftShap(model.network).attribute(z, b, target=target).detach()
        expected = torch.zeros(4, 5, dtype=torch.float64).index_add_(1, model.groups, columns)
        np.testing.assert_allclose(got.values[..., target], expected, atol=1e-9)


def graph(n_inputs, n_outputs):
    """A ReLU layer used twice, in a residual connection, a function, a product and a slice."""

    def step(name, op, target, *sources, **more):
        args = [{"node": source} for source in sources]
        return {"name": name, "op": op, "target": target, "args": args} | more

    def linear(name, source, n_in, n_out):
        settings = {"in_features": n_in, "out_features": n_out}
        return step(name, "layer", "Linear", source, path=name, settings=settings)

    return [
        {"name": "x", "op": "input"},
        linear("a", "x", n_inputs, 8),
        step("b", "layer", "ReLU", "a", path="act"),
        linear("c", "b", 8, 8),
        step("d", "function", "add", "c", "b"),
        step("e", "layer", "ReLU", "d", path="act"),
        step("f", "function", "gelu", "d"),
        step("g", "function", "mul", "e", "f"),
        {"name": "h", "op": "function", "target": "cat",
         "args": [{"list": [{"node": "g"}, {"node": "e"}]}], "kwargs": {"dim": 1}},
        linear("i", "h", 16, n_outputs),
    ]  # fmt: skip


NETWORKS = [
    *(("mlp", {"activation": name}) for name in ("relu", "gelu", "tanh", "silu")),
    ("tabular-resnet", {"width": 8, "hidden": 12, "dropout": 0.3}),
    ("graph", {}),
]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(("network", "arguments"), NETWORKS, ids=str)
def test_adds_up_on_every_network(network, arguments, task):
    table = tiny_table(d=5, task=task, missing=True)
    if network == "graph":
        sizes = len(tiny_model(table).groups), len(table.schema.output_names)
        arguments = {"nodes": graph(*sizes)}
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        model = tiny_model(table, network=network, dtype=dtype, **arguments)
        for output in ("probability", "score"):
            got = explained(model, table[30:36], table[:8], output=output)
            moved = np.abs(got.predictions - got.base_values).max()
            assert np.abs(got.gap).max() < tolerance * moved
            notes = got.provenance.notes
            assert notes[0].startswith("attributions add up: the largest gap is")
            softmax = task != "regression" and output == "probability"
            named = "slopes averaged between both rows for: softmax"
            assert notes[1:] == ((named,) if softmax else ())


def test_is_close_to_the_exact_values():
    table = tiny_table(d=7)
    model = tiny_model(table, scale=1.0)
    exact = shapley.explain(model, table[30:50], table[:10], method="exact")
    got = explained(model, table[30:50], table[:10])
    error = np.sqrt(((got.values - exact.values) ** 2).mean())
    assert error < 0.2 * np.sqrt((exact.values**2).mean())


@pytest.mark.parametrize("chunk_rows", [5, 24, 30])
def test_chunks_make_no_difference(chunk_rows):
    """Also where a chunk is smaller than the background, or holds several rows and a rest."""
    table = tiny_table(d=5, task="multiclass", missing=True)
    model = tiny_model(table)
    method = METHODS[NAME]
    one, two = (
        method.explain(model, table[30:35], table[:12], method.params(), Context(chunk_rows=rows))
        for rows in (chunk_rows, None)
    )
    np.testing.assert_allclose(one.values, two.values, atol=1e-13)


def test_the_background_is_recorded_once_for_chunks_of_one_size():
    table = tiny_table(d=5)
    model = tiny_model(table)
    method = METHODS[NAME]
    rows, background, n, b = table[30:50], table[:12], 20, 12
    context = Context(chunk_rows=24)
    got = method.explain(model, rows, background, method.params(), context)
    assert got.provenance.evaluations == n * b * 2 + 24 + n + b


def test_a_row_of_the_background_against_itself_is_no_division():
    table = tiny_table(d=5, missing=True)
    model = tiny_model(table)
    got = explained(model, table[:3], table[:3])
    assert np.isfinite(got.values).all()
    assert np.abs(explained(model, table[:1], table[:1]).values).max() == 0
