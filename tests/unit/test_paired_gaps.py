"""Gaps under several rules against slow replicas, and how often intervals hold the truth."""

import numpy as np
import pytest

from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.paired_changes import changes_by
from workbench.numerics.group_rates import gaps_of
from workbench.numerics.paired_gaps import _drawn, compared, furthest_apart

PARITY = list(GAPS).index("selection_rate_difference")
ODDS = list(GAPS).index("equalized_odds_worst")


def people(n=400, rules=3, groups=2, seed=0, lots=False):
    rng = np.random.default_rng(seed)
    group, truth = rng.integers(0, groups, n), rng.integers(0, 2, n)
    decisions = (rng.random((rules, n)) < 0.3 + 0.2 * group + 0.2 * truth).astype(float)
    if lots:
        decisions[-1] = np.clip(decisions[-1] * 0.7 + 0.1, 0, 1)
    return decisions, truth, group


def rates_by_definition(decisions, truth, group, n_groups):
    """One group and one cell at a time."""
    found = np.full((len(RATES), n_groups), np.nan)
    for g in range(n_groups):
        mass = {}
        for side in (0, 1):
            rows = (group == g) & (truth == side)
            mass[side, 1], mass[side, 0] = decisions[rows].sum(), (1 - decisions[rows]).sum()
        for v, rate in enumerate(RATES.values()):
            of = sum(mass[cell] for cell in rate.of)
            if of > 0:
                found[v, g] = sum(mass[cell] for cell in rate.counts) / of
    return found


@pytest.mark.parametrize("lots", [False, True])
def test_values_are_those_of_the_definition(lots):
    decisions, truth, group = people(lots=lots)
    found = compared(decisions, truth, group, 2, 100, np.random.default_rng(1))
    rates = np.stack([rates_by_definition(own, truth, group, 2) for own in decisions])
    np.testing.assert_allclose(found.rates[..., 0], rates)
    np.testing.assert_allclose(found.gaps[..., 0], gaps_of(rates))
    np.testing.assert_allclose(found.rate_changes[..., 0], rates - rates[0], atol=1e-12)
    np.testing.assert_allclose(found.gap_changes[..., 0], gaps_of(rates) - gaps_of(rates)[0])
    right = np.where(truth == 1, decisions, 1 - decisions).mean(1)
    np.testing.assert_allclose(found.accuracy[:, 0], right)
    np.testing.assert_allclose(found.accuracy_changes[:, 0], right - right[0], atol=1e-12)
    for part in found:
        known = np.isfinite(part).all(-1)
        assert (part[known, 1] <= part[known, 0] + 1e-12).all()
        assert (part[known, 0] <= part[known, 2] + 1e-12).all()


def test_resamples_are_rows_drawn_one_by_one():
    decisions, truth, group = people(n=600, lots=True)
    _, drawn = _drawn(decisions, truth, group, 2, 4000, np.random.default_rng(1))
    rng, slow = np.random.default_rng(2), []
    for _ in range(400):
        rows = np.concatenate([
            rng.choice(np.flatnonzero(group == g), (group == g).sum()) for g in (0, 1)
        ])
        gaps = [
            gaps_of(rates_by_definition(own[rows], truth[rows], group[rows], 2))
            for own in decisions[[0, 2]]
        ]
        slow.append(gaps[1] - gaps[0])
    ours, theirs = drawn[:, 2] - drawn[:, 0], np.array(slow)
    error = theirs.std(0) / np.sqrt(400)
    assert (np.abs(ours.mean(0) - theirs.mean(0)) < 4 * error + 1e-12).all()
    np.testing.assert_allclose(ours.std(0), theirs.std(0), rtol=0.15, atol=1e-12)


def test_intervals_hold_the_true_change():
    """Two rules that agree mostly; the second grants group 0 more often."""
    rng, held, held_rate, runs = np.random.default_rng(3), 0, 0, 150
    for _ in range(runs):
        group = np.repeat([0, 1], [120, 180])
        before = rng.random(300) < np.where(group == 0, 0.3, 0.6)
        gains = rng.random(300) < np.where(group == 0, 0.2, 0.02)
        after = before | gains
        true = abs((0.6 + 0.4 * 0.02) - (0.3 + 0.7 * 0.2)) - 0.3
        found = compared(
            np.stack([before, after]).astype(float), np.zeros(300, int), group, 2, 200, rng
        )
        low, high = found.gap_changes[1, PARITY, 1:]
        held += low <= true <= high
        low, high = found.rate_changes[1, list(RATES).index("selection_rate"), 0, 1:]
        held_rate += low <= 0.7 * 0.2 <= high
    assert held / runs >= 0.92
    assert held_rate / runs >= 0.92


def test_nobody_changes_is_not_certain():
    decisions, truth, group = people(rules=1)
    found = compared(decisions[[0, 0]], truth, group, 2, 100, np.random.default_rng(0))
    assert (found.gap_changes[0, PARITY] == 0).all()
    value, low, high = found.gap_changes[1, PARITY]
    assert value == 0
    assert low < -0.005
    assert high > 0.005


def test_few_rows_that_fare_alike_are_not_certain():
    group, truth = np.array([0] * 200 + [1] * 4), np.tile([0, 1], 102)
    found = compared(np.ones((1, 204)), truth, group, 2, 200, np.random.default_rng(0))
    assert found.gaps[0, PARITY, 0] == 0
    assert found.gaps[0, PARITY, 2] > 0.4  # of 4 rows, all granted


def test_what_nobody_is_of_is_undefined():
    decisions, truth, group = people()
    truth[group == 1] = 0
    found = compared(decisions, truth, group, 3, 100, np.random.default_rng(0))
    tpr, selection = (list(RATES).index(f"{name}_rate") for name in ("true_positive", "selection"))
    assert np.isnan(found.rates[:, tpr, 1]).all(), "a group without the favourable outcome"
    assert np.isnan(found.rates[:, selection, 2]).all(), "a group without rows"
    assert np.isnan(found.gaps[:, list(GAPS).index("true_positive_rate_difference")]).all()
    assert np.isfinite(found.gaps[:, PARITY]).all()


def test_mover_for_two_groups_by_hand():
    rates = np.full((len(RATES), 2, 3), np.nan)
    rates[list(RATES).index("selection_rate")] = [[0.5, 0.4, 0.6], [0.3, 0.2, 0.45]]
    low, high = furthest_apart(rates)[PARITY]
    assert low == pytest.approx(0.2 - np.hypot(0.1, 0.15))
    assert high == pytest.approx(0.2 + np.hypot(0.1, 0.1))
    low, high = furthest_apart(rates)[list(GAPS).index("selection_rate_ratio")]
    assert 0.3 < low < 0.6 < high <= 1


def test_paired_changes_rest_on_who_changes():
    group = np.array([0] * 50 + [1] * 50)
    change = np.zeros(100)
    change[:10], change[50:60], change[60:70] = 1, 1, -1
    gain, mixed, nobody = changes_by(change, group, 3)
    assert gain[0] == pytest.approx(0.2)
    assert gain[1] > 0
    assert mixed[0] == 0
    assert mixed[1] == pytest.approx(-mixed[2])
    assert np.isnan(nobody).all()
