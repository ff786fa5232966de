"""ROC and precision-recall curves, the areas under them, and intervals of the areas."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.numerics.intervals import (
    UNKNOWN,
    Interval,
    area_interval,
    effective_rows,
    logit_interval,
    wilson,
)

MAX_POINTS = 512


@dataclass(frozen=True)
class Ranking:
    """Weights of positive and negative rows at each distinct score, highest score first.

    Attributes
    ----------
    place
        For each row, which of the scores it has.
    """

    scores: Float[np.ndarray, " t"]
    positive: Float[np.ndarray, " t"]
    negative: Float[np.ndarray, " t"]
    place: Int[np.ndarray, " n"]


def rank(
    scores: Float[np.ndarray, " n"],
    is_positive: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
) -> Ranking:
    """Sort once; both curves and the area follow from the sums."""
    distinct, place = np.unique(-scores, return_inverse=True)
    positive, negative = (
        np.bincount(place, weights * side, len(distinct)) for side in (is_positive, ~is_positive)
    )
    return Ranking(-distinct, positive, negative, place)


def roc_curve(ranking: Ranking) -> Float[np.ndarray, "p 3"]:
    """Return false and true positive rate and threshold of at most 512 points."""
    ups = np.append(0.0, np.cumsum(ranking.positive))
    across = np.append(0.0, np.cumsum(ranking.negative))
    points = np.stack(
        [across / across[-1], ups / ups[-1], np.append(np.inf, ranking.scores)], axis=1
    )
    kept = _corners(points[:, :2])
    return points[kept][_ends_by_length(points[kept, :2])]


def pr_curve(ranking: Ranking) -> Float[np.ndarray, "q 3"]:
    """Return recall, precision and threshold of at most 512 points, by rising recall."""
    ups = np.cumsum(ranking.positive)
    called = np.cumsum(ranking.positive + ranking.negative)
    real = called > 0  # rows without weight may stand first
    recall, precision = ups[real] / ups[-1], ups[real] / called[real]
    kept = _extremes(recall, precision)
    return np.stack([recall[kept], precision[kept], ranking.scores[real][kept]], axis=1)


def average_precision(ranking: Ranking) -> float:
    """Sum of precision times the gain in recall, over the thresholds."""
    ups = np.cumsum(ranking.positive)
    called = np.cumsum(ranking.positive + ranking.negative)
    precision = np.divide(ups, called, out=np.zeros_like(ups), where=called > 0)
    return float((ranking.positive * precision).sum() / ups[-1])


def average_precision_interval(
    value: float, positive_weights: Float[np.ndarray, " n"], level: float
) -> Interval:
    """Wilson's interval of a share of the positive rows.

    References
    ----------
    Boyd, Eng and Page (2013), Area under the Precision-Recall Curve: Point Estimates and
    Confidence Intervals, for the variance; its form on the logit scale is too wide near 1.
    """
    n = effective_rows(positive_weights)
    return wilson(value * n, n, level)


def placements(
    ranking: Ranking, is_positive: Bool[np.ndarray, " n"]
) -> tuple[float, Float[np.ndarray, " n"]]:
    """Area under the ROC curve, and each row's share of the other class on its right side.

    A tie counts half. The mean of the shares over either class is the area.
    """
    below = ranking.negative.sum() - np.cumsum(ranking.negative) + ranking.negative / 2
    above = np.cumsum(ranking.positive) - ranking.positive / 2
    n_positive, n_negative = ranking.positive.sum(), ranking.negative.sum()
    area = float((below * ranking.positive).sum() / (n_positive * n_negative))
    shares = np.where(
        is_positive, below[ranking.place] / n_negative, above[ranking.place] / n_positive
    )
    return min(1.0, max(0.0, area)), shares


def area_influence(
    area: float,
    shares: Float[np.ndarray, " n"],
    is_positive: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"] | None:
    """How much each row moves the area: the squares sum to its variance.

    None where a class has a single row, which has no spread.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Comparing the Areas under Two or More Correlated
    Receiver Operating Characteristic Curves, for rows of equal weight.
    """
    influence = np.zeros_like(shares)
    for side in (is_positive, ~is_positive):
        n = int(np.count_nonzero(weights[side]))
        if n < 2:
            return None
        scale = math.sqrt(n / (n - 1)) / float(weights[side].sum())
        influence[side] = scale * weights[side] * (shares[side] - area)
    return influence


def area_bounds(
    area: float,
    variance: float | None,
    is_positive: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    level: float,
) -> tuple[Interval, str]:
    """Interval of an area and how it was made.

    DeLong's variance on the logit scale; Newcombe's score interval where the rows show no spread,
    as they do when the classes are told apart without an error.
    """
    if 0 < area < 1 and variance is not None and variance > 0:
        return logit_interval(area, math.sqrt(variance), level), "DeLong, logit"
    sizes = [effective_rows(weights[side]) for side in (is_positive, ~is_positive)]
    if min(sizes) <= 0:
        return UNKNOWN, "none"
    return area_interval(area, sizes[0], sizes[1], level), "Newcombe"


def _corners(points: Float[np.ndarray, "p 2"]) -> Int[np.ndarray, " q"]:
    """Positions of the points that are not in the middle of a straight run."""
    steps = np.diff(points, axis=0)
    turn = np.abs(steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0])
    return np.flatnonzero(np.concatenate(([True], turn > 0, [True])))


def _ends_by_length(points: Float[np.ndarray, "p 2"]) -> Int[np.ndarray, " q"]:
    """Keep the first and last point of each of 255 pieces of the way from (0, 0) to (1, 1).

    A curve that rises in both directions is 2 long at most, counted along the axes. A piece of
    length s lies within s times 0.36 of the line between its ends, so no point of the curve
    moves by more than 0.003.
    """
    if len(points) <= MAX_POINTS:
        return np.arange(len(points))
    n_pieces = MAX_POINTS // 2 - 1
    piece = np.minimum((points.sum(1) / 2 * n_pieces).astype(int), n_pieces - 1)
    changes = np.flatnonzero(np.diff(piece)) + 1
    starts, ends = np.append(0, changes), np.append(changes - 1, len(points) - 1)
    return np.union1d(starts, ends)


def _extremes(x: Float[np.ndarray, " p"], y: Float[np.ndarray, " p"]) -> Int[np.ndarray, " q"]:
    """Keep the first, lowest, highest and last point of each of 128 columns.

    Drawn on 128 pixels or fewer the line looks the same.

    References
    ----------
    Jugel, Jerzak, Hackenbroich and Markl (2014), M4: A Visualization-Oriented Time Series Data
    Aggregation.
    """
    if len(x) <= MAX_POINTS:
        return np.arange(len(x))
    n_columns = MAX_POINTS // 4
    column = np.minimum((x * n_columns).astype(int), n_columns - 1)
    starts = np.append(0, np.flatnonzero(np.diff(column)) + 1)
    ends = np.append(starts[1:] - 1, len(x) - 1)
    by_height = np.lexsort((y, column))
    return np.unique(np.concatenate((starts, ends, by_height[starts], by_height[ends])))
