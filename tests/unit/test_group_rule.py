"""Rules for groups that were made by a rule."""

import numpy as np
import pytest

from workbench.core.schema import Feature
from workbench.numerics.group_rule import group_rule

AGE = Feature(name="age", integer=True, unit="years")
PLACE = Feature(name="place", kind="categorical", categories=("north", "south", "west"))
GAIN = Feature(name="gain")
FEATURES = (AGE, PLACE, GAIN)


def data(n=400, *, missing=False, seed=0):
    random = np.random.default_rng(seed)
    X = np.stack([random.integers(18, 70, n), random.integers(0, 3, n), random.normal(size=n)], 1)
    if missing:
        X[random.random(n) < 0.3, 0] = np.nan
        X[random.random(n) < 0.3, 1] = np.nan
    return X


@pytest.mark.parametrize(
    ("member", "text"),
    [
        (lambda X: X[:, 0] >= 40, "age is at least 40 years"),
        (lambda X: X[:, 0] <= 30, "age is at most 30 years"),
        (lambda X: X[:, 1] == 1, "place is south"),
        (lambda X: X[:, 1] != 1, "place is not south"),
        (lambda X: (X[:, 0] > 29) & (X[:, 0] < 51), "age is 30 years to 50 years"),
    ],
)
def test_finds_the_rule_that_made_the_group(member, text):
    X = data()
    rule = group_rule(member(X), X, FEATURES)
    assert rule.text == text
    assert rule.purity == rule.coverage == 1
    np.testing.assert_array_equal(rule.fits, member(X))


def test_joins_conditions_on_several_features():
    X = data()
    rule = group_rule((X[:, 0] >= 40) & (X[:, 1] == 2), X, FEATURES)
    assert set(rule.text.split(" and ")) == {"age is at least 40 years", "place is west"}


@pytest.mark.parametrize(
    ("member", "text"),
    [
        (lambda X: np.isnan(X[:, 0]), "age is missing"),
        (lambda X: ~np.isnan(X[:, 0]), "age is known"),
        (lambda X: ~(X[:, 0] >= 40), "age is at most 39 years or missing"),
        (lambda X: X[:, 0] >= 40, "age is at least 40 years"),
        (lambda X: X[:, 0] < 40, "age is at most 39 years"),
        (lambda X: np.isnan(X[:, 1]), "place is missing"),
    ],
)
def test_missing_values_are_spoken_of(member, text):
    X = data(missing=True)
    rule = group_rule(member(X), X, FEATURES)
    assert rule.text == text
    np.testing.assert_array_equal(rule.fits, member(X))


def test_purity_and_coverage_are_those_of_the_rule():
    X, random = data(), np.random.default_rng(1)
    member = (X[:, 0] >= 40) ^ (random.random(400) < 0.1)
    rule = group_rule(member, X, FEATURES)
    assert rule.purity == pytest.approx(member[rule.fits].mean())
    assert rule.coverage == pytest.approx(rule.fits[member].mean())
    assert 0.8 < rule.purity < 1
    assert 0.8 < rule.coverage < 1


def test_without_a_rule_it_says_nothing():
    X = data()
    chance = np.random.default_rng(2).random(400) < 0.9
    assert not group_rule(chance, X, FEATURES).text
    everyone = group_rule(np.ones(400, dtype=bool), X, FEATURES)
    assert (everyone.text, everyone.purity, everyone.coverage) == ("", 1.0, 1.0)
    unknown = group_rule(np.arange(3) < 1, np.full((3, 1), np.nan), (GAIN,))
    assert not unknown.text
