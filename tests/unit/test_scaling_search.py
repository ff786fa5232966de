"""Boundaries of scaled features against closed forms, a root finder, and a naive greedy search."""

import itertools

import numpy as np
import pytest
from scipy.optimize import brentq

from workbench.numerics.roots import MOST_STEPS, last_before
from workbench.numerics.scaling_search import (
    exact_boundaries,
    most_evaluations,
    published_boundaries,
    rungs_within,
)

BUDGETS = np.arange(11) / 10
SEARCHES = {"exact": exact_boundaries, "published": published_boundaries}
FUNCTIONS = (
    lambda m: 4 * (m - 1) ** 2,
    lambda m: np.expm1(2 * (m - 1)) - 1.5 * (m - 1),  # falls at first on the way up
    lambda m: 0.3 * np.abs(m - 1) ** 1.5 * (1.2 + np.sin(9 * m)),  # rises, falls and rises
    lambda m: np.where(np.abs(m - 1) < 0.3, 0.0, 5 * (np.abs(m - 1) - 0.3)),  # flat, then a kink
)


def profile(features, masks):
    return np.array([FUNCTIONS[f](m) for f, m in zip(features, masks, strict=True)])


def counting(function):
    asked = []

    def count(features, masks):
        asked.extend(zip(features.tolist(), masks.tolist(), strict=True))
        return function(features, masks)

    return count, asked


def test_exact_boundaries_are_the_first_crossings():
    found = exact_boundaries(profile, np.arange(4), BUDGETS, 10.0)
    half = np.sqrt(BUDGETS) / 2
    np.testing.assert_allclose(found[0], [1 - half, 1 + half], rtol=1e-9, atol=1e-11)
    fine = np.linspace(1e-6, 10, 400_001)
    for feature, side, place in itertools.product(range(4), range(2), range(1, 11)):
        sign = 2 * side - 1
        rise = FUNCTIONS[feature](1 + sign * fine)
        if not (rise > BUDGETS[place]).any():
            assert found[feature, side, place] == sign * np.inf
            continue
        at = int(np.argmax(rise > BUDGETS[place]))
        expected = brentq(
            lambda t: FUNCTIONS[feature](1 + sign * t) - BUDGETS[place],  # noqa: B023 - at once
            fine[at - 1], fine[at], xtol=1e-14,
        )  # fmt: skip
        assert found[feature, side, place] == pytest.approx(
            1 + sign * expected, abs=2e-9 * expected
        )


def test_exact_masks_lie_within_their_budget():
    found = exact_boundaries(profile, np.arange(4), BUDGETS, 10.0)
    known = np.isfinite(found)
    features = np.broadcast_to(np.arange(4)[:, None, None], found.shape)[known]
    rise = profile(features, found[known])
    budgets = np.broadcast_to(BUDGETS, found.shape)[known]
    assert (rise <= budgets + 1e-15).all()
    np.testing.assert_allclose(rise, budgets, atol=1e-8)


def greedy(function, budget_list, sign):
    """The published search of one feature in one direction, step by step."""
    m, found = 1.0, []
    for budget in budget_list:
        step, divided = 0.1, 0
        while divided < 4:
            if function(m + sign * step) < budget:
                m += sign * step
            else:
                step, divided = step / 10, divided + 1
        found.append(m)
    return found


@pytest.mark.parametrize("scale", [0.01, 0.29, 7.0])
def test_published_boundaries_are_those_of_a_naive_search(scale):
    functions = FUNCTIONS[:2]  # the others end in endless steps or need no search

    def scaled(features, masks):
        return scale * np.array([functions[f](m) for f, m in zip(features, masks, strict=True)])

    found = published_boundaries(scaled, np.arange(2), BUDGETS, 100.0)
    for feature, side in ((0, 0), (0, 1), (1, 1)):
        expected = greedy(lambda m: scale * functions[feature](m), BUDGETS, 2 * side - 1)  # noqa: B023
        np.testing.assert_allclose(found[feature, side], expected, atol=1e-9)


def test_published_masks_are_next_to_the_exact_ones():
    exact, published = (
        search(profile, np.arange(1), BUDGETS, 10.0) for search in SEARCHES.values()
    )
    assert 0 <= np.abs(exact - published).max() < 1.01e-4


@pytest.mark.parametrize("search", SEARCHES)
def test_a_loss_that_creeps_up_to_a_budget_ends(search):
    def creeping(_, masks):
        return -np.expm1(-np.abs(masks - 1)) * 0.5

    count, asked = counting(creeping)
    found = SEARCHES[search](count, np.arange(1), BUDGETS, 10.0)
    assert np.isfinite(found[0, :, :5]).all()
    np.testing.assert_array_equal(found[0, :, 6:], [[-np.inf] * 5, [np.inf] * 5])
    assert len(asked) <= 2 * most_evaluations(search, 10.0, len(BUDGETS))


@pytest.mark.parametrize("search", SEARCHES)
def test_a_feature_that_the_loss_does_not_depend_on_is_unimportant(search):
    def one_of_two(features, masks):
        return np.where(features == 1, 0.0, (masks - 1) ** 2)

    found = SEARCHES[search](one_of_two, np.arange(2), BUDGETS, 10.0)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e9])
def test_never_asks_more_than_it_says(search, scale):
    count, asked = counting(lambda features, masks: scale * profile(features, masks))
    SEARCHES[search](count, np.arange(4), BUDGETS, 3.0)
    for feature in range(4):
        own = [mask for at, mask in asked if at == feature]
        assert len(own) <= 2 * most_evaluations(search, 3.0, len(BUDGETS))
        assert max(abs(mask - 1) for mask in own) <= 3.0 + 0.1


def test_a_loss_that_is_infinite_far_out_is_above_every_budget():
    def wall(_, masks):
        return np.where(np.abs(masks - 1) > 0.7, np.inf, 0.1 * np.abs(masks - 1))

    found = exact_boundaries(wall, np.arange(1), BUDGETS, 10.0)
    np.testing.assert_allclose(found[0, 1, 1:], 1.7, rtol=1e-8)


def test_steps_reach_as_far_as_asked():
    assert rungs_within(10.0)[0] == 0.01
    assert rungs_within(10.0)[-1] == 10.0
    assert (np.diff(rungs_within(10.0)) > 0).all()
    assert rungs_within(0.005).tolist() == [0.005]


def test_roots_of_hard_functions():
    functions = [
        lambda t: t**9 - 1e-9, lambda t: np.where(t < 0.123, -1.0, 1e9), lambda t: np.tan(t) - 5,
    ]  # fmt: skip
    asked = []

    def function(which, places):
        asked.append(len(which))
        return np.array([functions[i](t) for i, t in zip(which, places, strict=True)])

    low, high = np.zeros(3), np.array([1.0, 1.0, 1.5])
    every = np.arange(3)
    found = last_before(function, low, high, function(every, low), function(every, high))
    np.testing.assert_allclose(found, [0.1, 0.123, np.arctan(5)], rtol=3e-9)
    assert len(asked) <= MOST_STEPS + 2
