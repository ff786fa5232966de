"""Disagreement about rows: within sets of models, and how sure its means are."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

RESAMPLES, BLOCK_ELEMENTS = 400, 2_000_000
Interval = tuple[float, float, float]


class Disagreement(NamedTuple):
    """By set of models and row: whether any differs, how many do, and how far outputs spread.

    The first two are NaN for a regression.
    """

    differs: Float[np.ndarray, "r n"]
    share: Float[np.ndarray, "r n"]
    width: Float[np.ndarray, "r n"]

    def metric(self, place: int) -> tuple[Float[np.ndarray, "r n"], Callable[..., np.ndarray]]:
        """Return ambiguity, obscurity or width by row, and what sums it up over rows."""
        return self[place], np.median if place == len(self) - 1 else np.mean


def among(scores: Float[np.ndarray, "m n k"], which: int) -> Float[np.ndarray, "3 n"]:
    r"""Disagreement of models that are each other's alternatives.

    Whether they are not of one mind; the chance that two of them decide differently,
    :math:`\frac{m}{m-1}(1 - \sum_c v_c^2)` with :math:`v_c` the share that decides for a class;
    and the range of one output.
    """
    m, n, k = scores.shape
    width = np.ptp(scores[..., which], axis=0)
    if k < 2:
        return np.stack([np.full(n, np.nan), np.full(n, np.nan), width])
    chosen = scores.argmax(2)
    votes = np.stack([(chosen == c).mean(0) for c in range(k)])
    pair = m / max(1, m - 1) * (1 - np.square(votes).sum(0))
    return np.stack([(votes.max(0) < 1).astype(float), pair, width])


def around(
    base: Float[np.ndarray, "n k"], scores: Float[np.ndarray, "m n k"], which: int
) -> Float[np.ndarray, "3 n"]:
    """Disagreement of models with the one that is in use, which belongs to the range of outputs."""
    n, k = base.shape
    everything = np.concatenate([base[None], scores])[..., which]
    width = np.ptp(everything, axis=0)
    if k < 2:
        return np.stack([np.full(n, np.nan), np.full(n, np.nan), width])
    flips = scores.argmax(2) != base.argmax(1)
    return np.stack([flips.any(0).astype(float), flips.mean(0), width])


def resampled(
    values: Float[np.ndarray, "r n"],
    summary: Callable[..., np.ndarray],
    rows: Int[np.ndarray, "b n"],
    random: np.random.Generator,
) -> Float[np.ndarray, " b"]:
    """Return the mean over resampled sets of what sums up resampled rows, for each resample."""
    step = max(1, BLOCK_ELEMENTS // values.size)
    parts = [rows[start : start + step] for start in range(0, len(rows), step)]
    by_set = np.concatenate([summary(values[:, part], axis=2) for part in parts], axis=1).T
    sets = random.integers(0, len(values), by_set.shape)
    again: np.ndarray = np.take_along_axis(by_set, sets, axis=1).mean(1)
    return again


def with_interval(value: float, again: Float[np.ndarray, " b"]) -> Interval:
    """Add the 2.5 and 97.5 % quantiles of resamples to a number; NaN where it is not known."""
    if np.isnan(value) or not np.isfinite(again).any():
        return value, np.nan, np.nan
    low, high = np.nanpercentile(again, (2.5, 97.5))
    return value, min(float(low), value), max(float(high), value)


def order_stability(
    values: Float[np.ndarray, "c n"],
    summary: Callable[..., np.ndarray],
    rows: Int[np.ndarray, "b n"],
) -> Interval:
    """Kendall's tau of an order of candidates with their orders over resampled rows.

    Its mean, and 2.5 and 97.5 % quantiles; NaN of fewer than three candidates or where all are
    alike.

    References
    ----------
    Kendall (1938), A New Measure of Rank Correlation.
    """
    if len(values) < 3 or np.isnan(values).any():
        return np.nan, np.nan, np.nan
    order = summary(values, axis=1)
    if np.ptp(order) == 0:
        return np.nan, np.nan, np.nan
    again = [summary(values[:, chosen], axis=1) for chosen in rows]
    taus = np.array([
        stats.kendalltau(order, other).statistic if np.ptp(other) > 0 else 0.0 for other in again
    ])
    low, high = np.percentile(taus, (2.5, 97.5))
    return float(taus.mean()), float(low), float(high)


def churn_resampled(
    flips: Float[np.ndarray, "m n"], random: np.random.Generator
) -> Float[np.ndarray, " b"]:
    """Return the mean of a matrix over resampled models and rows, for each resample."""
    m, n = flips.shape
    models = random.multinomial(m, np.full(m, 1 / m), RESAMPLES) / m
    rows = random.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n
    again: np.ndarray = ((models @ flips) * rows).sum(1)
    return again
