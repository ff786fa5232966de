"""At which values of a feature the model is asked, and between which a row lies."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.schema import Feature


class Grid(NamedTuple):
    """The values of one feature that are asked about.

    Attributes
    ----------
    place
        Position of the feature in the schema.
    values
        Ascending numbers or codes; last NaN, where the model knows of missing values.
    steps
        How many of the values are numbers, in an order that effects can be accumulated along; 0
        for categories.
    """

    place: int
    values: Float[np.ndarray, " g"]
    steps: int


def make_grid(place: int, feature: Feature, column: Float[np.ndarray, " n"], points: int) -> Grid:
    """Choose values: all levels of a category, quantiles of a number, and *missing*.

    All are values that occur, so that no interval between two of them is without rows, and whole
    numbers stay whole.
    """
    if feature.kind == "categorical":
        values, steps = np.arange(len(feature.categories), dtype=np.float64), 0
    else:
        values = _numbers(column[~np.isnan(column)], points)
        steps = len(values)
    if feature.has_missing:
        values = np.append(values, np.nan)
    return Grid(place, values, steps)


def _numbers(known: Float[np.ndarray, " n"], points: int) -> Float[np.ndarray, " g"]:
    """Return quantiles; where many rows share a value, the rest are quantiles of other values.

    Of a number that is 0 for nearly all rows, quantiles alone would be 0 and the greatest.
    """
    distinct = np.unique(known)
    if len(distinct) <= points:
        return distinct
    values = np.unique(_quantiles(known, points))
    others = np.setdiff1d(distinct, values)
    return np.union1d(values, _quantiles(others, points - len(values)))


def _quantiles(values: Float[np.ndarray, " n"], count: int) -> Float[np.ndarray, " q"]:
    """Return quantiles at even steps from the least to the greatest; of one, the middle."""
    shares = np.linspace(0, 1, count) if count != 1 else np.array([0.5])
    return np.quantile(values, shares, method="inverted_cdf")


def most_points(feature: Feature, points: int) -> int:
    """Return how many values there are at most, known before the rows are."""
    levels = len(feature.categories) if feature.kind == "categorical" else points
    return levels + feature.has_missing


def nearest(grid: Grid, column: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Return the place of the nearest value, the lower of two; of a missing value that of NaN.

    A missing value where the grid has none belongs to no place: it gets -1.
    """
    found = np.full(len(column), -1)
    missing = np.isnan(column)
    if np.isnan(grid.values).any():
        found[missing] = len(grid.values) - 1
    values = grid.values[~np.isnan(grid.values)]
    if len(values):
        middles = (values[1:] + values[:-1]) / 2
        found[~missing] = np.searchsorted(middles, column[~missing], side="left")
    return found


def interval_of(
    grid: Grid, column: Float[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Return the number of the interval that each row lies in, and which rows lie in any.

    Interval 0 goes from the first to the second number, both included; others include their
    upper end alone.
    """
    inside = ~np.isnan(column) if grid.steps > 1 else np.zeros(len(column), dtype=bool)
    found = np.zeros(len(column), dtype=np.int64)
    found[inside] = np.searchsorted(grid.values[: grid.steps], column[inside], side="left") - 1
    return found.clip(0, max(grid.steps - 2, 0)), inside
