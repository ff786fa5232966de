"""Intervals of the greatest gap, of quantiles, and the rows that a margin takes."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from workbench.numerics.paired_shares import greatest_gap, quantile_bounds, rows_needed


@pytest.mark.parametrize("shares", [(0.4, 0.4), (0.25, 0.05), (0.1, 0.1), (0.02, 0.0)])
@pytest.mark.parametrize("n", [30, 300])
def test_the_gap_of_two_columns_is_covered(shares, n):
    only_first, only_second = shares
    rng, covered = np.random.default_rng(n), 0
    for _ in range(500):
        u = rng.random(n)
        held = np.stack([u < only_first, (u >= only_first) & (u < only_first + only_second)], 1)
        _, low, high = greatest_gap(held)
        covered += low <= abs(only_first - only_second) <= high
    assert covered >= 0.93 * 500


def test_the_greatest_of_many_gaps_is_covered_though_none_was_named():
    rng, covered = np.random.default_rng(0), 0
    for _ in range(300):  # ten columns of one share each: no gap at all
        _, low, high = greatest_gap(rng.random((200, 10)) < 0.3)
        covered += low <= 0.0 <= high
    assert covered >= 0.95 * 300


def test_value_and_degenerate_columns():
    held = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=bool)
    value, low, high = greatest_gap(held)
    assert value == 0.5
    assert low < 0.5 < high
    none = greatest_gap(np.zeros((100, 3), dtype=bool))
    assert none[0] == none[1] == 0.0
    assert none[2] > 0.03
    assert np.isnan(greatest_gap(held[:, :1])).all()


@pytest.mark.parametrize("margin", [0.2, 0.1])
def test_rows_needed_are_enough_whatever_is_found(margin):
    def widest(n):
        ends = [stats.binomtest(k, n).proportion_ci(0.95) for k in range(n + 1)]
        return max(max(k / n - e.low, e.high - k / n) for k, e in enumerate(ends))

    n = rows_needed(margin)
    assert widest(n) <= margin
    assert widest(int(0.93 * n)) > margin


@pytest.mark.parametrize(("n", "share"), list(product((40, 200), (0.5, 0.9))))
def test_quantiles_are_covered_whatever_the_values_are(n, share):
    rng, covered = np.random.default_rng(1), 0
    truth = np.expm1(share**3)
    for _ in range(500):
        _, low, high = quantile_bounds(np.expm1(rng.random(n) ** 3), share)
        covered += low <= truth and (np.isnan(high) or truth <= high)
    assert covered >= 0.93 * 500
    assert np.isnan(quantile_bounds(np.array([0.1, 0.2]), 0.5)[1:]).all()
    assert np.isnan(quantile_bounds(np.zeros(0), 0.5)).all()
