"""How well scores tell outcomes apart and how honest they are, group by group."""

import numpy as np
from jaxtyping import Float, Int

from workbench.numerics.chunks import slices
from workbench.numerics.count_bootstrap import BLOCK, bca_bounds
from workbench.numerics.intervals import LEVEL, area_interval

BINS = 10


def cross_areas(
    rank: Int[np.ndarray, " n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    weights: Float[np.ndarray, " n"] | None = None,
) -> Float[np.ndarray, "g g"]:
    r"""Chance that somebody with the outcome scores above somebody of another group without it.

    .. math:: A_{ab} = P(s_a^+ > s_b^-) + \tfrac12 P(s_a^+ = s_b^-)

    Rows are groups of those with the outcome, columns of those without. The diagonal holds the
    areas under the ROC curves of the groups. NaN where either group has nobody of whom to draw.

    Parameters
    ----------
    rank
        Of each score among the distinct scores, from 0.

    References
    ----------
    Kallus and Zhou (2019), The Fairness of Risk Scores Beyond Classification, Sec. 3.
    """
    weights = np.ones(len(rank)) if weights is None else weights
    one = truth == 1
    rank_one, group_one, weight_one = rank[one], group[one], weights[one]
    rank_other, group_other, weight_other = rank[~one], group[~one], weights[~one]
    totals = np.bincount(group_one, weight_one, n_groups)
    n_ranks = int(rank.max(initial=-1)) + 1
    order = np.argsort(group_other, kind="stable")
    starts = np.searchsorted(group_other[order], np.arange(n_groups + 1))
    areas = np.full((n_groups, n_groups), np.nan)
    for column in range(n_groups):
        own = order[starts[column] : starts[column + 1]]
        total = weight_other[own].sum()
        if not total > 0:
            continue
        at = np.bincount(rank_other[own], weight_other[own], n_ranks)
        below = (np.cumsum(at) - 0.5 * at)[rank_one]
        with np.errstate(invalid="ignore"):  # of groups without anybody
            areas[:, column] = np.bincount(group_one, weight_one * below, n_groups) / totals / total
    return np.clip(areas, 0.0, 1.0)


def area_bounds(
    areas: Float[np.ndarray, " g"], n_one: Float[np.ndarray, " g"], n_other: Float[np.ndarray, " g"]
) -> Float[np.ndarray, "g 3"]:
    """Return areas with Newcombe's interval; NaN where there is no area."""
    found = np.full((len(areas), 3), np.nan)
    for g in np.flatnonzero(np.isfinite(areas)):
        found[g] = areas[g], *area_interval(float(areas[g]), float(n_one[g]), float(n_other[g]))
    return found


def reliability(
    scores: Float[np.ndarray, " n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    order: Int[np.ndarray, " n"],
    bins: int = BINS,
) -> tuple[Float[np.ndarray, "g b"], Int[np.ndarray, "g b"], Int[np.ndarray, "g b"]]:
    """Cut the rows of each group into bins of equally many scores, from low to high.

    A group of fewer rows than bins fills some of them. Returns the mean score (NaN of an empty
    bin), the rows, and the rows with the outcome.

    Parameters
    ----------
    order
        Rows by ascending score.
    """
    by_group = order[np.argsort(group[order], kind="stable")]
    sizes = np.bincount(group, minlength=n_groups)
    starts = np.cumsum(sizes) - sizes
    own = group[by_group]
    place = np.arange(len(own)) - starts[own]
    cell = own * bins + place * bins // np.maximum(sizes[own], 1)
    counts = np.bincount(cell, minlength=n_groups * bins)
    sums = np.bincount(cell, scores[by_group], n_groups * bins)
    positives = np.bincount(cell, truth[by_group], n_groups * bins)
    with np.errstate(invalid="ignore"):
        means = sums / counts
    shape = n_groups, bins
    return (
        means.reshape(shape), counts.reshape(shape).astype(np.int64),
        np.rint(positives).astype(np.int64).reshape(shape),
    )  # fmt: skip


def calibration_errors(
    means: Float[np.ndarray, "g b"],
    counts: Int[np.ndarray, "g b"],
    positives: Int[np.ndarray, "g b"],
    resamples: int,
    random: np.random.Generator,
) -> Float[np.ndarray, "g 3"]:
    r"""How far scores are from the share of outcomes in their bin, on average over rows.

    .. math:: \sum_b \frac{n_b}{n} \left|\bar s_b - \frac{k_b}{n_b}\right|

    The interval redraws the outcomes of each bin, and is corrected for the bias that chance
    alone puts into such a mean of sizes; it reaches down to 0 where outcomes that are drawn by
    the scores err as much in more than 5 % of draws. NaN of a group without rows.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), Obtaining Well Calibrated Probabilities Using Bayesian
    Binning, Sec. 3.1, with bins of equal mass: Nguyen and O'Connor (2015).
    """
    n = counts.sum(1)
    share = positives / np.maximum(counts, 1)
    filled = np.where(counts > 0, means, 0.0)

    def error(outcomes: np.ndarray) -> np.ndarray:
        distance = np.abs(filled - outcomes / np.maximum(counts, 1)) * counts
        found: np.ndarray = distance.sum(-1) / np.maximum(n, 1)
        return found

    def drawn_by(chances: np.ndarray) -> np.ndarray:
        step = max(1, BLOCK // counts.size)
        return np.concatenate([
            error(random.binomial(counts, chances, (part.stop - part.start, *counts.shape)))
            for part in slices(resamples, step)
        ])  # fmt: skip

    value = error(positives)
    low, high = bca_bounds(value, drawn_by(share))
    as_far = (1 + (drawn_by(np.clip(filled, 0.0, 1.0)) >= value - 1e-12).sum(0)) / (1 + resamples)
    low = np.where(as_far > 1 - LEVEL, 0.0, np.minimum(low, value))
    # Without what chance adds, the error may be less than it seems in any draw.
    found = np.stack([value, low, np.maximum(high, value)], -1)
    return np.where((n > 0)[:, None], found, np.nan)


def passed(
    scores: Float[np.ndarray, " n"],
    cell: Int[np.ndarray, " n"],
    n_cells: int,
    thresholds: Float[np.ndarray, " t"],
) -> Int[np.ndarray, "t m"]:
    """Count the rows of each cell that score at least each of the ascending thresholds."""
    reached = np.searchsorted(thresholds, scores, side="right")
    t = len(thresholds)
    counts = np.bincount(cell * (t + 1) + reached, minlength=n_cells * (t + 1))
    table = counts.reshape(n_cells, t + 1)[:, ::-1].cumsum(1)[:, ::-1]
    return table[:, 1:].T.astype(np.int64)
