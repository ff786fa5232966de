"""Gaps between groups, their noise floor, and measures over people, against slow definitions."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from workbench.core.fairness_metrics import GAPS, RATES
from workbench.numerics.count_bootstrap import reassigned
from workbench.numerics.gap_intervals import (
    furthest_apart,
    gap_intervals,
    gaps_by_chance,
    gaps_of_cells,
)
from workbench.numerics.group_means import sums_of
from workbench.numerics.group_rates import denominators_of, gaps_of, rates_of
from workbench.numerics.group_scores import (
    calibration_errors,
    cross_areas,
    passed,
    reliability,
)
from workbench.numerics.intervals import mean_interval
from workbench.numerics.mean_gaps import Valued, mean_gaps, widest
from workbench.numerics.rates import wilson_bounds, with_bounds
from workbench.numerics.unevenness import (
    between_groups,
    differential,
    disagreements,
    generalized_entropy,
    theil,
)

NAMES = list(GAPS)
# Rows by (truth, decision): TN, FP, FN, TP.
CELLS = np.array([[60.0, 15, 10, 25], [30, 20, 6, 30], [10, 2, 9, 4]])


def with_wilson(cells):
    counts = cells.reshape(-1, 2, 2)
    rates, n = rates_of(counts), denominators_of(counts)
    return with_bounds(rates, wilson_bounds(np.nan_to_num(rates) * n, n))


def gap(name, values):
    return values[NAMES.index(name)]


def test_gaps_follow_their_definitions():
    tn, fp, fn, tp = CELLS.T
    tpr, fpr, selected = tp / (tp + fn), fp / (fp + tn), (fp + tp) / CELLS.sum(1)
    found = gaps_of_cells(CELLS)
    assert gap("selection_rate_difference", found) == pytest.approx(np.ptp(selected))
    assert gap("selection_rate_ratio", found) == pytest.approx(selected.min() / selected.max())
    assert gap("equalized_odds_worst", found) == pytest.approx(max(np.ptp(tpr), np.ptp(fpr)))
    assert gap("equalized_odds_mean", found) == pytest.approx((np.ptp(tpr) + np.ptp(fpr)) / 2)


def test_groups_without_a_rate_make_no_gap_and_one_alone_has_none():
    cells = CELLS.copy()
    cells[2, 2:] = 0  # nobody with the favourable outcome
    found = gaps_of_cells(cells)
    without = gaps_of_cells(cells[:2])
    assert gap("true_positive_rate_difference", found) == pytest.approx(
        gap("true_positive_rate_difference", without)
    )
    alone = gaps_of_cells(cells[[0, 2]])
    assert np.isnan(gap("true_positive_rate_difference", alone))
    assert np.isnan(gap("equalized_odds_worst", alone))
    assert np.isfinite(gap("selection_rate_difference", alone))


@pytest.mark.parametrize(
    ("groups", "n", "mean", "high"),
    [(2, 30, 0.095, 0.233), (8, 30, 0.237, 0.367), (8, 100, 0.130, 0.190),
     (20, 30, 0.309, 0.400), (2, 1000, 0.016, 0.040)],
)  # fmt: skip
def test_the_noise_floor_of_groups_that_are_alike(groups, n, mean, high):
    """Tables are drawn at one rate, and each is dealt out again: the floor over both."""
    rng = np.random.default_rng(0)
    drawn = []
    for favoured in rng.binomial(groups * n, 0.3, 120):
        sizes = np.full(groups, n)
        cells = np.zeros((groups, 4), dtype=np.int64)
        cells[:, 0] = sizes  # who is favoured is dealt out among all
        cells[:, 1] = np.diff(np.linspace(0, favoured, groups + 1).astype(int))
        cells[:, 0] -= cells[:, 1]
        dealt = reassigned(cells, 150, rng)
        drawn.append(gaps_of_cells(dealt)[:, NAMES.index("selection_rate_difference")])
    drawn = np.concatenate(drawn)
    assert drawn.mean() == pytest.approx(mean, abs=0.01)
    assert np.quantile(drawn, 0.95) == pytest.approx(high, abs=0.01)


def test_random_groups_keep_how_many_rows_a_rate_is_a_share_of():
    """A group with few positives has a floor of its own, however many rows it has."""
    cells = np.array([[500, 100, 100, 300], [900, 90, 4, 6]])
    value = gaps_of_cells(cells.astype(float))
    floors, chances = gaps_by_chance(cells, value, 4000, np.random.default_rng(0))
    place = NAMES.index("true_positive_rate_difference")
    positives = stats.hypergeom(410, 306, 10)  # of the ten positives of the second group
    k = np.arange(11)
    apart = np.abs(k / 10 - (306 - k) / 400)
    assert floors[place, 0] == pytest.approx((positives.pmf(k) * apart).sum(), abs=0.005)
    exact = positives.pmf(k)[apart >= value[place] - 1e-12].sum()
    assert chances[place] == pytest.approx(exact, abs=0.03)


def test_chances_are_as_rare_as_they_say():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(120):
        cells = np.stack([rng.multinomial(n, [0.4, 0.1, 0.2, 0.3]) for n in (120, 60, 40)])
        value = gaps_of_cells(cells.astype(float))
        found.append(gaps_by_chance(cells, value, 60, rng)[1])
    rare = (np.array(found) <= 0.1).mean(0)
    assert (rare <= 0.18).all()
    assert rare.mean() > 0.05


@pytest.mark.parametrize("alike", [True, False])
def test_intervals_of_gaps_cover(alike):
    rng = np.random.default_rng(4)
    sizes = (200, 100, 60)
    shares = np.array([[0.35, 0.15, 0.2, 0.3], [0.5, 0.1, 0.2, 0.2], [0.2, 0.3, 0.1, 0.4]])
    shares = shares[[0, 0, 0]] if alike else shares
    true, hits = gaps_of_cells(shares), []
    for _ in range(60):
        cells = np.stack([rng.multinomial(*own) for own in zip(sizes, shares, strict=True)])
        rates = with_wilson(cells.astype(float))
        chances = gaps_by_chance(cells, gaps_of(rates[..., 0]), 60, rng)[1]
        found = gap_intervals(cells.astype(float), rates, chances, 200, rng)
        hits.append((found[:, 1] <= true + 1e-9) & (true <= found[:, 2] + 1e-9))
    covered = np.mean(hits, 0)
    assert (covered >= 0.85).all()
    assert covered.mean() >= 0.9


def test_a_small_group_whose_rows_all_fared_alike_still_widens_the_interval():
    cells = np.array([[100.0, 100, 100, 100], [90, 80, 90, 100], [2, 2, 3, 0]])
    rates = with_wilson(cells)
    none = np.zeros(len(GAPS))
    found = gap_intervals(cells, rates, none, 400, np.random.default_rng(0))
    place = NAMES.index("true_positive_rate_difference")
    low, high = found[place, 1:]
    assert low < 0.2  # 0 of 3 may well be 0.4
    assert high > found[place, 0]
    assert (found[:, 1] <= found[:, 0] + 1e-12).all()
    assert (found[:, 2] >= found[:, 0] - 1e-12).all()


def test_two_groups_have_movers_interval():
    rates = with_wilson(CELLS[:2])
    plain = furthest_apart(rates)
    found = gap_intervals(CELLS[:2], rates, np.zeros(len(GAPS)), 300, np.random.default_rng(0))
    for name in ("selection_rate_difference", "selection_rate_ratio", "accuracy_difference"):
        np.testing.assert_allclose(gap(name, found), gap(name, plain))


def people(cells):
    """Truth and decision of each person."""
    truth = np.repeat([0, 0, 1, 1], np.asarray(cells, dtype=int))
    decided = np.repeat([0, 1, 0, 1], np.asarray(cells, dtype=int))
    return truth, decided


def test_indices_over_people_follow_their_definitions():
    total = CELLS.sum(0)
    truth, decided = people(total)
    b = decided - truth + 1.0
    r = b / b.mean()
    logs = np.log(np.where(r > 0, r, 1.0))
    assert theil(total) == pytest.approx((r * logs).mean(), abs=1e-12)
    assert generalized_entropy(total) == pytest.approx(((r**2 - 1) / 2).mean(), abs=1e-12)
    means = [np.subtract(*people(own)[::-1]).mean() + 1 for own in CELLS]
    sizes = CELLS.sum(1) / CELLS.sum()
    parts = [w * m / b.mean() * np.log(m / b.mean()) for w, m in zip(sizes, means, strict=True)]
    assert between_groups(CELLS) == pytest.approx(sum(parts) / (r * logs).mean())
    assert np.isnan(between_groups(np.array([[3.0, 0, 0, 4], [2, 0, 0, 1]])))  # nobody wronged


def test_differential_fairness_by_every_pair_of_groups():
    n, selected = CELLS.sum(1), CELLS[:, 1] + CELLS[:, 3]
    worst = 0.0
    for (i, j), yes in itertools.product(itertools.permutations(range(3), 2), (True, False)):
        k = selected if yes else n - selected
        p = (k + 0.5) / (n + 1)
        worst = max(worst, abs(np.log(p[i]) - np.log(p[j])))
    assert differential(CELLS) == pytest.approx(worst, abs=1e-12)
    empty = np.concatenate([CELLS, np.zeros((1, 4))])
    assert differential(empty) == pytest.approx(worst, abs=1e-12)
    assert np.isnan(differential(empty[[0, 3]]))


def test_consistency_with_and_without_oneself_by_hand():
    # On a line at 0, 1, 3, 7: with oneself the two nearest are oneself and the next one.
    points, decided = np.array([[0.0], [1.0], [3.0], [7.0]]), np.array([1.0, 0.0, 1.0, 1.0])
    own = np.arange(4)
    alone = disagreements(points, decided, 1, own, with_self=False)
    np.testing.assert_allclose(alone, [1, 1, 1, 0])
    together = disagreements(points, decided, 2, own, with_self=True)
    np.testing.assert_allclose(together, [0.5, 0.5, 0.5, 0])
    # Rows that tie for the last place share it.
    tied = disagreements(np.array([[0.0], [1.0], [-1.0]]), np.array([1.0, 1.0, 0.0]), 1,
                         np.array([0]), with_self=False)  # fmt: skip
    np.testing.assert_allclose(tied, [0.5])


def test_consistency_against_sklearns_neighbours():
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    points, decided = rng.normal(size=(200, 6)), rng.integers(0, 2, 200).astype(float)
    nearest = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(points)
    for with_self, at in ((True, nearest.kneighbors(points)), (False, nearest.kneighbors())):
        expected = np.abs(decided - decided[at[1]].mean(1))
        found = disagreements(points, decided, 5, np.arange(200), with_self=with_self)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.fixture
def rows():
    rng = np.random.default_rng(2)
    scores = rng.random(300).round(1)  # many ties
    truth = (rng.random(300) < scores).astype(int)
    return scores, truth, rng.integers(0, 3, 300)


def test_areas_within_and_across_groups(rows):
    scores, truth, group = rows
    rank = np.unique(scores, return_inverse=True)[1]
    found = cross_areas(rank, truth, group, 4)
    for a, b in itertools.product(range(3), repeat=2):
        one, other = scores[(group == a) & (truth == 1)], scores[(group == b) & (truth == 0)]
        above = (one[:, None] > other) + 0.5 * (one[:, None] == other)
        assert found[a, b] == pytest.approx(above.mean(), abs=1e-12)
    own = group == 1
    assert found[1, 1] == pytest.approx(roc_auc_score(truth[own], scores[own]), abs=1e-12)
    assert np.isnan(found[3]).all()
    assert np.isnan(found[:, 3]).all()


def test_reliability_bins_hold_equally_many_and_the_error_is_their_mean_distance(rows):
    scores, truth, group = rows
    order = np.argsort(scores, kind="stable")
    means, counts, positives = reliability(scores, truth, group, 3, order)
    assert (counts.max(1) - counts.min(1) <= 1).all()
    found = calibration_errors(means, counts, positives, 400, np.random.default_rng(0))
    for g in range(3):
        own = order[group[order] == g]
        bins = np.arange(len(own)) * 10 // len(own)
        error = 0.0
        for b in range(10):
            held = own[bins == b]
            error += len(held) / len(own) * abs(scores[held].mean() - truth[held].mean())
        assert found[g, 0] == pytest.approx(error, abs=1e-12)
        assert 0 <= found[g, 1] <= found[g, 2]
    # Rows drawn from their scores are calibrated: chance is taken off.
    assert (found[:, 1] == 0).any()


def test_who_reaches_each_threshold(rows):
    scores, truth, group = rows
    thresholds = np.linspace(0, 1, 21)
    found = passed(scores, group * 2 + truth, 6, thresholds)
    for t, cell in itertools.product(range(21), range(6)):
        own = group * 2 + truth == cell
        assert found[t, cell] == (scores[own] >= thresholds[t]).sum()


@pytest.mark.parametrize("weighted", [True, False])
def test_means_from_sums_are_those_of_the_rows(rows, weighted):
    scores, _, group = rows
    values = 1e6 + scores
    weights = np.random.default_rng(5).random(300) if weighted else np.ones(300)
    found = sums_of(values, group, 3, weights if weighted else None).interval()
    for g in range(3):
        own = group == g
        np.testing.assert_allclose(found[g], mean_interval(values[own], weights[own]), rtol=1e-12)
    apart = found[:, 2] - found[:, 1]
    assert (apart > 0).all()


def test_gaps_of_means_cover_and_know_chance():
    rng = np.random.default_rng(6)
    group = np.repeat([0, 1, 2], (60, 30, 20))
    hits, rare = [], []
    for shift in (0.0, 1.0) * 12:
        values = (rng.normal(size=110) + shift * (group == 1))[None]
        measures = sums_of(values[0], group, 3).interval()[None]
        valued = Valued(values, group, 3, np.ones(110))
        gaps, floors, chances = mean_gaps(valued, measures, np.asarray, 100, rng)
        assert gaps[0, 0] == pytest.approx(widest(measures[..., 0])[0])
        assert 0 < floors[0, 0] < floors[0, 1]
        hits.append(gaps[0, 1] <= shift <= gaps[0, 2])
        rare.append((chances[0] <= 0.05) == (shift > 0))
    assert np.mean(hits) >= 0.85
    assert np.mean(rare) >= 0.85


def test_every_rate_has_a_gap_or_a_complement_that_has():
    told = {name for found in GAPS.values() for name in found.of}
    assert set(RATES) - told == {"false_negative_rate", "true_negative_rate"}
