"""Gaps between means of groups, how sure they are, and what chance alone shows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.numerics.count_bootstrap import bca_bounds
from workbench.numerics.intervals import LEVEL
from workbench.numerics.rates import mover_difference

# Rows times draws; fewer draws are made of large tables, but never fewer than these.
MOST_DRAWN, FEWEST_DRAWS = 100_000_000, 200
# Turns means of groups into measures, such as a mean square into its root.
Transform = Callable[[Float[np.ndarray, "m g"]], Float[np.ndarray, "m g"]]


@dataclass(frozen=True, eq=False)
class Valued:
    """Values of rows, the group of each, and their weights."""

    values: Float[np.ndarray, "m n"]
    group: Int[np.ndarray, " n"]
    n_groups: int
    weights: Float[np.ndarray, " n"]

    def means(self, rows: Int[np.ndarray, " n"], group: np.ndarray) -> Float[np.ndarray, "m g"]:
        """Means of the values of these rows, as if they were of these groups."""
        weights, g = self.weights[rows], self.n_groups
        total = np.bincount(group, weights, g)
        sums = np.stack([np.bincount(group, weights * own[rows], g) for own in self.values])
        with np.errstate(invalid="ignore"):
            found: np.ndarray = sums / total
        return found


def draws_for(n_rows: int, wanted: int) -> int:
    """Return how many draws a table of this size allows."""
    return min(wanted, max(FEWEST_DRAWS, MOST_DRAWN // max(1, n_rows)))


def widest(measures: Float[np.ndarray, "*m g"]) -> Float[np.ndarray, "*m"]:
    """Greatest less least among the groups that have a value; NaN of fewer than two."""
    known = np.isfinite(measures)
    high = np.where(known, measures, -np.inf).max(-1)
    low = np.where(known, measures, np.inf).min(-1)
    with np.errstate(invalid="ignore"):
        return np.where(known.sum(-1) > 1, high - low, np.nan)


def mean_gaps(
    valued: Valued,
    measures: Float[np.ndarray, "m g 3"],
    transform: Transform,
    draws: int,
    random: np.random.Generator,
    level: float = LEVEL,
) -> tuple[Float[np.ndarray, "m 3"], Float[np.ndarray, "m 2"], Float[np.ndarray, " m"]]:
    """Return gaps with intervals, what random groups show (mean, quantile), and how rarely as much.

    The interval is that of a bootstrap within groups, corrected for bias, never narrower than
    MOVER's for the two groups furthest apart, and reaches down to 0 where random groups are as far
    apart: as in ``gap_intervals``.

    Parameters
    ----------
    measures
        Of the groups, with intervals.
    """
    gap = widest(measures[..., 0])
    every = np.arange(len(valued.group))
    dealt = np.stack([
        widest(transform(valued.means(random.permutation(len(every)), valued.group)))
        for _ in range(draws)
    ])  # fmt: skip
    near = 1e-9 * np.maximum(1.0, np.abs(gap))
    with np.errstate(invalid="ignore"):
        chances = (1 + (dealt >= gap - near).sum(0)) / (1 + draws)
    floors = np.stack([dealt.mean(0), np.quantile(dealt, level, axis=0)], -1)
    order = np.argsort(valued.group, kind="stable")
    sizes = np.bincount(valued.group, minlength=valued.n_groups)
    starts, own = np.cumsum(sizes) - sizes, valued.group[order]
    drawn = np.stack([
        widest(transform(valued.means(
            order[starts[own] + (random.random(len(own)) * sizes[own]).astype(np.int64)], own
        )))
        for _ in range(draws)
    ])  # fmt: skip
    low, high = bca_bounds(gap, drawn, level=level)
    plain = _furthest_apart(measures)
    low = np.where(chances > 1 - level, 0.0, np.maximum(0.0, np.fmin(low, plain[:, 1])))
    gaps = np.stack([gap, low, np.fmax(high, plain[:, 2])], -1)
    unknown = ~np.isfinite(gap)
    gaps[unknown], floors[unknown], chances[unknown] = np.nan, np.nan, np.nan
    return gaps, floors, chances


def _furthest_apart(measures: Float[np.ndarray, "m g 3"]) -> Float[np.ndarray, "m 3"]:
    value = measures[..., 0]
    known, every = np.isfinite(value), np.arange(len(measures))
    top = measures[every, np.where(known, value, -np.inf).argmax(1)]
    bottom = measures[every, np.where(known, value, np.inf).argmin(1)]
    return mover_difference(top, bottom)
