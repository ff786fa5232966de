"""Evenly spread points: what they are distributed like, and what mirrors do."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import ndtri
from torch.quasirandom import SobolEngine

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.context import Context
from workbench.engines.lime.params import LimeParams
from workbench.engines.lime.points import Axes, find_axes, uniform
from workbench.engines.lime.sampler import make_sampler


def turned(leading=1, seed=0):
    numbers = np.array([0, 2, 3])
    normal = np.random.default_rng(seed).normal(size=(3, 3))
    return Axes(numbers, np.linalg.qr(normal)[0], leading)


def sequence(d=5, seed=0):
    return SobolEngine(d, scramble=True, seed=seed)


@pytest.mark.parametrize("axes", [None, turned()])
def test_points_are_uniform_and_independent(axes):
    u = np.concatenate([uniform(sequence(seed=seed), 200, axes) for seed in range(40)])
    assert all(stats.kstest(column, "uniform").pvalue > 1e-3 for column in u.T)
    pairs = [stats.spearmanr(u[:, i], u[:, j]).statistic for i in range(5) for j in range(i)]
    np.testing.assert_allclose(pairs, 0, atol=0.03)
    squares = np.corrcoef(ndtri(u).T ** 2)
    np.testing.assert_allclose(squares, np.eye(5), atol=0.05)


def test_points_are_mirrored_in_all_but_the_leading_directions():
    axes = turned()
    normal = ndtri(uniform(sequence(), 100, axes))
    along = normal[:, axes.numbers] @ axes.turn
    one, other = along[::2], along[1::2]
    np.testing.assert_allclose(one[:, 0], other[:, 0], atol=1e-9)
    np.testing.assert_allclose(one[:, 1:], -other[:, 1:], atol=1e-9)
    np.testing.assert_allclose(normal[::2, [1, 4]], -normal[1::2, [1, 4]], atol=1e-9)
    assert len(uniform(sequence(), 7, axes)) == 7


def test_the_first_direction_is_that_of_the_answers():
    u = uniform(sequence(), 2000, None)
    slope = np.array([0.5, 9.0, -2.0, 1.0, 0.0])
    up = np.tanh(ndtri(u) @ slope)[:, None]
    found = find_axes(u, np.concatenate([1 - up, up], 1), np.array([0, 2, 3]))
    wanted = slope[[0, 2, 3]] / np.linalg.norm(slope[[0, 2, 3]])
    assert abs(found.turn[:, 0] @ wanted) > 0.95
    np.testing.assert_allclose(found.turn.T @ found.turn, np.eye(3), atol=1e-12)
    assert found.leading == 1
    nearly = np.concatenate([1 - up, up * (1 + 1e-12)], 1)
    again = find_axes(u, nearly, np.array([0, 2, 3]))
    np.testing.assert_allclose(again.turn, found.turn, atol=1e-9)
    assert find_axes(u, np.zeros((2000, 3)), np.array([0, 2, 3])).leading == 2


def test_what_the_answers_do_not_depend_on_gets_nothing():
    """A model of one direction: without mirrors other directions get noise."""
    table = tiny_table(n=300, d=6, task="regression", categorical=False)
    model = tiny_model(table, hidden=(1,))
    result = api.lime(
        model, table[:3], table, sampling="around", selection="none", perturbations=1000
    )
    slope = model.network.first.weight[0].numpy() / model.encoder.scale.numpy()
    slope *= table.X.numpy().std(0)
    for found in result.coefficients[:, :, 0]:
        along = (found @ slope) / (slope @ slope) * slope
        np.testing.assert_allclose(found, along, atol=5e-3 * np.abs(along).max())


@pytest.mark.parametrize(
    ("settings", "d", "categorical", "size"),
    [
        ({"sampling": "discretised"}, 5, True, 0), ({"sampling": "around"}, 2, True, 0),
        ({"sampling": "around"}, 5, True, 1000), ({"sampling": "mean-centred"}, 3, False, 1000),
        ({"sampling": "around", "perturbations": 120}, 5, True, 24),
    ],
)  # fmt: skip
def test_directions_are_looked_for_where_there_are_several(settings, d, categorical, size):
    table = tiny_table(d=d, categorical=categorical)
    sampler = make_sampler(tiny_model(table), table, table, LimeParams(**settings), Context())
    assert sampler.evaluations == size
    assert (sampler.axes is None) == (size == 0)
    assert torch.isfinite(sampler.draws(0).steps).all()
