"""Intervals of shares against exact enumeration, other packages and simulation."""

import numpy as np
import pytest
from scipy import stats

from workbench.numerics.count_bootstrap import bca_bounds, reassigned, resampled, without_one
from workbench.numerics.intervals import wilson
from workbench.numerics.pooling import pooled_rates
from workbench.numerics.rates import (
    exact_bounds,
    jeffreys_bounds,
    mover_difference,
    mover_ratio,
    wilson_bounds,
    with_bounds,
)

SIZES, SHARES = (5, 10, 30, 100), (0.05, 0.3, 0.5)


def coverage(bounds, n, p):
    """How often the interval holds the true share, summed over all outcomes."""
    k = np.arange(n + 1)
    low, high = bounds(k, np.full(n + 1, n))
    return float(stats.binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum())


def wald(k, n):
    half = 1.959963984540054 * np.sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("p", SHARES)
def test_intervals_of_shares_cover_as_often_as_they_say(n, p):
    assert 0.90 <= coverage(wilson_bounds, n, p) <= 0.995
    assert 0.90 <= coverage(jeffreys_bounds, n, p) <= 0.995
    assert coverage(exact_bounds, n, p) >= 0.95


def test_the_textbook_interval_does_not():
    assert min(coverage(wald, n, p) for n in SIZES for p in SHARES) < 0.3


def test_equal_those_of_scipy_for_every_count():
    n = 17
    for k in range(n + 1):
        exact = stats.binomtest(k, n).proportion_ci(method="exact")
        score = stats.binomtest(k, n).proportion_ci(method="wilson")
        np.testing.assert_allclose(exact_bounds(k, n), exact, atol=1e-12)
        np.testing.assert_allclose(wilson_bounds(k, n), score, atol=1e-12)
        np.testing.assert_allclose(wilson_bounds(k, n), wilson(k, n), atol=1e-12)
        low, high = jeffreys_bounds(k, n)
        assert low == (0 if k == 0 else pytest.approx(stats.beta.ppf(0.025, k + 0.5, n - k + 0.5)))
        assert high == (1 if k == n else pytest.approx(stats.beta.ppf(0.975, k + 0.5, n - k + 0.5)))


@pytest.mark.parametrize("bounds", [wilson_bounds, jeffreys_bounds, exact_bounds])
def test_nothing_is_known_of_nobody_and_ends_are_held(bounds):
    low, high = bounds(np.array([0.0, 0.0, 8.0]), np.array([0.0, 8.0, 8.0]))
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[2]) == (0.0, 1.0)
    assert 0 < high[1] < 1
    assert 0 < low[2] < 1


def two(n, m):
    """Intervals of all pairs of counts, axes (n + 1, m + 1)."""
    k, j = np.meshgrid(np.arange(n + 1), np.arange(m + 1), indexing="ij")
    return (
        with_bounds(k / n, wilson_bounds(k, np.full(k.shape, n))),
        with_bounds(j / m, wilson_bounds(j, np.full(j.shape, m))),
    )


@pytest.mark.parametrize(
    ("n", "p", "m", "q"), [(10, 0.5, 10, 0.3), (30, 0.3, 10, 0.05), (100, 0.05, 30, 0.3)]
)
def test_differences_and_ratios_cover_by_exact_enumeration(n, p, m, q):
    one, other = two(n, m)
    chance = np.outer(stats.binom.pmf(range(n + 1), n, p), stats.binom.pmf(range(m + 1), m, q))
    _, low, high = np.moveaxis(mover_difference(one, other), -1, 0)
    assert chance[(low <= p - q) & (p - q <= high)].sum() >= 0.93
    value, low, high = np.moveaxis(mover_ratio(one, other), -1, 0)
    known = np.isfinite(value)
    missed = chance[
        known & ((p / q < low) | (high < p / q))
    ].sum()  # an undefined one claims nothing
    assert missed <= 0.07


def test_newcombes_worked_example_of_a_difference():
    # Newcombe (1998), table II, case a, method 10: 56/70 against 48/80.
    parts = [with_bounds(np.array(k / n), wilson_bounds(k, n)) for k, n in ((56, 70), (48, 80))]
    np.testing.assert_allclose(mover_difference(*parts), [0.2, 0.0524, 0.3339], atol=5e-5)


def test_a_ratio_to_none_is_undefined_and_of_none_is_not():
    none, some = (with_bounds(np.array(k / 9), wilson_bounds(k, 9)) for k in (0, 3))
    assert np.isnan(mover_ratio(some, none)).all()
    value, low, high = mover_ratio(none, some)
    assert (value, low) == (0.0, 0.0)
    assert 0 < high < np.inf
    np.testing.assert_allclose(mover_ratio(some, some)[0], 1.0)


def rounds(draw):
    return [draw(np.random.default_rng(seed)) for seed in range(150)]


def test_pooled_rates_cover_err_less_and_know_their_limits():
    def once(rng):
        truth = rng.beta(6, 14, 8)
        n = rng.integers(5, 80, 8).astype(float)
        k = rng.binomial(n.astype(int), truth).astype(float)
        found = pooled_rates(k, n)
        covered = (found[:, 1] <= truth) & (truth <= found[:, 2])
        return covered.mean(), ((found[:, 0] - truth) ** 2).mean(), ((k / n - truth) ** 2).mean()

    covered, pooled, raw = np.mean(rounds(once), 0)
    assert covered > 0.9
    assert pooled < 0.85 * raw
    many = pooled_rates(np.array([300_000.0, 500_000.0]), np.array([1e6, 1e6]))
    np.testing.assert_allclose(many[:, 0], [0.3, 0.5], atol=1e-4)
    alike = pooled_rates(np.array([30.0, 30.0, 0.0]), np.array([100.0, 100.0, 0.0]))
    np.testing.assert_allclose(alike[:2, 0], 0.3, atol=0.005)
    assert alike[0, 2] - alike[0, 1] < np.diff(wilson_bounds(30, 100), axis=0)[0]
    assert np.isnan(alike[2]).all()


def test_resampled_groups_keep_their_sizes_and_vary_as_rows_do():
    counts = np.array([[3.0, 7.0], [0.0, 0.0], [40.0, 10.0]])
    drawn = resampled(counts, 4000, np.random.default_rng(0))
    assert (drawn.sum(-1) == [10, 0, 50]).all()
    np.testing.assert_allclose(drawn.mean(0), counts, atol=0.15)
    np.testing.assert_allclose(drawn[:, 0, 0].var(), 10 * 0.3 * 0.7, rtol=0.1)


def test_dealing_keeps_totals_and_is_a_permutation_of_rows():
    counts = np.array([[4, 1, 2], [0, 0, 0], [6, 5, 3]])
    dealt = reassigned(counts, 6000, np.random.default_rng(0))
    assert (dealt.sum(1) == counts.sum(0)).all()
    assert (dealt.sum(2) == counts.sum(1)).all()
    rng = np.random.default_rng(1)
    cells = np.repeat(np.arange(3), counts.sum(0))
    permuted = np.array([np.bincount(rng.permutation(cells)[:7], minlength=3) for _ in range(6000)])
    for cell in range(3):
        ours = np.bincount(dealt[:, 0, cell].astype(int), minlength=8) / 6000
        theirs = np.bincount(permuted[:, cell], minlength=8) / 6000
        np.testing.assert_allclose(ours, theirs, atol=0.025)


def test_the_jackknife_over_cells_is_that_over_rows():
    counts = np.array([[3.0, 2.0], [1.0, 4.0]])

    def ratio(cells):
        return (cells[..., 0, 0] / cells[..., 1, 1])[..., None]

    left = without_one(ratio, counts)
    assert left.shape == (2, 2, 1)
    np.testing.assert_allclose(left[0, 0], 2 / 4)
    np.testing.assert_allclose(left[1, 1], 3 / 3)
    np.testing.assert_allclose(left[0, 1], 3 / 4)


def test_bca_equals_scipys_bounds_of_a_mean():
    values = np.random.default_rng(0).gamma(1.0, size=40)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=3000, rng=np.random.default_rng(1), method="BCa"
    )
    left = (values.sum() - values) / 39
    influence = left.mean() - left
    skew = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    low, high = bca_bounds(
        np.array([values.mean()]), theirs.bootstrap_distribution[:, None], np.array([skew])
    )
    np.testing.assert_allclose([low[0], high[0]], theirs.confidence_interval, atol=1e-3)
