"""Agreement of explanations against scipy, against sets written out, and its promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from workbench.numerics.agreement_of_explanations import (
    AGREEMENTS,
    agreement_of,
    rank_correlation,
    shared_ranks,
    shared_signed_ranks,
    shared_signs,
    shared_top,
)

# Small whole numbers have ties, zeros and both signs.
VALUES = arrays.arrays(float, st.tuples(st.just(2), st.integers(1, 6)), elements=st.integers(-3, 3))
FAST = settings(max_examples=60)


def left_out(pair, share=0.3):
    """The same pair with some features of which one or the other says nothing."""
    random = np.random.default_rng(0)
    return [np.where(random.random(part.shape) < share, np.nan, part) for part in pair]


def by_definition(first, second, top):
    """Feature, rank, sign and signed rank agreement of one row, from sets and lists."""
    known = [j for j in range(len(first)) if np.isfinite(first[j]) and np.isfinite(second[j])]
    lists = [sorted(known, key=lambda j: -abs(v[j]))[:top] for v in (first, second)]
    k = len(lists[0])
    if not k:
        return [np.nan] * 4
    both = set(lists[0]) & set(lists[1])
    placed = {j for j in both if lists[0].index(j) == lists[1].index(j)}
    alike = {j for j in both if np.sign(first[j]) == np.sign(second[j])}
    return [len(part) / k for part in (both, placed, alike, placed & alike)]


@FAST
@given(VALUES, st.integers(1, 7), st.booleans())
def test_shares_are_what_the_sets_say(pair, top, gaps):
    first, second = left_out(pair) if gaps else pair
    got = [
        share(first[None], second[None], top=top)[0]
        for share in (shared_top, shared_ranks, shared_signs, shared_signed_ranks)
    ]
    np.testing.assert_allclose(got, by_definition(first, second, top))


@FAST
@given(VALUES, st.booleans())
def test_rank_correlation_is_that_of_scipy(pair, gaps):
    first, second = left_out(pair) if gaps else pair
    known = np.isfinite(first) & np.isfinite(second)
    got = rank_correlation(first[None], second[None])[0]
    if known.sum() < 2 or np.ptp(first[known]) == 0 or np.ptp(second[known]) == 0:
        assert np.isnan(got)
    else:
        assert got == pytest.approx(stats.spearmanr(first[known], second[known]).statistic)


def test_rows_do_not_know_each_other():
    random = np.random.default_rng(1)
    first, second = random.normal(size=(2, 9, 5))
    first[2, 1] = second[5, 4] = np.nan
    for agreement in AGREEMENTS.values():
        together = agreement.measured(first, second, 2)
        alone = [agreement.measured(first[i : i + 1], second[i : i + 1], 2)[0] for i in range(9)]
        np.testing.assert_allclose(together, alone)


@pytest.mark.parametrize("measure", AGREEMENTS)
def test_a_method_agrees_with_itself_and_with_others_both_ways(measure):
    values = np.random.default_rng(2).normal(size=(7, 4, 6))
    values[:, 3] = values[:, 0]
    found = agreement_of(values, measure, top=3)
    np.testing.assert_allclose(np.diag(found), 1.0)
    np.testing.assert_allclose(found, found.T)
    assert found[0, 3] == pytest.approx(1.0)
    assert found[0, 1] < 1


def test_scaling_up_changes_nothing_and_turning_signs_only_what_looks_at_them():
    first, second = np.random.default_rng(3).normal(size=(2, 20, 6))
    for agreement in AGREEMENTS.values():
        np.testing.assert_allclose(
            agreement.measured(7 * first, second, 3), agreement.measured(first, second, 3)
        )
    np.testing.assert_allclose(rank_correlation(-first, second), -rank_correlation(first, second))
    assert shared_signs(first, -first, top=3).max() == 0
    assert shared_top(first, -first, top=3).min() == 1


def test_the_mean_is_over_rows_that_have_something_to_compare():
    values = np.ones((3, 2, 4)) * [1.0, 2.0, 3.0, 4.0]
    values[0, 1] = np.nan
    values[1, 1] = values[1, 1, ::-1]
    assert agreement_of(values, "rank", top=1)[0, 1] == pytest.approx((-1 + 1) / 2)
    assert agreement_of(values, "top", top=1)[0, 1] == pytest.approx(0.5)
    nothing = agreement_of(np.full((3, 2, 4), np.nan), "top", top=1)
    assert np.isnan(nothing).all()
