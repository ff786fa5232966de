"""Integrated gradients against closed forms, captum, and its promises of memory and chunks."""

import numpy as np
import pytest
import torch

from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS
from workbench.engines import shapley
from workbench.engines.shapley.integrated_gradients import NAME
from workbench.numerics.differentiated import Differentiated


def explained(model, rows, background, **settings):
    return shapley.explain(model, rows, background, method=NAME, **settings)


def linear_case(n_background=20):
    table = tiny_table(d=6, task="regression", missing=True)
    model = tiny_model(table, network="linear")
    rows, background = table[30:36], table[:n_background]
    weights = model.network.first.weight  # (1, p)
    z, b = model.encode(rows.X), model.encode(background.X)
    by_pair = weights[0] * (z[:, None] - b[None])  # (n, b, p)
    values = torch.zeros(*by_pair.shape[:2], 6, dtype=torch.float64)
    return model, rows, background, values.index_add_(2, model.groups, by_pair)


def test_a_linear_model_is_exact_with_two_points():
    model, rows, background, by_pair = linear_case()
    got = explained(model, rows, background, n_steps=2)
    np.testing.assert_allclose(got.values[..., 0], by_pair.mean(1), atol=1e-12)
    assert np.abs(got.gap).max() < 1e-12
    errors = (by_pair.std(1) / 20**0.5).square().mean(0).sqrt()
    np.testing.assert_allclose(got.background_std_errors[:, 0], errors, atol=1e-12)
    assert got.background_dof == 19
    assert got.std_errors.max() < 1e-14
    assert got.unit == ""


@pytest.mark.parametrize("output", ["probability", "score"])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_equals_captum(task, output):
    from captum.attr import IntegratedGradients

    table = tiny_table(d=5, task=task, missing=True)
    model = tiny_model(table)
    rows, background = table[30:34], table[:6]
    got = explained(model, rows, background, output=output, n_steps=9)
    z, b = model.encode(rows.X), model.encode(background.X)
    peer = IntegratedGradients(lambda x: model.outputs(model.network(x), output))
    for target in range(len(model.output_names)):
        columns = peer.attribute(
            z.repeat_interleave(6, 0), b.repeat(4, 1), target=target, n_steps=9
        )  # fmt: skip
        mean = columns.unflatten(0, (4, 6)).mean(1)
        expected = torch.zeros(4, 5, dtype=torch.float64).index_add_(1, model.groups, mean)
        np.testing.assert_allclose(got.values[..., target], expected, atol=1e-8)
    base = model.predict(background.X) if output == "probability" else model.scores(background.X)
    np.testing.assert_allclose(got.base_values[0], base.mean(0))
    np.testing.assert_allclose(got.base_std_errors, base.std(0) / 6**0.5)


def test_from_the_mean_of_the_background():
    table = tiny_table(d=5)
    model = tiny_model(table, activation="tanh")
    rows, background = table[30:34], table[:9]
    got = explained(model, rows, background, baseline="mean", n_steps=100)
    mean = model.encode(background.X).mean(0, keepdim=True)
    np.testing.assert_allclose(got.base_values[:1], model.network(mean).softmax(-1))
    assert np.abs(got.gap).max() < 1e-9
    assert got.background_std_errors is None
    assert (got.base_std_errors == 0).all()


def test_more_points_close_the_gap():
    table = tiny_table(d=7, task="multiclass")
    for activation, smallest in (("relu", 1e-2), ("gelu", 1e-6)):
        model = tiny_model(table, activation=activation)
        few, many = (
            explained(model, table[30:40], table[:10], n_steps=n_steps) for n_steps in (3, 60)
        )
        assert np.abs(many.gap).max() < min(smallest, np.abs(few.gap).max() / 5)
    assert few.provenance.notes[0].startswith("attributions miss the distance from base value to")
    assert many.provenance.notes == (
        f"attributions add up: the largest gap is {np.abs(many.gap).max():.1e}",
    )


@pytest.mark.parametrize("chunk_rows", [3, 7, 100])
def test_chunks_make_no_difference(chunk_rows):
    table = tiny_table(d=5, missing=True)
    model = tiny_model(table)
    params = METHODS[NAME].params(n_steps=10)
    one, two = (
        METHODS[NAME].explain(model, table[30:34], table[:12], params, Context(chunk_rows=rows))
        for rows in (chunk_rows, None)
    )
    np.testing.assert_allclose(one.values, two.values, atol=1e-13)
    assert one.provenance.chunk_rows == chunk_rows
    assert one.provenance.evaluations == two.provenance.evaluations


class Narrow(Differentiated):
    """A device that runs out of memory above so many rows."""

    room = 16

    def forward(self, inputs):
        if len(inputs) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(inputs)


def test_goes_on_with_less_where_memory_runs_out(monkeypatch):
    table = tiny_table(d=5)
    model = tiny_model(table)
    whole = explained(model, table[30:34], table[:12])
    monkeypatch.setattr("workbench.engines.shapley.gradients.Differentiated", Narrow)
    narrow = explained(model, table[30:34], table[:12])
    np.testing.assert_allclose(narrow.values, whole.values, atol=1e-13)
    assert 8 <= narrow.provenance.chunk_rows <= 16
    monkeypatch.setattr(Narrow, "room", 0)
    with pytest.raises(InvalidInputError, match="cpu has too little memory for the slopes of a"):
        explained(model, table[30:34], table[:12])


@pytest.mark.parametrize("which", ["rows", "background"])
def test_refuses_what_the_model_has_no_answer_for(which):
    table = tiny_table(d=5)
    model = tiny_model(table)
    parts = {"rows": table[30:34], "background": table[:12]}
    parts[which].X[1, 0] = float("inf")
    with pytest.raises(InvalidInputError, match="tiny@1 returns no finite number for row "):
        explained(model, parts["rows"], parts["background"])


@pytest.mark.parametrize("baseline", ["rows", "mean"])
def test_knows_how_far_kinks_put_it_off(baseline):
    """Against 300 points: intervals cover the values, and errors are of their size."""
    table = tiny_table(n=100, d=6, task="multiclass")
    model = tiny_model(table)
    rows, background = table[30:90], table[:4]
    got, truth = (
        explained(model, rows, background, baseline=baseline, n_steps=n) for n in (12, 300)
    )
    off = np.abs(got.values - truth.values)
    assert got.dof == 4
    assert 0.92 <= (off <= got.half_widths()).mean() <= 0.99
    size = np.sqrt((off**2).mean())
    assert size > 1e-5
    assert 0.8 < np.sqrt((got.std_errors**2).mean()) / size < 1.5
    assert "points on the paths" in got.sources_of_error


def test_a_smooth_network_is_known_to_be_nearly_exact():
    table = tiny_table(d=5)
    model = tiny_model(table, activation="tanh")
    got, truth = (explained(model, table[30:34], table[:9], n_steps=n) for n in (24, 400))
    assert np.abs(got.values - truth.values).max() < 1e-7
    assert got.std_errors.max() < 1e-4
