"""How well features tell a group, against scikit-learn and where the answer is known."""

import numpy as np
import pytest
from sklearn import metrics

from workbench.core.schema import Feature
from workbench.numerics.proxies import (
    area_within_folds,
    bins_of,
    boosted,
    fold_of,
    frequencies,
    mcc_of,
    tell,
    told_by_all,
    told_by_one,
)

NUMBER = Feature(name="x")
LETTERS = Feature(name="c", kind="categorical", categories=tuple("abcdef"))


def rng(seed=0):
    return np.random.default_rng(seed)


def planted(n=1500, groups=2, seed=0):
    """A group, a number and a category that lean on it, and two of each that do not."""
    draw = rng(seed)
    group = draw.choice(groups, n, p=np.arange(1, groups + 1) / np.arange(1, groups + 1).sum())
    number = group + draw.normal(size=n)
    letter = np.where(draw.random(n) < 0.4, group, draw.integers(0, 6, n)).astype(float)
    noise = draw.normal(size=n)
    other = draw.integers(0, 6, n).astype(float)
    return group, np.stack([number, letter, noise, other], 1)


FEATURES = (NUMBER, LETTERS, Feature(name="noise"), LETTERS.model_copy(update={"name": "other"}))


@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_areas_and_correlation_are_those_of_scikit_learn(groups, at):
    group, data = planted(groups=groups)
    fold = fold_of(group, rng(1))
    shares = frequencies(data[:, at], FEATURES[at], group, groups, fold)
    told = tell(shares, group, fold, rng(2))
    sides = [1] if groups == 2 else range(groups)
    expected = []
    for side in sides:
        areas, pairs = [], []
        for number in range(5):
            held, is_side = fold == number, group == side
            areas.append(metrics.roc_auc_score(is_side[held], shares[held, side]))
            pairs.append(is_side[held].sum() * (~is_side[held]).sum())
        expected.append(np.average(areas, weights=pairs))
    assert told.area[0] == pytest.approx(np.mean(expected), abs=1e-12)
    named = (shares / (np.bincount(group) / len(group))).argmax(1)
    assert told.mcc[0] == pytest.approx(metrics.matthews_corrcoef(group, named), abs=1e-12)


def test_shares_come_from_other_folds_alone():
    group, data = planted(n=300)
    fold = fold_of(group, rng(1))
    shares = frequencies(data[:, 1], LETTERS, group, 2, fold)
    for row in (0, 17, 299):
        others = fold != fold[row]
        alike = others & (data[:, 1] == data[row, 1])
        base = group[others].mean()
        expected = (group[alike].sum() + 2 * base) / (alike.sum() + 2)
        assert shares[row, 1] == pytest.approx(expected)
    changed = group.copy()
    own = fold == fold[0]
    changed[own] = 1 - changed[own]
    again = frequencies(data[:, 1], LETTERS, changed, 2, fold)
    np.testing.assert_allclose(again[own], shares[own])


def test_the_planted_proxies_are_found_and_noise_is_not():
    group, data = planted()
    number, letter, noise, other = (
        told_by_one(data[:, at], FEATURES[at], group, 2, rng(3)) for at in range(4)
    )
    # Cutting a number into bins costs little of what it tells.
    assert number.area[0] == pytest.approx(metrics.roc_auc_score(group, data[:, 0]), abs=0.015)
    # Two normals one standard deviation apart: Phi(1 / sqrt 2).
    assert number.area[1] < 0.760 < number.area[2]
    assert letter.area[1] > 0.6
    for told in (noise, other):
        assert told.area[1] < 0.5 < told.area[2]
        assert told.mcc[1] < 0 < told.mcc[2]
    everything = told_by_all(data, FEATURES, group, 2, rng(3))
    assert everything.area[0] > number.area[0]
    nothing = told_by_all(data[:, 2:], FEATURES[2:], group, 2, rng(3))
    assert nothing.area[1] < 0.5 < nothing.area[2]


def test_the_interval_of_noise_covers_a_half_about_as_often_as_it_says():
    covered, areas = [], []
    for seed in range(150):
        draw = rng(seed)
        group, column = draw.integers(0, 2, 300), draw.integers(0, 6, 300).astype(float)
        told = told_by_one(column, LETTERS, group, 2, draw)
        covered.append(told.area[1] <= 0.5 <= told.area[2])
        areas.append(told.area[0])
    assert np.mean(covered) > 0.91
    # Pooled over folds the areas would lie below a half.
    assert np.mean(areas) == pytest.approx(0.5, abs=4 * np.std(areas) / np.sqrt(150))


def test_a_perfect_proxy_has_an_interval_all_the_same():
    group = np.arange(200) % 2
    told = told_by_one(group.astype(float), LETTERS, group, 2, rng())
    assert told.area[0] == 1
    assert told.mcc[0] == 1
    assert 0.9 < told.area[1] < 1


def test_what_cannot_be_told_is_nan():
    constant = told_by_one(np.zeros(100), NUMBER, np.arange(100) % 2, 2, rng())
    assert constant.area[0] == pytest.approx(0.5)
    assert np.isnan(constant.mcc[0])
    assert np.isnan(told_by_one(np.zeros(100), NUMBER, np.zeros(100, int), 2, rng()).area).all()
    single = np.zeros(100, int)
    single[3] = 1
    assert np.isnan(told_by_one(rng().normal(size=100), NUMBER, single, 2, rng()).area).all()


def test_missing_values_are_a_bin_and_numbers_are_cut_evenly():
    column = np.append(np.arange(1000.0), np.full(10, np.nan))
    place, n_bins = bins_of(column, NUMBER)
    assert set(place[-10:]) == {n_bins - 1}
    assert np.ptp(np.bincount(place)[:-1]) <= 1
    place, n_bins = bins_of(np.array([0.0, np.nan, 5.0]), LETTERS)
    assert (list(place), n_bins) == ([0, 6, 5], 7)


def test_folds_hold_each_group_evenly():
    group = np.repeat([0, 1, 2], [50, 23, 7])
    fold = fold_of(group, rng())
    for one in range(3):
        assert np.ptp(np.bincount(fold[group == one], minlength=5)) <= 1


def test_the_same_generator_gives_the_same_numbers():
    group, data = planted(n=150)
    first, again = (told_by_all(data, FEATURES, group, 2, rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first.area, again.area)
    np.testing.assert_array_equal(first.mcc, again.mcc)


def test_trees_are_asked_about_rows_that_they_have_not_seen():
    group, data = planted(n=150)
    fold = fold_of(group, rng(1))
    found = boosted(data, FEATURES, group, 2, fold)
    changed = group.copy()
    changed[fold == 0] = 1 - changed[fold == 0]
    np.testing.assert_allclose(boosted(data, FEATURES, changed, 2, fold)[fold == 0],
                               found[fold == 0])  # fmt: skip


def test_a_wide_mean_of_sides_counts_each_row_once():
    group, data = planted(n=600, groups=3)
    fold = fold_of(group, rng())
    shares = frequencies(data[:, 0], NUMBER, group, 3, fold)
    one = area_within_folds([(shares[:, 0], group == 0)], fold)
    twice = area_within_folds([(shares[:, 0], group == 0)] * 2, fold)
    np.testing.assert_allclose(one, twice)


def test_the_interval_of_a_correlation_holds_it():
    value, low, high = mcc_of(np.array([[40, 10], [10, 40]]), rng())
    assert value == pytest.approx(0.6)
    assert 0.3 < low < value < high < 0.9
