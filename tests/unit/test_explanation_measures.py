"""Measures of explanations against captum, scipy, closed forms and their definitions."""

import itertools
import math

import numpy as np
import pytest
import torch
from captum.metrics import infidelity as captum_infidelity
from captum.metrics import sensitivity_max
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from torch import nn

from workbench.numerics.explanation_measures import (
    completeness_gap,
    complexity,
    curve_area,
    faithfulness_correlation,
    infidelity,
    kept_on_the_way,
    max_sensitivity,
    predicted_changes,
    prediction_gap,
    rank_correlation,
    relative_changes,
    relative_moves,
    relative_stability,
    removal_order,
    sparseness,
    strongest,
)
from workbench.numerics.removal_measures import sensitivity_n, share_lost


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def net(d, k=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(d, 8), nn.Tanh(), nn.Linear(8, k)).double().eval()


def slopes_of(network, X, output):
    X = X.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(network(X)[:, output].sum(), X)[0]


@pytest.mark.parametrize("rescaled", [False, True])
def test_infidelity_is_captums_given_the_same_perturbations(rescaled):
    b, d, k, s = 6, 5, 2, 40
    network, X, steps = net(d, k), drawn(b, d), drawn(b, s, d, seed=1)
    values = drawn(b, 1, d, k, seed=2)
    outputs = network((X[:, None] - steps).flatten(0, 1)).view(b, s, k).detach()
    happened = network(X).detach()[:, None] - outputs
    ours = infidelity(predicted_changes(values, steps), happened, rescaled=rescaled)
    for output in range(k):
        theirs = captum_infidelity(
            network, lambda rows: (steps.flatten(0, 1), rows - steps.flatten(0, 1)), X,
            values[:, 0, :, output], target=output, n_perturb_samples=s, normalize=rescaled,
        )  # fmt: skip
        torch.testing.assert_close(ours[:, 0, output], theirs, rtol=0, atol=1e-6)


def test_max_sensitivity_is_captums_given_the_same_copies():
    b, d, s = 6, 5, 12
    network, X, steps = net(d), drawn(b, d), 0.05 * drawn(b, s, d, seed=1)
    copies = (X[:, None] + steps).flatten(0, 1)
    values = slopes_of(network, X, 1)[:, None, :, None]
    others = slopes_of(network, copies, 1).view(b, s, 1, d, 1)

    def explained(rows):
        return (slopes_of(network, rows[0] if isinstance(rows, tuple) else rows, 1),)

    theirs = sensitivity_max(explained, X, perturb_func=lambda _: copies, n_perturb_samples=s)
    ours = max_sensitivity(relative_changes(values, others))[:, 0, 0]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def removals(d):
    """All coalitions of removed features but none and all."""
    found = list(itertools.product([0.0, 1.0], repeat=d))[1:-1]
    return torch.tensor(found, dtype=torch.float64)[None]


def test_random_values_say_nothing_and_their_features_count_alike():
    b, d, s = 400, 6, 50
    network, X = net(d), drawn(b, d)
    random, removed = drawn(b, 1, d, 2, seed=3), removals(d)
    with torch.no_grad():
        base = network(X)
        gone = network((X[:, None] * (1 - removed)).flatten(0, 1)).view(b, -1, 2)
        found = faithfulness_correlation(predicted_changes(random, removed), base[:, None] - gone)
        assert abs(float(found.mean())) < 0.05

        steps, top = 0.1 * drawn(b, s, d, seed=4), strongest(random, d // 2)
        gaps = []
        for chosen in (top, ~top):
            moved = X[:, None, None] + steps[:, None] * chosen.movedim(3, 1)[:, :, 0, None]
            outputs = torch.stack(
                [network(moved[:, i].flatten(0, 1))[:, i].view(b, s) for i in range(2)], -1
            )
            gaps.append(prediction_gap(outputs[:, None], base))
    apart = (gaps[0] - gaps[1]).flatten()
    assert abs(float(apart.mean())) < 3 * float(apart.std()) / len(apart) ** 0.5
    assert float(gaps[0].mean()) > 0.01


def test_exact_values_of_a_linear_model_are_without_fault():
    b, d, k = 7, 5, 3
    weights, X, reference = drawn(d, k), drawn(b, d, seed=1), drawn(d, seed=2)
    values = ((X - reference)[:, :, None] * weights)[:, None]
    removed = removals(d)
    gone = torch.where(removed > 0, reference, X[:, None]) @ weights
    full, empty = X @ weights, (reference @ weights).expand(b, k)
    predicted, happened = predicted_changes(values, removed), full[:, None] - gone
    ones = torch.ones(b, 1, k, dtype=torch.float64)
    torch.testing.assert_close(faithfulness_correlation(predicted, happened), ones)
    assert float(infidelity(predicted, happened).max()) < 1e-10
    assert float(infidelity(predicted, happened, relative=True).max()) < 1e-10
    assert float(completeness_gap(values, full, empty).max()) < 1e-6
    # Twice the values: the shape is as good, the size is not.
    assert float(infidelity(2 * predicted, happened, rescaled=True).max()) < 1e-10
    torch.testing.assert_close(infidelity(2 * predicted, happened, relative=True), ones)
    torch.testing.assert_close(completeness_gap(2 * values, full, empty), ones)


def test_sparseness_and_complexity_of_one_hot_and_of_uniform_values():
    d = 8
    one, alike = torch.zeros(1, 1, d, 1).double(), torch.full((1, 1, d, 1), -0.3).double()
    one[0, 0, 3] = -2.0
    assert float(sparseness(one)) == pytest.approx((d - 1) / d, abs=1e-15)
    assert float(sparseness(alike)) == pytest.approx(0, abs=1e-15)
    assert float(complexity(one)) == 0
    assert float(complexity(alike)) == pytest.approx(math.log(d), abs=1e-14)
    assert sparseness(0 * one).isnan().all()
    assert complexity(0 * one).isnan().all()


def test_sparseness_is_the_mean_difference_of_sizes():
    values = drawn(4, 2, 7, 3)
    size = values.abs()
    apart = (size[:, :, :, None] - size[:, :, None]).abs().sum((2, 3))
    torch.testing.assert_close(sparseness(values), apart / (2 * 7 * size.sum(2)))


def test_a_feature_without_a_value_is_as_if_it_were_not_there():
    values = drawn(3, 2, 5, 2)
    padded = torch.cat([values[:, :, :2], torch.full_like(values[:, :, :1], math.nan),
                        values[:, :, 2:]], 2)  # fmt: skip
    for measure in (sparseness, complexity):
        torch.testing.assert_close(measure(padded), measure(values))
    torch.testing.assert_close(
        rank_correlation(padded, padded.roll(1, 0)), rank_correlation(values, values.roll(1, 0))
    )
    assert not strongest(padded, 6)[:, :, 2].any()
    assert (strongest(padded, 3).sum(2) == 3).all()


@given(st.integers(2, 7), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_rank_correlation_is_scipys_with_ties(d, seed):
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 4, (2, 3, 2, d, 2)).astype(float)
    found = rank_correlation(torch.from_numpy(one), torch.from_numpy(other))
    for b, m, k in np.ndindex(3, 2, 2):
        sides = one[b, m, :, k], other[b, m, :, k]
        if any(np.ptp(side) == 0 for side in sides):
            assert found[b, m, k].isnan()
        else:
            assert float(found[b, m, k]) == pytest.approx(spearmanr(*sides)[0], abs=1e-12)


def test_strongest_takes_sizes_and_the_first_of_equals():
    values = torch.tensor([1.0, -3.0, 2.0, -2.0, 0.0]).double().view(1, 1, 5, 1)
    assert strongest(values, 2).flatten().tolist() == [False, True, True, False, False]


def test_curves_follow_the_order_of_the_values():
    # Additive model: 5 = 1 (reference) + 3 + 2 - 1, so the best order is known.
    values = torch.tensor([2.0, -1.0, 3.0]).double().view(1, 1, 3, 1)
    full, empty = torch.tensor([[5.0]]).double(), torch.tensor([[1.0]]).double()
    order = removal_order(values, full, empty)
    assert order.flatten().tolist() == [2, 0, 1]
    areas = {}
    for insertion in (False, True):
        kept = kept_on_the_way(order, insertion=insertion)  # (1, 1, 2, 3, 1)
        outputs = empty[:, :, None, None] + (kept * values[:, :, None]).sum(3)
        areas[insertion] = float(curve_area(outputs, full, empty))
    assert areas[False] == pytest.approx((0.5 * 1 + 0.25 - 0.25 + 0) / 3)  # 1, 1/4, -1/4, 0
    assert areas[True] == pytest.approx((0 + 0.75 + 1.25 + 0.5) / 3)  # 0, 3/4, 5/4, 1


def test_exact_contributions_of_a_sum_are_sufficient_and_sensitive():
    values = torch.tensor([4.0, 2.0, 1.0, 1.0]).double().view(1, 1, 4, 1)
    full, empty = torch.tensor([[9.0]]).double(), torch.tensor([[1.0]]).double()
    order = removal_order(values, full, empty)
    lost = {}
    for insertion in (False, True):
        kept = kept_on_the_way(order, insertion=insertion)
        outputs = empty[:, :, None, None] + (kept * values[:, :, None]).sum(3)
        lost[insertion] = float(share_lost(outputs, full, empty, (1, 2)))
    assert lost[False] == pytest.approx((4 / 8 + 6 / 8) / 2)
    assert lost[True] == pytest.approx((4 / 8 + 2 / 8) / 2)
    predicted, sizes = drawn(3, 2, 40, 2), torch.tensor([1, 2]).repeat(20)
    # What grows with the size alone is no merit: within each size it is known exactly.
    happened = predicted[:, 0] + 100 * sizes[:, None]
    torch.testing.assert_close(
        sensitivity_n(predicted, happened, sizes)[:, 0], torch.ones(3, 2).double()
    )
    assert faithfulness_correlation(predicted, happened)[:, 0].abs().max() < 0.5
    assert share_lost(drawn(2, 1, 3, 1), full[[0, 0]], full[[0, 0]], (1,)).isnan().all()


def test_a_row_below_the_reference_is_the_mirror_image():
    values, full, empty = drawn(5, 2, 4, 3), drawn(5, 3, seed=1), drawn(5, 3, seed=2)
    assert torch.equal(removal_order(values, full, empty), removal_order(-values, -full, -empty))
    between = drawn(5, 2, 3, 3, seed=4)
    torch.testing.assert_close(
        curve_area(between, full, empty), curve_area(-between, -full, -empty)
    )


def test_stability_takes_the_worst_usable_copy():
    changes = torch.tensor([0.1, 0.4, 0.9, 0.5]).double().view(1, 4, 1, 1)
    moved = torch.tensor([[0.1, 0.2, 0.1, 0.0]]).double()
    usable = torch.tensor([[True, True, False, True]])
    assert float(relative_stability(changes, moved, usable)) == pytest.approx(2.0)
    assert relative_stability(changes, 0 * moved, usable).isnan().all()
    assert float(max_sensitivity(changes)) == pytest.approx(0.9)


def test_nothing_is_said_where_nothing_is_defined():
    zero, full = torch.zeros(2, 1, 4, 2).double(), drawn(2, 2)
    assert completeness_gap(drawn(2, 1, 4, 2), full, full * (1 + 1e-14)).isnan().all()
    assert curve_area(drawn(2, 1, 0, 2), full, full).isnan().all()
    assert relative_changes(zero, drawn(2, 3, 1, 4, 2)).isnan().all()
    predicted, nothing = drawn(2, 1, 9, 2), torch.full((2, 9, 2), 0.1).double()
    assert faithfulness_correlation(predicted, nothing).isnan().all()
    assert infidelity(predicted, 0 * nothing, relative=True).isnan().all()
    assert relative_moves(torch.zeros(2, 4).double(), drawn(2, 3, 4)).isnan().all()


def one_at_a_time(values, steps, base, outputs, others, points, copies):
    """Replicates all measures with loops over rows, methods and outputs, from the formulas."""
    b, m, d, k = values.shape
    found = {}
    for i, j, o in itertools.product(range(b), range(m), range(k)):
        e = values[i, j, :, o].numpy()
        predicted = np.array([sum(e[f] * float(step[f]) for f in range(d)) for step in steps[i]])
        happened = (base[i, o] - outputs[i, :, o]).numpy()
        size = np.sort(np.abs(e))
        shares = size / size.sum()
        changes = [
            np.linalg.norm(other[j, :, o].numpy() - e) / np.linalg.norm(e) for other in others[i]
        ]
        moves = [
            np.linalg.norm((copy - points[i]).numpy()) / np.linalg.norm(points[i].numpy())
            for copy in copies[i]
        ]
        found[i, j, o] = (
            pearsonr(predicted, happened)[0],
            np.mean((predicted - happened) ** 2),
            np.mean(np.abs(happened)),
            max(changes),
            max(c / v for c, v in zip(changes, moves, strict=True)),
            1 - 2 * sum(p * (d - r - 0.5) / d for r, p in enumerate(shares)),
            -sum(p * math.log(p) for p in shares),
        )
    return np.array([found[key] for key in np.ndindex(b, m, k)]).reshape(b, m, k, -1)


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_all_rows_at_once_equal_one_at_a_time(data):
    b, m, d, k, s = (data.draw(st.integers(low, top)) for low, top in
                     ((1, 3), (1, 3), (2, 5), (1, 3), (3, 9)))  # fmt: skip
    values, steps = drawn(b, m, d, k), drawn(b, s, d, seed=1)
    base, outputs = drawn(b, k, seed=2), drawn(b, s, k, seed=3)
    others, points, copies = (
        drawn(b, 4, m, d, k, seed=4),
        drawn(b, d, seed=5),
        drawn(b, 4, d, seed=6),
    )
    predicted, happened = predicted_changes(values, steps), base[:, None] - outputs
    changes = relative_changes(values, others)
    usable = torch.ones(b, 4, dtype=torch.bool)
    got = torch.stack([
        faithfulness_correlation(predicted, happened),
        infidelity(predicted, happened),
        prediction_gap(outputs[:, None].expand(-1, m, -1, -1), base),
        max_sensitivity(changes),
        relative_stability(changes, relative_moves(points, copies), usable),
        sparseness(values),
        complexity(values),
    ], -1)  # fmt: skip
    expected = one_at_a_time(values, steps, base, outputs, others, points, copies)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-9)
