"""Curves against scikit-learn, areas and their spread against their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from workbench.engines.performance import curves
from workbench.numerics.intervals import area_interval


def ranked(n, seed, *, digits=2, weighted=False):
    random = np.random.default_rng(seed)
    y = random.random(n) < 0.4
    y[:2] = True, False
    scores = (random.normal(size=n) + y).round(digits)
    weights = random.uniform(0.1, 3, n) if weighted else np.ones(n)
    return curves.rank(scores, y, weights), scores, y, weights


@given(st.integers(4, 60), st.integers(0, 10**6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_areas_equal_scikit_learn(n, seed, weighted):
    ranking, scores, y, w = ranked(n, seed, digits=1, weighted=weighted)
    area, _ = curves.placements(ranking, y)
    assert area == pytest.approx(metrics.roc_auc_score(y, scores, sample_weight=w))
    assert curves.average_precision(ranking) == pytest.approx(
        metrics.average_precision_score(y, scores, sample_weight=w)
    )
    points = curves.roc_curve(ranking)
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(area)


def test_short_curves_are_those_of_scikit_learn():
    ranking, scores, y, w = ranked(300, 1, weighted=True)
    found = metrics.roc_curve(y, scores, sample_weight=w, drop_intermediate=False)
    ours, every = curves.roc_curve(ranking), np.stack(found, axis=1)
    assert distance(every[:, :2], ours[:, :2]) < 1e-9
    for point in ours[1:]:
        assert np.abs(every[1:] - point).sum(1).min() < 1e-9, "not a point of the curve"
    precision, recall, limits = metrics.precision_recall_curve(y, scores, sample_weight=w)
    ours = curves.pr_curve(ranking)
    np.testing.assert_allclose(ours[:, 0], recall[:-1][::-1])
    np.testing.assert_allclose(ours[:, 1], precision[:-1][::-1])
    np.testing.assert_allclose(ours[:, 2], limits[::-1])


def distance(points, line):
    """Largest distance of any point from a line through other points."""
    starts, ends = line[:-1], line[1:]
    worst = 0.0
    for part in np.array_split(points, 50):
        along = ends - starts
        length = np.maximum((along**2).sum(1), 1e-30)
        t = (((part[:, None] - starts) * along).sum(2) / length).clip(0, 1)
        nearest = starts + t[..., None] * along
        worst = max(worst, np.sqrt(((part[:, None] - nearest) ** 2).sum(2)).min(1).max())
    return worst


@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("digits", [1, 12])
def test_long_curves_keep_their_shape(shift, digits):
    random = np.random.default_rng(0)
    y = random.random(5000) < 0.5
    scores = (random.normal(size=5000) + shift * y).round(digits)
    ranking = curves.rank(scores, y, np.ones(5000))
    reduced = curves.roc_curve(ranking)
    across, up, _ = metrics.roc_curve(y, scores, drop_intermediate=False)
    assert len(reduced) <= 512
    assert distance(np.stack([across, up], axis=1), reduced[:, :2]) < 0.003
    assert (np.diff(reduced[:, :2], axis=0) >= 0).all()
    np.testing.assert_array_equal(reduced[[0, -1], :2], [[0, 0], [1, 1]])
    points = curves.pr_curve(ranking)
    precision, recall, _ = metrics.precision_recall_curve(y, scores)
    assert len(points) <= 512
    for column in range(128):
        inside = np.minimum(recall[:-1] * 128, 127).astype(int) == column
        ours = np.minimum(points[:, 0] * 128, 127).astype(int) == column
        if inside.any():
            assert points[ours, 1].max() == pytest.approx(precision[:-1][inside].max())
            assert points[ours, 1].min() == pytest.approx(precision[:-1][inside].min())


def test_the_worst_staircase_keeps_its_shape():
    """Positive and negative rows in turn: every point of the curve is a corner."""
    y = np.arange(4000) % 2 == 0
    ranking = curves.rank(-np.arange(4000.0), y, np.ones(4000))
    reduced = curves.roc_curve(ranking)
    across, up, _ = metrics.roc_curve(y, -np.arange(4000.0), drop_intermediate=False)
    assert len(reduced) <= 512
    assert distance(np.stack([across, up], axis=1), reduced[:, :2]) < 0.003


def test_variance_of_an_area_is_that_of_delong():
    _, scores, y, w = ranked(40, 3)
    ranking = curves.rank(scores, y, w)
    positive, negative = scores[y], scores[~y]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    expected = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    area, shares = curves.placements(ranking, y)
    influence = curves.area_influence(area, shares, y, w)
    assert area == pytest.approx(wins.mean())
    assert np.square(influence).sum() == pytest.approx(expected)


def test_an_area_without_spread_has_a_score_interval():
    y = np.arange(20) >= 8
    area, shares = curves.placements(curves.rank(np.arange(20.0), y, np.ones(20)), y)
    influence = curves.area_influence(area, shares, y, np.ones(20))
    assert area == 1
    (low, high), how = curves.area_bounds(
        area, float(np.square(influence).sum()), y, np.ones(20), 0.95
    )
    assert how == "Newcombe"
    assert 0.7 < low < 0.95
    assert high == 1
    assert curves.area_influence(area, shares, y, (np.arange(20) > 6).astype(float)) is None


@pytest.mark.parametrize("area", [0.0, 0.3, 0.5, 0.97, 1.0])
def test_bounds_of_the_score_interval_solve_its_equation(area):
    m, n, z = 12.0, 30.0, 1.959964
    low, high = area_interval(area, m, n)
    assert low <= area <= high
    s = (m + n) / 2 - 1
    for bound in {low, high} - {0.0, 1.0}:
        variance = bound * (1 - bound) * (
            1 + s * (1 - bound) / (2 - bound) + s * bound / (1 + bound)
        ) / (m * n)  # fmt: skip
        assert abs(area - bound) == pytest.approx(z * math.sqrt(variance), rel=1e-5)
    assert area_interval(1 - area, m, n) == pytest.approx((1 - high, 1 - low))
