"""Association against its three classical cases, computed by scipy."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import contingency

from workbench.core.schema import Feature
from workbench.numerics.association import association

RNG = np.random.default_rng(5)


def ordered(name):
    return Feature(name=name)


def categorical(name, n):
    return Feature(name=name, kind="categorical", categories=tuple(f"{name}{i}" for i in range(n)))


def test_two_ordered_features_by_spearman():
    x = RNG.normal(size=300)
    y = -(x**3) + RNG.normal(size=300)
    found = association(np.stack([x, y], 1), (ordered("x"), ordered("y")))
    assert found[0, 1] == pytest.approx(abs(stats.spearmanr(x, y).statistic), abs=1e-12)
    assert (np.diag(found) == 1).all()


def test_two_categorical_features_by_cramer():
    a = RNG.integers(0, 3, 400)
    b = np.where(RNG.uniform(size=400) < 0.5, a, RNG.integers(0, 4, 400))
    table = stats.contingency.crosstab(a, b).count
    found = association(
        np.stack([a, b], 1).astype(float), (categorical("a", 3), categorical("b", 4))
    )
    wanted = contingency.association(table, method="cramer")
    assert found[0, 1] == pytest.approx(wanted, abs=1e-12)


def test_an_ordered_and_a_categorical_feature_by_the_correlation_ratio():
    group = RNG.integers(0, 3, 200)
    x = group + RNG.normal(size=200)
    ranks = stats.rankdata(x)
    between = sum(
        (group == g).sum() * (ranks[group == g].mean() - ranks.mean()) ** 2 for g in range(3)
    )
    wanted = (between / np.square(ranks - ranks.mean()).sum()) ** 0.5
    found = association(np.stack([x, group], 1), (ordered("x"), categorical("group", 3)))
    assert found[0, 1] == pytest.approx(wanted, abs=1e-12)


def test_copies_constants_and_missing_values():
    x = RNG.normal(size=100)
    gaps = np.where(RNG.uniform(size=100) < 0.3, np.nan, x)
    data = np.stack([x, 3 * x + 1, np.ones(100), np.isnan(gaps).astype(float), gaps], 1)
    found = association(data, tuple(ordered(name) for name in "abcde"))
    assert found[0, 1] == pytest.approx(1)
    assert (found[2] == 0).all()
    assert found[3, 4] == pytest.approx(1)  # what is missing tells the indicator
    assert (found <= 1).all()
