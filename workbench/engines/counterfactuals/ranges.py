"""What values the features of a table take: the bounds of every what-if."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.schema import Schema
from workbench.core.table import Table

TAIL = 0.01


@dataclass(frozen=True)
class Ranges:
    """What was seen of each feature.

    Attributes
    ----------
    low, high
        Values of numbers that 1 % are below and 1 % above; 0 where nothing is known.
    scale
        Typical distance of a number from the median: the median absolute deviation, the mean one
        where more than half of the values are equal; 1 where all are.
    levels
        Codes of the categories, or a grid of values of a number, ascending.
    known
        Whether any value of the feature was seen.
    """

    low: Float[np.ndarray, " d"]
    high: Float[np.ndarray, " d"]
    scale: Float[np.ndarray, " d"]
    levels: tuple[Float[np.ndarray, " _"], ...]
    known: Bool[np.ndarray, " d"]


def ranges_of(table: Table, *, grid: int = 17) -> Ranges:
    """Look at every feature of a table.

    Parameters
    ----------
    grid
        Values of a number, spread evenly over its quantiles and its range.
    """
    columns = [_column(table.schema, table.X, j, grid) for j in range(len(table.schema.features))]
    low, high, scale, levels = zip(*columns, strict=True)
    return Ranges(
        np.array(low), np.array(high), np.array(scale), levels,
        known=np.array([len(values) > 0 for values in levels]),
    )  # fmt: skip


def _column(
    schema: Schema, X: Tensor, j: int, grid: int
) -> tuple[float, float, float, Float[np.ndarray, " l"]]:
    column = X[:, j].numpy()
    known = column[~np.isnan(column)]
    if not len(known):
        return 0.0, 0.0, 1.0, known
    if schema.features[j].kind == "categorical":
        seen = np.unique(known)
        return float(seen[0]), float(seen[-1]), 1.0, seen
    shares = np.linspace(TAIL, 1 - TAIL, grid)
    quantiles = np.quantile(known, shares, method="inverted_cdf")
    low, high = float(quantiles[0]), float(quantiles[-1])
    even = np.linspace(low, high, grid)
    if schema.features[j].integer:
        even = np.round(even)
    return low, high, spread(known), np.unique(np.concatenate([quantiles, even]))


def spread(values: Float[np.ndarray, " n"]) -> float:
    """Return the typical distance from the median.

    Examples
    --------
    >>> spread(np.array([1.0, 2.0, 3.0, 4.0, 10.0])), spread(np.array([0.0, 0.0, 0.0, 8.0]))
    (1.0, 2.0)
    """
    distances = np.abs(values - np.median(values))
    return float(np.median(distances)) or float(distances.mean()) or 1.0
