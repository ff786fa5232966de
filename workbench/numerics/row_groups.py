"""Rows that are alike: in which order to show them, and into how many groups they fall."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster import hierarchy

from workbench.core.counter_rng import stream

# The silhouette compares every pair of rows; a sample of this size tells the number of groups.
SILHOUETTE_ROWS = 800
MOST_GROUPS = 8
SMALLEST = 50


@dataclass(frozen=True)
class Grouping:
    """Groups of rows, the largest first.

    Attributes
    ----------
    labels
        Group of each row, from 0.
    silhouette
        How much nearer rows are to their own group than to the next, from -1 to 1; below 0.25
        there are hardly any groups.
    """

    labels: Int[np.ndarray, " n"]
    silhouette: float

    @property
    def sizes(self) -> Int[np.ndarray, " k"]:
        """Number of rows in each group."""
        return np.bincount(self.labels)


def similar_order(points: Float[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
    """Order rows so that similar ones are neighbours: Ward's tree, its leaves ordered optimally.

    References
    ----------
    Bar-Joseph, Gifford and Jaakkola (2001), Fast optimal leaf ordering for hierarchical clustering.
    """
    if len(points) < 3:
        return np.arange(len(points))
    tree = hierarchy.linkage(points, method="ward", optimal_ordering=True)
    return hierarchy.leaves_list(tree).astype(np.int64)


def group_rows(points: Float[np.ndarray, "n d"], most: int = MOST_GROUPS) -> Grouping:
    r"""Put rows into 2 to ``most`` groups by k-means, as many as have the best silhouette.

    The silhouette of a row is :math:`(b - a) / \max(a, b)` with :math:`a` its mean distance to the
    rows of its own group and :math:`b` the smallest mean distance to those of another; the number
    of groups is the one with the largest mean over the rows (of more than 800, over a sample).
    Groups of less than a fiftieth of the rows are outliers, and a number that makes any is not
    taken. Same points, same groups. Where nothing is left to take, there is one group and its
    silhouette is 0.

    References
    ----------
    Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and
    validation of cluster analysis.
    """
    from sklearn.cluster import KMeans  # noqa: PLC0415 - a second that most callers never need
    from sklearn.metrics import silhouette_score  # noqa: PLC0415

    n = len(points)
    sample = np.sort(stream(0).permutation(n)[:SILHOUETTE_ROWS])
    different = len(np.unique(points, axis=0))
    best = Grouping(np.zeros(n, dtype=np.int64), 0.0)
    found = -np.inf
    for k in range(2, min(most, different, n - 1) + 1):
        labels = KMeans(k, n_init=5, random_state=0).fit_predict(points)
        if np.bincount(labels).min() < n // SMALLEST or len(np.unique(labels[sample])) < 2:
            continue
        score = float(silhouette_score(points[sample], labels[sample]))
        # A group more must pay for itself, not win by rounding.
        if score > found + 1e-9:
            found, best = score, Grouping(_by_size(labels), score)
    return best


def principal_plane(
    points: Float[np.ndarray, "n d"],
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " 2"]]:
    """Project rows on their two main directions; return places and each one's share of variance.

    The signs are chosen so that the largest weight of a direction is positive.
    """
    centred = points - points.mean(0)
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    places, shares = np.zeros((len(points), 2)), np.zeros(2)
    total = float(np.square(strengths).sum())
    for axis in range(min(2, len(directions))):
        direction = directions[axis]
        sign = np.sign(direction[np.abs(direction).argmax()])
        places[:, axis] = centred @ direction * sign
        shares[axis] = strengths[axis] ** 2 / total if total > 0 else 0.0
    return places, shares


def _by_size(labels: np.ndarray) -> np.ndarray:
    """Renumber groups, the largest first; of equal ones, that of the first row."""
    sizes = np.bincount(labels)
    first = np.array([int(np.argmax(labels == group)) for group in range(len(sizes))])
    order = np.lexsort((first, -sizes))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place[labels].astype(np.int64)
