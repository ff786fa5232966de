"""Drawn, counted and climbed trees against enumeration, closed forms, and scikit-learn."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.tree import DecisionTreeClassifier

from workbench.core.schema import Feature, Schema
from workbench.numerics.ellipsoid import log_volume
from workbench.numerics.literals import Statement, holding, statements_of
from workbench.numerics.small_trees import (
    Leaf,
    best_tree,
    drawn_tree,
    n_leaves,
    of_sklearn,
    says,
    ways,
)
from workbench.numerics.tree_counting import error_shares
from workbench.numerics.tree_ladder import climb
from workbench.numerics.tree_sampling import (
    every_tree,
    labelings,
    leaves_of,
    packed,
    ratio_of,
)


def board(n=70, m=6, k=2, seed=0):
    """Random statements, and classes that follow two of them three times in four."""
    rng = np.random.default_rng(seed)
    holds = rng.random((n, m)) < 0.5
    rule = (holds[:, 0] ^ holds[:, 1]).astype(int)
    classes = np.where(rng.random(n) < 0.75, rule, rng.integers(0, k, n))
    return holds, classes


def leaf_of(splits, row):
    """The leaf of one row, place by place."""
    place = 0
    while place < len(splits):
        place = 2 * place + (1 if row[splits[place]] else 2)
    return place - len(splits)


def share_by_listing(holds, classes, k, depth, most):
    """Share of all trees with all labelings that get at most so many rows wrong."""
    good = total = 0
    for splits in itertools.product(range(holds.shape[1]), repeat=2**depth - 1):
        leaves = np.array([leaf_of(splits, row) for row in holds])
        for labels in itertools.product(range(k), repeat=2**depth):
            good += int((np.array(labels)[leaves] != classes).sum() <= most)
            total += 1
    return good / total


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_leaves_hold_what_walking_row_by_row_finds(depth, k):
    holds, classes = board(n=150, k=k)
    rows = packed(holds, classes, k)
    assert rows.n_rows == 150
    splits = np.random.default_rng(1).integers(0, 6, (40, 2**depth - 1))
    found = leaves_of(rows, splits)
    said = []
    for t, places in enumerate(splits):
        leaves = np.array([leaf_of(places, row) for row in holds])
        counts = np.zeros((k, 2**depth), dtype=int)
        np.add.at(counts, (classes, leaves), 1)
        np.testing.assert_array_equal(found.counts[:, :, t], counts)
        said.append(tuple(counts.argmax(0)[leaves]))
        assert found.errors[t] == (counts.argmax(0)[leaves] != classes).sum()
    for i, j in itertools.combinations(range(40), 2):
        assert (found.patterns[i] == found.patterns[j]) == (said[i] == said[j])


@given(st.integers(1, 90), st.integers(1, 5), st.integers(2, 4), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_tree_of_scikit_learn_says_the_same_when_it_is_walked(n, m, k, seed):
    holds, classes = board(n=n, m=max(2, m), k=k, seed=seed)
    fitted = DecisionTreeClassifier(max_leaf_nodes=7, random_state=0).fit(holds, classes)
    seen = fitted.classes_
    tree = of_sklearn(fitted, lambda value: float(seen[value.argmax()]))
    np.testing.assert_array_equal(says(tree, holds), fitted.predict(holds))
    assert n_leaves(tree) == sum(1 for _ in ways(tree)) <= fitted.get_n_leaves()


@given(st.integers(1, 40), st.integers(2, 3), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_trees_of_depth_one_and_two_are_the_best_there_are(n, k, seed):
    holds, classes = board(n=n, m=4, k=k, seed=seed)
    rows = packed(holds, classes, k)
    for depth in (1, 2):
        least = min(leaves_of(rows, splits).errors.min() for splits in every_tree(4, depth))
        tree = best_tree(holds, classes, k, depth)
        assert (says(tree, holds) != classes).sum() == least
        assert n_leaves(tree) <= 2**depth


def test_deeper_best_trees_get_no_more_rows_wrong_and_keep_their_depth():
    holds, classes = board(n=300, m=10)
    wrong = [(says(best_tree(holds, classes, 2, d), holds) != classes).sum() for d in range(7)]
    assert (np.diff(wrong) <= 0).all()
    assert max(len(way) for way, _ in ways(best_tree(holds, classes, 2, 5))) <= 5


@pytest.mark.parametrize(("k", "depth"), [(2, 1), (3, 1), (2, 2)])
def test_counting_equals_listing_every_tree_with_every_labeling(k, depth):
    holds, classes = board(n=30, m=4, k=k)
    shares = np.cumsum(error_shares(holds, classes, k, depth, 30))
    for most in (3, 8, 14, 30):
        assert shares[most] == pytest.approx(
            share_by_listing(holds, classes, k, depth, most), abs=1e-12
        )


def test_labelings_are_those_that_listing_finds():
    holds, classes = board(n=40, k=3)
    splits = np.random.default_rng(2).integers(0, 6, (12, 3))
    found = leaves_of(packed(holds, classes, 3), splits)
    spare = np.arange(12) % 7
    shares = labelings(found.counts, spare)
    for t in range(12):
        costs = found.counts[:, :, t].max(0) - found.counts[:, :, t]
        totals = [
            sum(costs[c, leaf] for leaf, c in enumerate(labels))
            for labels in itertools.product(range(3), repeat=4)
        ]
        assert shares[t] == pytest.approx(np.mean(np.array(totals) <= spare[t]))


def test_drawn_trees_estimate_what_all_trees_of_depth_two_come_to():
    """On six statements, every tree of depth 2 against a sample and its interval."""
    holds, classes = board(n=200)
    rows = packed(holds, classes, 2)
    listed = np.concatenate([leaves_of(rows, s).errors for s in every_tree(6, 2)])
    most = int(listed.min() * 1.05)
    exact = error_shares(holds, classes, 2, 2, most).sum()
    counts = np.concatenate([leaves_of(rows, s).counts for s in every_tree(6, 2)], axis=2)
    good = listed <= most
    by_listing = labelings(counts[:, :, good], most - listed[good]).sum() / 6**3
    assert exact == pytest.approx(by_listing, rel=1e-12)
    covered = 0
    for seed in range(40):
        splits = np.random.default_rng(seed).integers(0, 6, (20_000, 3))
        found = leaves_of(rows, splits)
        hit = found.errors <= most
        shares = labelings(found.counts[:, :, hit], most - found.errors[hit])
        ratio = ratio_of(int(hit.sum()), 20_000, shares, exact=False)
        covered += ratio.log_low <= math.log10(exact) <= ratio.log_high
    assert covered >= 34  # of 40 at 95 %


def test_one_in_many_trees_finds_an_exclusive_or():
    """Of 20 balanced features, two decide: 2/20 roots, 1/400 pairs below, 1 of 16 labelings."""
    rng = np.random.default_rng(0)
    holds = rng.random((2000, 20)) < 0.5
    classes = (holds[:, 3] ^ holds[:, 11]).astype(int)
    exact = 2 / 20 / 400 / 16
    most = int(0.01 * 2000)
    assert error_shares(holds, classes, 2, 2, most).sum() == pytest.approx(exact, rel=1e-9)
    splits = np.random.default_rng(1).integers(0, 20, (200_000, 3))
    found = leaves_of(packed(holds, classes, 2), splits)
    hit = found.errors <= most
    shares = labelings(found.counts[:, :, hit], most - found.errors[hit])
    assert shares == pytest.approx(1 / 16)
    ratio = ratio_of(int(hit.sum()), 200_000, shares, exact=False)
    assert ratio.log_low <= math.log10(exact) <= ratio.log_high
    assert 30 <= ratio.hits <= 75  # about 50

    # The best of depth 1 is no better than guessing, so nearly all are about as good as it.
    stump = best_tree(holds, classes, 2, 1)
    best = (says(stump, holds) != classes).sum()
    assert best / 2000 > 0.45
    assert error_shares(holds, classes, 2, 1, int(best * 1.1)).sum() > 0.95


def test_no_hit_is_a_bound_and_never_nothing():
    ratio = ratio_of(0, 1000, np.zeros(0), exact=False)
    assert math.isnan(ratio.log_ratio)
    assert math.isnan(ratio.log_low)
    assert ratio.log_high == pytest.approx(math.log10(3 / 1000))


def test_shares_grow_with_the_tolerance():
    holds, classes = board(n=120)
    rows = packed(holds, classes, 2)
    splits = np.random.default_rng(3).integers(0, 6, (3000, 7))
    found = leaves_of(rows, splits)
    counted, drawn = np.cumsum(error_shares(holds, classes, 2, 3, 60)), []
    for most in range(20, 60, 4):
        hit = found.errors <= most
        drawn.append(labelings(found.counts[:, :, hit], most - found.errors[hit]).sum() / 3000)
    assert (np.diff(counted) >= 0).all()
    assert (np.diff(drawn) >= 0).all()
    assert drawn == pytest.approx(counted[20:60:4], rel=0.2)


def test_ladders_find_how_rare_the_good_are_where_no_drawn_tree_is():
    """Against counting: the share of good trees of depth 3 among 25 statements."""
    rng = np.random.default_rng(4)
    holds = rng.random((400, 25)) < 0.5
    rule = (holds[:, 0] & holds[:, 1]) | (holds[:, 2] & ~holds[:, 0])
    classes = (rule ^ (rng.random(400) < 0.1)).astype(int)
    rows = packed(holds, classes, 2)
    best = int((says(best_tree(holds, classes, 2, 3), holds) != classes).sum())
    most = int(best * 1.05)
    exact = math.log10(error_shares(holds, classes, 2, 3, most).sum())
    assert exact < -6
    splits = rng.integers(0, 25, (4000, 7))
    errors = leaves_of(rows, splits).errors
    pool = np.argsort(errors, kind="stable")[:400]
    values = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        found = climb(
            rows, splits[random.choice(pool, 150)], math.log(400 / 4000), best,
            lambda least: int(least * 1.05), random, lambda: None,
        )  # fmt: skip
        assert found.best == best
        assert (found.leaves.errors <= most).all()
        share = labelings(found.leaves.counts, most - found.leaves.errors).mean()
        values.append(found.log_share / math.log(10) + math.log10(share))
    assert np.mean(values) == pytest.approx(exact, abs=0.35)
    stopped = climb(
        rows, splits[pool[:150]], math.log(0.1), best, lambda least: least,
        np.random.default_rng(0), lambda: None, limit=1,
    )  # fmt: skip
    assert not len(stopped.splits)
    assert stopped.log_share == pytest.approx(math.log(0.1))


def test_a_drawn_tree_says_what_its_leaves_hold():
    holds, classes = board(n=90, k=3)
    splits = np.random.default_rng(5).integers(0, 6, (20, 7))
    errors = leaves_of(packed(holds, classes, 3), splits).errors
    for places, wrong in zip(splits, errors, strict=True):
        tree = drawn_tree(places, holds, classes, 3)
        assert (says(tree, holds) != classes).sum() == wrong


def test_the_volume_of_equally_good_ridges_is_that_of_points_thrown_at_them():
    rng = np.random.default_rng(6)
    X, penalty, tolerance = rng.normal(size=(30, 3)), 0.7, 2.5
    y = rng.normal(size=30)
    weights = np.linalg.solve(X.T @ X + penalty * np.eye(3), X.T @ y)

    def loss(w):
        return np.square(y[:, None] - X @ w).sum(0) + penalty * np.square(w).sum(0)

    half = np.sqrt(tolerance * np.diag(np.linalg.inv(X.T @ X + penalty * np.eye(3))))
    thrown = weights[:, None] + rng.uniform(-1, 1, (3, 400_000)) * half[:, None]
    inside = (loss(thrown) <= loss(weights[:, None]) + tolerance).mean()
    volume = math.exp(log_volume(X, penalty=penalty, tolerance=tolerance))
    assert volume == pytest.approx(inside * np.prod(2 * half), rel=0.02)
    assert log_volume(np.eye(5), penalty=0.0, tolerance=4.0) == pytest.approx(
        5 * math.log(2) + 2.5 * math.log(math.pi) - special.gammaln(3.5)
    )
    assert log_volume(np.ones((4, 2)), penalty=0.0, tolerance=1.0) == math.inf or np.isfinite(
        log_volume(np.ones((4, 2)), penalty=0.1, tolerance=1.0)
    )
    assert log_volume(np.ones((1, 3)), penalty=0.0, tolerance=1.0) == math.inf


def test_statements_cut_numbers_at_quantiles_and_say_nothing_twice():
    features = (
        Feature(name="a"), Feature(name="b", kind="categorical", categories=("x", "y", "z")),
        Feature(name="c"),
    )  # fmt: skip
    X = np.array([[1.0, 0, 5], [2, 1, 5], [3, 0, 5], [np.nan, 1, 5]])
    found = statements_of(X, Schema(features=features), 4)
    assert [s for s in found if s.feature == 0] == [
        Statement(0, "at_most", 1.0), Statement(0, "at_most", 2.0), Statement(0, "at_most", 3.0),
    ]  # fmt: skip
    assert [s for s in found if s.feature == 1] == [Statement(1, "is", 0.0)]
    assert not [s for s in found if s.feature == 2]
    np.testing.assert_array_equal(
        holding(found, X)[:, 2], [True, True, True, False], err_msg="missing is at most nothing"
    )
    assert holding((), X).shape == (4, 0)
    assert best_tree(holding((), X), np.array([0, 1, 1, 1]), 2, 3) == Leaf(1.0)
