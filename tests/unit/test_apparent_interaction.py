"""Apparent interaction against its definition, closed forms, and shap's ordering."""

import numpy as np
import pytest
from shap.utils import approximate_interactions

from workbench.numerics.apparent_interaction import (
    GROUPS,
    MOST_BINS,
    apparent_interaction,
    value_groups,
)

NUMBERS = np.zeros(5, dtype=bool)


def rows(n=1500, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def by_definition(attribution, data, feature, other):
    """Replicates one share by least squares, bin by bin, for numeric features."""
    bins = value_groups(data[:, feature], MOST_BINS, categorical=False)
    groups = value_groups(data[:, other], GROUPS, categorical=False)

    def left(groups):
        squares, free = 0.0, len(bins)
        for b in range(bins.max() + 1):
            inside = bins == b
            line = data[inside, feature]
            design = np.stack([line, *(groups[inside] == g for g in set(groups[inside]))], axis=1)
            fit = np.linalg.lstsq(design, attribution[inside])[0]
            squares += np.square(attribution[inside] - design @ fit).sum()
            free -= np.linalg.matrix_rank(design)
        return squares / free

    return 1 - left(groups) / left(np.zeros_like(groups))


def test_matches_the_definition():
    data = rows()
    attribution = data[:, 0] * (1 + data[:, 1]) + 0.3 * data[:, 2]
    shares = apparent_interaction(attribution, data, 0, NUMBERS)
    expected = [by_definition(attribution, data, 0, other) for other in range(1, 5)]
    np.testing.assert_allclose(shares[1:], expected, atol=1e-9)
    assert np.isnan(shares[0])


@pytest.mark.parametrize("partner", [1, 3, 4])
def test_orders_features_as_shap_does(partner):
    data = rows()
    attribution = data[:, 0] * data[:, partner] + 0.2 * data[:, 0] * data[:, 2]
    shares = apparent_interaction(attribution, data, 0, NUMBERS)
    ours = np.argsort(-np.nan_to_num(shares, nan=-1.0))
    np.testing.assert_array_equal(ours[:2], [partner, 2])
    np.testing.assert_array_equal(approximate_interactions(0, attribution[:, None].repeat(5, 1),
                                                           data)[:2], ours[:2])  # fmt: skip


def test_sees_an_effect_without_direction_that_a_correlation_does_not():
    data = rows()
    attribution = np.abs(data[:, 3])
    shares = apparent_interaction(attribution, data, 0, NUMBERS)
    assert shares[3] > 0.4
    assert max(shares[1], shares[2], shares[4]) < 0.05


def test_is_nothing_on_average_where_nothing_interacts():
    found = [
        apparent_interaction(noise[:, 4], noise, 0, NUMBERS)[1:4]
        for noise in (rows(300, seed=seed) for seed in range(60))
    ]
    spread = np.std(found) / np.sqrt(np.size(found))
    assert abs(np.mean(found)) < 4 * spread


def test_what_the_own_value_explains_is_not_an_interaction():
    data = rows()
    data[:, 1] = data[:, 0] + 0.1 * data[:, 1]
    shares = apparent_interaction(3 * data[:, 0], data, 0, NUMBERS)
    assert np.isnan(shares).all(), "a line leaves nothing to explain"
    curved = apparent_interaction(data[:, 0] ** 2 + 0.1 * data[:, 2], data, 0, NUMBERS)
    assert curved[2] > 0.5
    assert curved[1] < 0.1


def test_categories_and_missing_values_are_groups():
    data = rows()
    data[:, 1] = np.random.default_rng(1).integers(0, 3, len(data))
    data[::4, 2] = np.nan
    is_category = np.array([False, True, False, False, False])
    by_category = np.array([0.0, 2.0, -1.0])[data[:, 1].astype(int)]
    assert apparent_interaction(by_category, data, 0, is_category)[1] > 0.99
    by_gap = np.isnan(data[:, 2]).astype(float)
    assert apparent_interaction(by_gap, data, 0, is_category)[2] > 0.99
    own = apparent_interaction(data[:, 3], data, 1, is_category)
    assert np.isnan(own[1])
    assert own[3] > 0.7


@pytest.mark.parametrize("n", [2, 3, 5])
def test_few_or_equal_rows_have_no_answer_rather_than_a_wrong_one(n):
    data = rows(n)
    data[0, 0] = np.nan
    assert apparent_interaction(np.zeros(n), data, 0, NUMBERS).shape == (5,)
    same = apparent_interaction(np.ones(n), np.ones((n, 5)), 0, NUMBERS)
    assert np.isnan(same).all()


def test_groups_have_no_gaps_and_missing_is_the_last():
    groups = value_groups(np.array([3.0, np.nan, 1.0, 3.0]), 4, categorical=False)
    np.testing.assert_array_equal(groups, [1, 2, 0, 1])
    many = value_groups(np.arange(480.0), 8, categorical=False)
    np.testing.assert_array_equal(np.bincount(many), [60] * 8)
    assert set(value_groups(np.full(3, np.nan), 4, categorical=False)) == {0}
