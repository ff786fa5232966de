"""Likeness of rows, and how often a group is met, against loops over rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.networks import tiny_table
from workbench.core.context import Context
from workbench.numerics.group_support import (
    balanced_rows,
    nearest,
    positions,
    support_of,
    together,
)

TABLE = tiny_table(n=120, d=4, missing=True)
FEATURES = TABLE.schema.features


def middle_rank(column, value):
    known = column[~np.isnan(column)]
    return ((known < value).sum() + (known <= value).sum()) / (2 * len(known))


def distance_by_definition(one, other, data):
    """Sum over features, from the raw cells."""
    total = 0.0
    for j, feature in enumerate(FEATURES):
        a, b = one[j], other[j]
        if feature.categories:
            total += not (a == b or (np.isnan(a) and np.isnan(b)))
            continue
        ranks = [0.5 if np.isnan(x) else middle_rank(data[:, j], x) for x in (a, b)]
        total += 6 * (ranks[0] - ranks[1]) ** 2 + (np.isnan(a) != np.isnan(b))
    return total


def distances_of(table=TABLE):
    data = table.X.numpy()
    return np.array([[distance_by_definition(a, b, data) for b in data] for a in data])


def test_squared_distances_are_those_of_the_definition():
    placed = positions(FEATURES, TABLE.X, TABLE.X)
    squared = torch.cdist(placed.double(), placed.double()).square()
    np.testing.assert_allclose(squared, distances_of(), atol=1e-5)


def test_numbers_without_ties_are_one_apart_on_average():
    X = torch.randn(500, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    placed = positions(FEATURES[:1], X, X)[:, 0]
    assert float((placed[:, None] - placed).square().mean()) == pytest.approx(1.0, abs=0.01)


def test_the_nearest_are_found_and_never_the_row_itself():
    placed = positions(FEATURES, TABLE.X, TABLE.X)
    found = nearest(placed, placed, 7, own=torch.arange(120), context=Context(), what="rows")
    expected = distances_of()
    np.fill_diagonal(expected, np.inf)
    near = np.sort(expected, 1)[:, :7]
    np.testing.assert_allclose(np.take_along_axis(expected, found.numpy(), 1), near, atol=1e-5)
    assert not (found == torch.arange(120)[:, None]).any()


def test_support_is_counted_among_neighbours():
    group = np.random.default_rng(1).integers(0, 2, 120)
    placed = positions(FEATURES, TABLE.X, TABLE.X)
    own = torch.arange(120)
    got = support_of(placed, placed, group, 2, own=own, context=Context())
    near = nearest(placed, placed, 24, own=own, context=Context(), what="rows").numpy()
    for i in range(120):
        for c in (0, 1):
            among = (group[near[i]] == c).mean()
            assert got[i, c] == pytest.approx(among / (group == c).mean())


def test_of_a_small_group_nothing_is_said():
    group = np.zeros(120, dtype=np.int64)
    group[:20] = 1  # a sixth of 24 neighbours is four
    placed = positions(FEATURES, TABLE.X, TABLE.X)
    got = support_of(placed, placed, group, 2, own=None, context=Context())
    assert np.isnan(got[:, 1]).all()
    assert np.isfinite(got[:, 0]).all()


def test_a_table_without_other_features_has_no_neighbours():
    none = replace(TABLE, X=TABLE.X).X[:, :0]
    placed = positions((), none, none)
    got = support_of(placed, placed, np.arange(120) % 2, 2, own=None, context=Context())
    assert np.isnan(got).all()


def test_small_groups_are_taken_whole_and_large_ones_share_the_rest():
    group = np.repeat([0, 1, 2, -1], [10, 500, 900, 50])
    drawn = balanced_rows(group, 3, 310, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(group[drawn]), [10, 150, 150])
    assert len(set(drawn)) == len(drawn)


def test_pairs_are_seldom_only_where_rows_show_it():
    one = np.repeat([0, 1], [500, 500])
    never = np.repeat([0, 1], [500, 500])
    found = together(one, 2, never, 2, share=0.1)
    np.testing.assert_array_equal(found.seldom, [[False, True], [True, False]])
    np.testing.assert_allclose(found.expected, 250.0)
    rare = np.where(np.arange(1000) < 5, 1, 0)  # five rows cannot show what a thousand would
    assert not together(one, 2, rare, 2, share=0.1).seldom.any()
    # Poisson's upper end for none seen is 3.69.
    some = np.where(np.arange(1000) < 73, 1, 0)
    more = np.where(np.arange(1000) < 75, 1, 0)
    assert not together(one, 2, some, 2, share=0.1).seldom.any()
    assert together(one, 2, more, 2, share=0.1).seldom[1, 1]
