"""A test from a few draws: its size whatever networks share, its band, its correction."""

import numpy as np
import pytest
from scipy import stats

from workbench.numerics.null_band import BAND, STARTS, null_band

LABELS = 10


def draws(labels, starts, s, seed, *, shared=0.0, common=0.3):
    """Log-normal numbers ``[labels, starts, s]``; those on the same labels share a part.

    A part of what is by chance is common to all numbers of a network: some are trained longer.
    """
    rng = np.random.default_rng(seed)

    def part(*shape):
        whole = rng.normal(size=(*shape, 1)) * np.sqrt(common)
        return whole + rng.normal(size=(*shape, s)) * np.sqrt(1 - common)

    by_labels, own = part(labels, 1), part(labels, starts)
    return 0.01 * np.exp(0.5 * (np.sqrt(shared) * by_labels + np.sqrt(1 - shared) * own))


def outcome(seed, s=45, *, shared, refits=5, times=1.0):
    null = draws(LABELS, STARTS, s, 2 * seed, shared=shared)
    real = draws(1, refits, s, 2 * seed + 1, shared=shared)[0]
    real[:, 0] *= times
    return null_band(real, null, s)


@pytest.mark.parametrize("shared", [0.0, 0.3, 0.6, 1.0])
def test_keeps_its_level_however_much_networks_share(shared):
    runs = [outcome(seed, shared=shared) for seed in range(300)]
    p = np.concatenate([run.p for run in runs])
    assert (p < 0.05).mean() < 0.06
    assert (p < 0.05).mean() > 0.01
    # The share of runs with any finding is what Benjamini and Hochberg bound where all is null.
    assert np.mean([(run.q <= 0.05).any() for run in runs]) < 0.08


def test_finds_more_where_networks_share_little():
    found = [
        np.mean([outcome(seed, shared=shared, times=5).q[0] <= 0.05 for seed in range(100)])
        for shared in (0.0, 1.0)
    ]
    assert found[0] > 0.9
    assert found[1] < 0.6


def test_estimates_what_networks_share_with_an_error_to_spare():
    for shared in (0.0, 0.5, 1.0):
        found = np.array([outcome(seed, shared=shared).shared for seed in range(100)])
        assert shared - 0.05 < found.mean() < shared + 0.35
        assert (found >= 0).all()
        assert (found <= 1).all()


def test_two_real_networks_are_tested_as_two_and_two():
    """With as many real ones as share labels, and all of it shared, this is the usual t test."""
    null, real = draws(LABELS, 1, 30, 1), draws(1, 1, 30, 2)[0]
    found = null_band(real.repeat(2, 0), null.repeat(2, 1), 30)
    v = np.log(null[:, 0] + 1e-6)
    t = (np.log(real[0] + 1e-6) - v.mean(0)) / (v.std(0, ddof=1) * np.sqrt(1 + 1 / LABELS))
    np.testing.assert_allclose(found.p, stats.t.sf(t, LABELS - 1), rtol=1e-6)
    assert found.shared == 1


@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_the_band_holds_what_it_says(shared):
    held = []
    for seed in range(300):
        null = draws(LABELS, STARTS, 45, 2 * seed, shared=shared)
        fresh = draws(1, 1, 45, 2 * seed + 1, shared=shared)[0]
        found = null_band(fresh, null, 45)
        held.append(((found.low <= fresh[0]) & (fresh[0] <= found.high)).mean())
    assert np.mean(held) == pytest.approx(BAND, abs=0.015)


def test_q_is_that_of_benjamini_and_hochberg_over_all_there_are():
    null, real = draws(LABELS, STARTS, 30, 1), draws(1, 5, 30, 2)[0]
    real[:, :3] *= 20
    found = null_band(real, null, 30)
    np.testing.assert_allclose(found.q, stats.false_discovery_control(found.p))
    assert (found.q[:3] < 0.01).all()
    more = null_band(real, null, 3000)
    np.testing.assert_allclose(more.q[:3], 100 * found.q[:3], rtol=1e-9)


def test_networks_without_any_interaction_are_no_finding():
    rng = np.random.default_rng(0)
    found = null_band(1e-15 * rng.random((5, 4)), 1e-16 * rng.random((10, 2, 4)), 4)
    assert (found.p > 0.4).all()
    assert (found.high < 1e-5).all()
    zero = null_band(np.zeros((2, 3)), np.zeros((5, 2, 3)), 3)
    np.testing.assert_allclose(zero.p, 0.5)
