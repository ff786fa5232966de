"""Order and groups of rows where both are known."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from workbench.numerics.row_groups import group_rows, principal_plane, similar_order


def blobs(*sizes, spread=0.1, d=3, seed=0):
    random = np.random.default_rng(seed)
    centres = 3 * np.eye(max(d, len(sizes)))[: len(sizes), :]
    parts = [c + spread * random.normal(size=(n, centres.shape[1]))
             for c, n in zip(centres, sizes, strict=True)]  # fmt: skip
    mixed = random.permutation(sum(sizes))
    return np.concatenate(parts)[mixed], np.repeat(np.arange(len(sizes)), sizes)[mixed]


@pytest.mark.parametrize("sizes", [(30, 20), (30, 20, 10), (25, 20, 15, 10, 5)])
def test_finds_the_groups_and_their_number_the_largest_first(sizes):
    points, truth = blobs(*sizes)
    found = group_rows(points)
    np.testing.assert_array_equal(found.labels, truth)
    np.testing.assert_array_equal(found.sizes, sizes)
    assert found.silhouette == pytest.approx(silhouette_score(points, truth))


def test_same_points_same_groups_and_no_global_randomness():
    points, _ = blobs(20, 20, spread=2.0)
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the global one must stay
    one, other = group_rows(points), group_rows(points)
    np.testing.assert_array_equal(one.labels, other.labels)
    after = np.random.get_state()[1]  # noqa: NPY002
    np.testing.assert_array_equal(after, before)


def test_many_rows_are_judged_by_a_sample():
    points, truth = blobs(1500, 900)
    found = group_rows(points)
    np.testing.assert_array_equal(found.labels, truth)
    assert found.silhouette > 0.9


def test_an_outlier_among_many_rows_is_no_group():
    points, _ = blobs(200, 150)
    points[0] = 1000.0
    assert group_rows(points).sizes.min() >= 7 or len(group_rows(points).sizes) == 1


@pytest.mark.parametrize("points", [np.ones((6, 2)), np.ones((1, 2)), np.eye(2)])
def test_equal_or_few_rows_are_one_group(points):
    found = group_rows(points)
    assert set(found.labels) == {0}
    assert found.silhouette == 0


def test_similar_rows_are_neighbours():
    points, truth = blobs(15, 12, 9)
    order = similar_order(points)
    assert sorted(order) == list(range(36))
    assert (np.diff(truth[order]) != 0).sum() == 2
    line = np.random.default_rng(0).permutation(20.0 * np.arange(8))[:, None]
    steps = np.abs(np.diff(line[similar_order(line)], axis=0))
    np.testing.assert_allclose(steps, 20)
    np.testing.assert_array_equal(similar_order(points[:2]), [0, 1])


def test_the_plane_is_that_of_principal_components():
    points, _ = blobs(15, 12, 9, spread=1.0)
    places, shares = principal_plane(points)
    reference = PCA(2).fit(points)
    np.testing.assert_allclose(np.abs(places), np.abs(reference.transform(points)))
    np.testing.assert_allclose(shares, reference.explained_variance_ratio_)
    flat, none = principal_plane(np.ones((4, 1)))
    assert not flat.any()
    assert not none.any()
