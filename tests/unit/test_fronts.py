"""Fronts and chances against their definitions; resamples and slopes against slow replicas."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.core.fairness_metrics import GAPS
from workbench.numerics.fronts import chance_on_front, chance_to_beat, pareto
from workbench.numerics.group_rates import confusion, gaps_of, rates_of
from workbench.numerics.paired_counts import resampled_confusions
from workbench.numerics.soft_gaps import soft_confusion, soft_spread


def front_by_definition(gain, cost):
    """One model held against each other one."""
    known = np.isfinite(gain) & np.isfinite(cost)
    return np.array([
        known[i] and not any(
            known[j] and gain[j] >= gain[i] and cost[j] <= cost[i]
            and (gain[j], cost[j]) != (gain[i], cost[i])
            for j in range(len(gain))
        )
        for i in range(len(gain))
    ])  # fmt: skip


few = st.sampled_from([0.0, 0.25, 0.5, 1.0, np.nan])


@given(st.lists(st.tuples(few, few), min_size=1, max_size=9))
@settings(max_examples=300, deadline=None)
def test_the_front_is_that_of_its_definition(points):
    gain, cost = np.array(points).T
    np.testing.assert_array_equal(pareto(gain, cost), front_by_definition(gain, cost))
    both = np.stack([gain, gain[::-1]]), np.stack([cost, cost[::-1]])
    np.testing.assert_array_equal(pareto(*both), [front_by_definition(*pair)
                                                  for pair in zip(*both, strict=True)])  # fmt: skip


def test_points_that_are_equal_all_stay():
    gain = np.array([0.8, 0.8, 0.8, 0.7, 0.7])
    cost = np.array([0.1, 0.1, 0.2, 0.05, 0.05])
    assert pareto(gain, cost).tolist() == [True, True, False, True, True]
    one = pareto(gain[::-1], cost[::-1])
    assert one.tolist() == [True, True, False, True, True]
    drawn = np.stack([gain] * 3), np.stack([cost] * 3)
    assert chance_on_front(*drawn).tolist() == [1, 1, 0, 1, 1]
    beats = chance_to_beat(*drawn, *drawn)
    assert beats[0, 1] == beats[1, 0] == 0, "equal models do not beat each other"
    assert beats[0, 2] == 1


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.7])
def test_the_chance_to_beat_is_that_of_two_normals(rho):
    """The shares of resamples against the closed form of a bivariate normal."""
    rng, b = np.random.default_rng(0), 40_000
    mean, covariance = [0.3, -0.2], [[1, rho], [rho, 0.5]]
    gain, cost = rng.multivariate_normal(mean, covariance, b).T
    exact = stats.multivariate_normal([-mean[0], mean[1]], [[1, -rho], [-rho, 0.5]]).cdf([
        0,
        0,
    ])  # P(-gain <= 0, cost <= 0)
    nothing = np.zeros((b, 1))
    found = chance_to_beat(gain[:, None], cost[:, None], nothing, nothing)[0, 0]
    assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / b)
    beaten = stats.multivariate_normal(mean, covariance)
    other = beaten.cdf([0, np.inf]) - beaten.cdf([0, 0])  # gain < 0 and cost > 0
    share = chance_on_front(
        np.column_stack([gain, np.zeros(b)]), np.column_stack([cost, np.zeros(b)])
    )
    assert abs(share[0] - (1 - other)) < 4 * np.sqrt(other * (1 - other) / b)


def test_resamples_keep_groups_pair_models_and_have_the_right_spread():
    rng = np.random.default_rng(0)
    n = 400
    group, truth = rng.integers(0, 3, n), rng.integers(0, 2, n)
    group[group == 2] = 1
    group[:5] = 2
    decided = rng.random((3, n)) < 0.4
    decided[1] = decided[0]
    parts = list(resampled_confusions(
        decided, truth, group, 4, draws=250, rng=np.random.default_rng(1)
    ))  # fmt: skip
    found = np.concatenate(parts)
    assert found.shape == (250, 3, 4, 2, 2)
    sizes = np.bincount(group, minlength=4)
    np.testing.assert_array_equal(found.sum((-1, -2)), np.broadcast_to(sizes, (250, 3, 4)))
    np.testing.assert_array_equal(found[:, 0], found[:, 1])  # the same rows for all models
    counts = np.stack([confusion(own, truth, group, 4) for own in decided])
    np.testing.assert_allclose(found.mean(0), counts, atol=4 * np.sqrt(counts.max() / 250))
    share = counts[0, 0, :, 1].sum() / sizes[0]
    spread = found[:, 0, 0, :, 1].sum(-1).std() / sizes[0]
    assert spread == pytest.approx(np.sqrt(share * (1 - share) / sizes[0]), rel=0.15)


def test_a_soft_spread_of_hard_decisions_is_the_spread_of_the_rates():
    rng = np.random.default_rng(0)
    group, truth = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    decided = rng.random(200) < 0.3 + 0.3 * group
    counts = confusion(decided, truth, group, 2)
    soft = soft_confusion(*(torch.from_numpy(part) for part in (
        decided.astype(float), truth, group
    )), 2)  # fmt: skip
    np.testing.assert_allclose(soft.numpy(), counts)
    gaps = gaps_of(rates_of(counts))
    for at, (name, gap) in enumerate(GAPS.items()):
        if gap.way == "difference":  # of two groups each lies half the gap from the middle
            assert float(soft_spread(soft, gap)) == pytest.approx((gaps[at] / 2) ** 2), name


def test_a_spread_has_the_slope_of_its_differences_and_lone_groups_have_none():
    rng = np.random.default_rng(0)
    group = torch.from_numpy(rng.integers(0, 3, 40))
    truth = torch.from_numpy(rng.integers(0, 2, 40))
    chance = torch.from_numpy(rng.random(40)).requires_grad_()
    for gap in GAPS.values():
        assert torch.autograd.gradcheck(
            lambda c, gap=gap: soft_spread(soft_confusion(c, truth, group, 3), gap), (chance,)
        )
    alone = soft_confusion(chance, truth, torch.zeros_like(group), 3)
    assert all(float(soft_spread(alone, gap)) == 0 for gap in GAPS.values())
