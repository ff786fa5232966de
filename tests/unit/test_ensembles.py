"""Disagreement of sets of models, and intervals of its means, against slow replicas."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.numerics.ensembles import (
    among,
    around,
    churn_resampled,
    order_stability,
    resampled,
    with_interval,
)

shapes = st.tuples(st.integers(2, 6), st.integers(1, 8), st.integers(2, 4), st.integers(0, 99))


def scores_of(shape):
    m, n, k, seed = shape
    return np.random.default_rng(seed).dirichlet(np.ones(k), (m, n))


@given(shapes)
@settings(max_examples=50, deadline=None)
def test_among_counts_pairs_that_differ(shape):
    scores = scores_of(shape)
    differs, pair, width = among(scores, 1)
    chosen = scores.argmax(2)
    for i in range(shape[1]):
        pairs = [a != b for a, b in itertools.combinations(chosen[:, i], 2)]
        assert pair[i] == pytest.approx(np.mean(pairs))
        assert differs[i] == any(pairs)
        own = scores[:, i, 1]
        assert width[i] == pytest.approx(own.max() - own.min())


@given(shapes)
@settings(max_examples=50, deadline=None)
def test_around_counts_models_that_differ_from_the_one_in_use(shape):
    scores = scores_of(shape)
    base, others = scores[0], scores[1:]
    differs, share, width = around(base, others, 0)
    for i in range(shape[1]):
        flips = [other[i].argmax() != base[i].argmax() for other in others]
        assert share[i] == pytest.approx(np.mean(flips))
        assert differs[i] == any(flips)
        assert width[i] == pytest.approx(np.ptp(scores[:, i, 0]))


def test_a_regression_has_a_width_alone():
    values = np.arange(12.0).reshape(4, 3, 1)
    for found in (among(values, 0), around(values[0], values[1:], 0)):
        assert np.isnan(found[:2]).all()
        np.testing.assert_allclose(found[2], 9.0)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Sets and rows both vary: means of a two-way layout, 200 times over."""
    held = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        values = random.normal(size=(20, 1)) * 0.5 + random.normal(size=(1, 60)) + 3.0
        rows = random.integers(0, 60, (200, 60))
        again = resampled(values, np.mean, rows, random)
        _, low, high = with_interval(float(values.mean()), again)
        held += low <= 3.0 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_churn_is_resampled_over_models_and_rows():
    random = np.random.default_rng(0)
    flips = (random.random((50, 80)) < 0.2).astype(float)
    again = churn_resampled(flips, random)
    assert again.mean() == pytest.approx(flips.mean(), abs=0.01)
    models = flips.mean(1).var(ddof=1) / 50 + flips.mean(0).var(ddof=1) / 80
    assert again.std() == pytest.approx(np.sqrt(models), rel=0.25)


def test_an_unknown_number_has_no_interval():
    assert all(np.isnan(with_interval(np.nan, np.ones(3))))
    assert with_interval(0.5, np.array([0.6, 0.7])) == pytest.approx((0.5, 0.5, 0.6975))


def test_an_order_that_nothing_changes_is_stable():
    random = np.random.default_rng(0)
    apart = np.arange(6.0)[:, None] + 0.01 * random.random((6, 40))
    alike = random.random((6, 40))
    rows = random.integers(0, 40, (50, 40))
    np.testing.assert_allclose(order_stability(apart, np.mean, rows), 1.0)
    mean, low, high = order_stability(alike, np.mean, rows)
    taus = [stats.kendalltau(alike.mean(1), alike[:, chosen].mean(1)).statistic for chosen in rows]
    assert mean == pytest.approx(np.mean(taus))
    assert low < mean < high < 1
    assert np.isnan(order_stability(alike[:2], np.mean, rows)).all()
    assert np.isnan(order_stability(np.ones((5, 9)), np.mean, rows[:, :9] % 9)).all()
