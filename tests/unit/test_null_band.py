"""A test from a few draws: its size, its band, and what a counted share could not do."""

import numpy as np
import pytest
from scipy import stats

from workbench.numerics.null_band import BAND, null_band


def draws(n, s, seed, *, shared=0.0):
    """Log-normal numbers; the values of a pair share a part, as networks on the same labels do."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(n, s)) * np.sqrt(1 - shared)
    return 0.01 * np.exp(0.5 * (own + rng.normal(size=s) * np.sqrt(shared)))


def test_one_value_is_tested_as_a_prediction_interval_does():
    null, one = draws(20, 300, 0), draws(1, 300, 1)
    found = null_band(one, null, 300)
    v = np.log(null + 1e-6)
    t = (np.log(one + 1e-6)[0] - v.mean(0)) / (v.std(0, ddof=1) * np.sqrt(1 + 1 / 20))
    np.testing.assert_allclose(found.p, stats.t.sf(t, 19))
    np.testing.assert_array_equal(found.p < 0.05, one[0] > found.high)


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_keeps_its_level_however_much_the_real_networks_share(shared):
    s = 20_000
    found = null_band(draws(5, s, 1, shared=shared), draws(20, s, 2), s)
    sure = 3 * np.sqrt(0.05 * 0.95 / s)
    assert (found.p < 0.05).mean() < 0.05 + sure
    if shared == 1:
        assert (found.p < 0.05).mean() > 0.05 - sure


def test_the_band_holds_what_it_says():
    s = 20_000
    null, fresh = draws(20, s, 1), draws(1, s, 2)[0]
    found = null_band(null[:2], null, s)
    held = ((found.low <= fresh) & (fresh <= found.high)).mean()
    assert held == pytest.approx(BAND, abs=3 * np.sqrt(BAND * (1 - BAND) / s))


def test_q_is_that_of_benjamini_and_hochberg_over_all_there_are():
    null, real = draws(20, 30, 1), draws(5, 30, 2)
    real[:, :3] *= 20
    found = null_band(real, null, 30)
    np.testing.assert_allclose(found.q, stats.false_discovery_control(found.p))
    assert (found.q[:3] < 0.01).all()
    more = null_band(real, null, 3000)
    np.testing.assert_allclose(more.q[found.p.argmin()], 100 * found.q.min(), rtol=1e-9)


def test_networks_without_any_interaction_are_no_finding():
    rng = np.random.default_rng(0)
    found = null_band(1e-15 * rng.random((5, 4)), 1e-16 * rng.random((20, 4)), 4)
    assert (found.p > 0.4).all()
    assert (found.high < 1e-5).all()
    zero = null_band(np.zeros((2, 3)), np.zeros((5, 3)), 3)
    np.testing.assert_allclose(zero.p, 0.5)
