"""Expected gradients: how it samples, whether it is unbiased, and what its errors are worth."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.counter_rng import stream
from workbench.core.method import METHODS
from workbench.engines import shapley
from workbench.engines.shapley.expected_gradients import NAME, REPEATS, draw


@given(st.integers(2, 60), st.integers(1, 25))
def test_each_repetition_is_spread_evenly(per_repeat, n_background):
    rows, places = draw(stream(0, per_repeat), per_repeat, n_background)
    assert rows.shape == places.shape == (REPEATS, per_repeat)
    for own, where in zip(rows, places, strict=True):
        counts = np.bincount(own, minlength=n_background)
        assert counts.max() - counts.min() <= 1
        assert sorted((where * per_repeat).astype(int)) == list(range(per_repeat))


def test_background_row_and_place_are_independent_and_uniform():
    drawn = [draw(stream(seed), 6, 4) for seed in range(600)]
    rows = np.concatenate([own[0] for own, _ in drawn])
    places = np.concatenate([where[0] for _, where in drawn])
    table = np.histogram2d(rows, places, bins=[np.arange(5) - 0.5, np.linspace(0, 1, 7)])[0]
    expected = len(rows) / 24
    assert ((table - expected) ** 2 / expected).sum() < 15 + 5 * np.sqrt(30)
    within = places * 6 % 1
    assert abs(within.mean() - 0.5) < 4 * (1 / 12 / len(within)) ** 0.5


def test_a_linear_model_is_exact_where_each_background_row_is_seen():
    table = tiny_table(d=6, task="regression")
    model = tiny_model(table, network="linear")
    rows, background = table[30:36], table[:20]
    got = shapley.explain(model, rows, background, method=NAME, samples=20 * REPEATS)
    change = model.encode(rows.X) - model.encode(background.X).mean(0)
    expected = torch.zeros(6, 6, dtype=torch.float64)
    expected.index_add_(1, model.groups, model.network.first.weight[0] * change)
    np.testing.assert_allclose(got.values[..., 0], expected, atol=1e-12)
    assert got.std_errors.max() < 1e-12
    assert np.abs(got.gap).max() < 1e-12


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_is_unbiased_and_knows_its_error(task):
    """Against integrated gradients: 300 copies of a row under ids, thus draws, of their own."""
    table = tiny_table(d=5, task=task)
    model = tiny_model(table)
    row, background, n = table[30:31], table[:10], 300
    truth = shapley.explain(
        model, row, background, method="integrated-gradients", n_steps=500
    ).values[0]
    copies = replace(table, X=row.X.repeat(n, 1), ids=torch.arange(n), y=row.y.repeat(n))
    got = shapley.explain(model, copies, background, method=NAME, samples=40)
    spread = got.values.std(0, ddof=1)
    assert (spread > 1e-6).all()
    assert (np.abs(got.values.mean(0) - truth) < 4 * spread / n**0.5 + 2e-4).all()
    claimed = np.sqrt((got.std_errors**2).mean(0))
    assert 0.85 < (claimed / spread).mean() < 1.15
    assert 0.9 <= (np.abs(got.values - truth) <= got.half_widths()).mean() <= 0.98
    assert got.dof == REPEATS - 1


def test_agrees_with_captum_within_the_sampling_error():
    from captum.attr import GradientShap

    table = tiny_table(d=5, missing=True)
    model = tiny_model(table)
    rows, background = table[30:33], table[:12]
    got = shapley.explain(model, rows, background, method=NAME, samples=4000)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = np.random.get_state()  # noqa: NPY002 - captum draws from the global generator
        np.random.seed(0)  # noqa: NPY002
        columns = GradientShap(lambda x: model.network(x).softmax(-1)).attribute(
            model.encode(rows.X), model.encode(background.X), n_samples=20_000, target=1
        )
        np.random.set_state(state)  # noqa: NPY002
    expected = torch.zeros(3, 5, dtype=torch.float64).index_add_(1, model.groups, columns.detach())
    np.testing.assert_allclose(got.values[..., 1], expected, atol=0.01)
    assert np.abs(got.values).max() > 0.1


def test_a_row_alone_gets_the_same_numbers():
    table = tiny_table(d=5, missing=True)
    model = tiny_model(table)
    together = shapley.explain(model, table[30:40], table[:12], method=NAME)
    alone = shapley.explain(model, table[33:34], table[:12], method=NAME)
    np.testing.assert_allclose(together[3].values, alone.values, atol=1e-13)
    assert together.provenance.notes[0].startswith("attributions miss the distance")


def test_shows_what_is_known_so_far():
    table = tiny_table(d=5)
    model = tiny_model(table)
    seen = []
    context = Context(preview=lambda make: seen.append(make()))
    method = METHODS[NAME]
    final = method.explain(model, table[30:34], table[:12], method.params(), context)
    assert [result.dof for result in seen] == [1, 4, 9]
    assert all("not finished yet" in result.provenance.notes[-1] for result in seen)
    np.testing.assert_array_equal(seen[-1].values, final.values)
    assert seen[0].half_widths().mean() > 2 * final.half_widths().mean()
