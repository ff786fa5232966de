"""Wilson's interval against SciPy's, and at its edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.numerics.intervals import LEVEL, wilson


@given(
    st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0.5, 0.999),
)
def test_equals_scipy(counts, level):
    successes, n = counts
    expected = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    assert wilson(successes, n, level) == pytest.approx(tuple(expected), abs=1e-9)


@pytest.mark.parametrize("n", [1, 36, 10**6])
def test_none_and_all_are_mirror_images_within_bounds(n):
    none, every = wilson(0, n), wilson(n, n)
    z2 = stats.norm.ppf(0.5 + LEVEL / 2) ** 2
    assert none[0] == pytest.approx(0, abs=1e-15)
    assert every[1] == pytest.approx(1, abs=1e-15)
    assert none[0] >= 0
    assert every[1] <= 1
    assert none[1] == pytest.approx(z2 / (n + z2), rel=1e-9)  # the closed form at zero successes
    assert every[0] == pytest.approx(1 - none[1], rel=1e-9)


def test_covers_as_often_as_it_says():
    """Exact coverage, summed over all outcomes; Wilson's is near the level, never far below."""
    for share in (0.05, 0.3, 0.5, 0.85):
        n = 100
        covered = sum(
            stats.binom.pmf(k, n, share)
            for k in range(n + 1)
            if wilson(k, n)[0] <= share <= wilson(k, n)[1]
        )
        assert 0.92 < covered < 0.98
