"""The bootstrap, for what has no interval in closed form."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from workbench.core.context import Context

RESAMPLES = 500
MAX_DRAWN = 20_000
BLOCK_ELEMENTS = 2_000_000

Statistics = Callable[[Int[np.ndarray, "r m"]], Float[np.ndarray, " r"]]
Kind = Literal["percentile", "basic"]


def bootstrap(
    estimate: float,
    statistics: Statistics,
    n: int,
    context: Context,
    *,
    address: int,
    level: float,
    kind: Kind = "percentile",
    cells: int = 1,
) -> tuple[float, float]:
    r"""Interval from 500 resamples of the rows.

    Above 20,000 rows each resample has :math:`m = 20{,}000` rows, and its distance from the
    estimate is shrunk by :math:`\sqrt{m/n}`, so that time does not grow with the rows.

    Parameters
    ----------
    statistics
        Takes the rows of some resamples and returns the number of each.
    address
        Of the random numbers; resample ``r`` draws from ``(address, r)``, whatever the blocks.
    kind
        ``percentile`` takes the quantiles as they are. ``basic`` mirrors them at the estimate,
        which also undoes a bias, as that of a sum of absolute values.
    cells
        Numbers that ``statistics`` holds per resample besides its rows.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, Sec. 13; Davison and Hinkley
    (1997), Bootstrap Methods and their Application, Sec. 5.2 for the basic kind; Bickel, Götze
    and van Zwet (1997), Resampling Fewer than n Observations.
    """
    m = min(n, MAX_DRAWN)
    block = max(1, BLOCK_ELEMENTS // max(m, cells))
    found = []
    for start in range(0, RESAMPLES, block):
        numbers = range(start, min(start + block, RESAMPLES))
        rows = np.stack([context.stream(address, r).integers(0, n, m) for r in numbers])
        found.append(statistics(rows))
        context.step(numbers.stop, RESAMPLES, "resamples")
    away = math.sqrt(m / n) * (np.concatenate(found) - estimate)
    away = away[np.isfinite(away)]
    if len(away) < RESAMPLES / 2:
        return math.nan, math.nan
    below, above = (float(q) for q in np.quantile(away, [0.5 - level / 2, 0.5 + level / 2]))
    if kind == "basic":
        return estimate - above, estimate - below
    return estimate + below, estimate + above


def sums_by_cell(
    rows: Int[np.ndarray, "r m"],
    cell: Int[np.ndarray, " n"],
    values: Float[np.ndarray, " n"],
    n_cells: int,
) -> Float[np.ndarray, "r c"]:
    """Sum the values of each resample's rows by cell."""
    flat = cell[rows] + n_cells * np.arange(len(rows))[:, None]
    sums = np.bincount(flat.ravel(), values[rows].ravel(), n_cells * len(rows))
    return sums.reshape(len(rows), n_cells)


def ratio(
    upper: Float[np.ndarray, "*s"], lower: Float[np.ndarray, "*s"]
) -> Float[np.ndarray, "*s"]:
    """Divide; NaN where there is nothing to divide by."""
    found = np.full(upper.shape, np.nan)
    np.divide(upper, lower, out=found, where=lower > 0)
    return found
