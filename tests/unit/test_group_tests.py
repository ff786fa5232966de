"""Welch's test against scipy and its definition, Holm's adjustment against its own."""

import numpy as np
import pytest
from scipy import stats

from workbench.numerics.group_tests import holm, welch_p


def groups(*sizes, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(i * 0.2, 1 + i, size=(n, 4)) for i, n in enumerate(sizes)]


def test_two_groups_give_the_t_test_of_welch():
    one, other = groups(12, 30)
    expected = stats.ttest_ind(one, other, equal_var=False).pvalue
    np.testing.assert_allclose(welch_p([one, other]), expected)


def test_several_groups_follow_the_paper():
    parts = groups(8, 20, 15, 6)
    p = welch_p(parts)
    for column in range(4):
        values = [part[:, column] for part in parts]
        weights = [len(v) / np.var(v, ddof=1) for v in values]
        centre = sum(w * v.mean() for w, v in zip(weights, values, strict=True)) / sum(weights)
        top = sum(w * (v.mean() - centre) ** 2 for w, v in zip(weights, values, strict=True)) / 3
        lack = sum((1 - w / sum(weights)) ** 2 / (len(v) - 1)
                   for w, v in zip(weights, values, strict=True))  # fmt: skip
        expected = stats.f.sf(top / (1 + 4 / 15 * lack), 3, 15 / (3 * lack))
        assert p[column] == pytest.approx(expected)


def test_alarms_are_as_rare_as_it_says():
    random = np.random.default_rng(0)
    parts = [random.normal(size=(n, 4000)) * spread for n, spread in ((10, 1), (25, 4), (15, 2))]
    rate = (welch_p(parts) < 0.05).mean()
    assert rate == pytest.approx(0.05, abs=0.012)


def test_constants_are_equal_or_not():
    one, other = np.tile([1.0, 1.0, 0.0], (5, 1)), np.tile([1.0, 2.0, 0.0], (4, 1))
    p = welch_p([one, other])
    np.testing.assert_allclose(p, [1, 0, 1], atol=1e-12)


def test_holm_by_its_steps():
    p = np.array([0.04, 0.001, 0.9, 0.02])
    np.testing.assert_allclose(holm(p), [0.08, 0.004, 0.9, 0.06])
    assert holm(np.array([0.6, 0.7])).max() == 1
