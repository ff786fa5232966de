"""Which other feature an attribution seems to depend on, judged from attributions alone."""

import numpy as np
from jaxtyping import Bool, Float, Int

# Rows of a bin; with fewer, groups within it would hold one row each.
ROWS_PER_BIN = 12
MOST_BINS = 40
GROUPS = 4


def apparent_interaction(
    attribution: Float[np.ndarray, " n"],
    data: Float[np.ndarray, "n d"],
    feature: int,
    is_category: Bool[np.ndarray, " d"],
) -> Float[np.ndarray, " d"]:
    r"""Share of a feature's attribution that another feature explains where its own value is equal.

    Rows are put into bins of similar values of the feature (each category is one), and every bin
    gets a straight line in the value. Every other feature sorts the rows of a bin into groups: its
    categories, or the quarters of its numbers; missing is a group. With :math:`S_t` the squares
    left by the lines, :math:`S_w` those left when the groups of a bin may lie above each other,
    and :math:`\nu_w, \nu_t` their degrees of freedom, the share is

    .. math:: 1 - \frac{S_w / \nu_w}{S_t / \nu_t},

    which is 0 on average where the other feature does not matter, however many groups it makes,
    and slightly negative by chance. Groups need no order, so effects that rise and fall count; a
    sum over bins counts each as much as there is to explain in it. It shows association: a feature
    correlated with the one that interacts scores too.

    Returns
    -------
    One share per feature; NaN for the feature itself and for those that never differ within a bin.

    References
    ----------
    The adjusted correlation ratio: Kelley (1935), An unbiased correlation ratio measure.
    """
    bins = value_groups(data[:, feature], MOST_BINS, categorical=bool(is_category[feature]))
    known = np.where(np.isnan(data[:, feature]), 0.0, data[:, feature])
    across = np.zeros(len(data)) if is_category[feature] else known
    shares = np.full(data.shape[1], np.nan)
    total, free = _left(attribution, across, bins, bins)
    # Rounding leaves squares of this size where the feature's own value explains everything.
    nothing = len(data) * (1e-9 * float(np.abs(attribution).max(initial=0.0))) ** 2
    for other in range(data.shape[1]):
        if other == feature or total <= nothing:
            continue
        groups = value_groups(data[:, other], GROUPS, categorical=bool(is_category[other]))
        cells = np.unique(bins * (groups.max() + 1) + groups, return_inverse=True)[1]
        within, free_within = _left(attribution, across, bins, cells)
        if cells.max() > bins.max() and free_within > 0:
            shares[other] = 1 - (within / free_within) / (total / free)
    return shares


def value_groups(
    values: Float[np.ndarray, " n"], most: int, *, categorical: bool
) -> Int[np.ndarray, " n"]:
    """Group rows by like values: categories, or up to ``most`` quantile bins; missing ones too.

    Numbers with few distinct values keep them apart. Groups are numbered from 0 without gaps.
    """
    groups = np.zeros(len(values), dtype=np.int64)
    known = ~np.isnan(values)
    distinct = np.unique(values[known])
    if categorical or len(distinct) <= most:
        groups[known] = np.searchsorted(distinct, values[known])
    else:
        number = max(1, min(most, int(known.sum()) // ROWS_PER_BIN))
        edges = np.unique(np.quantile(values[known], np.linspace(0, 1, number + 1)[1:-1]))
        groups[known] = np.searchsorted(edges, values[known], side="left")
    groups[~known] = groups.max(initial=0) + 1
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _left(
    attribution: np.ndarray, across: np.ndarray, bins: np.ndarray, cells: np.ndarray
) -> tuple[float, int]:
    """Fit a mean for each cell and a slope for each bin; return squares left and their freedom."""
    counts = np.bincount(cells)
    y, x = (part - (np.bincount(cells, part) / counts)[cells] for part in (attribution, across))
    spread = np.bincount(bins, x**2)
    # The values of a bin may all be equal but for rounding: then it has no slope.
    sloped = spread > 1e-18 * len(bins) * float(np.abs(across).max(initial=0.0)) ** 2
    slopes = np.divide(np.bincount(bins, x * y), spread, out=np.zeros_like(spread), where=sloped)
    left = float(np.square(y - slopes[bins] * x).sum())
    return left, len(bins) - len(counts) - int(sloped.sum())
