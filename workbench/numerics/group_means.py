"""Means of groups and their intervals, from sums that are taken in one pass."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from workbench.numerics.intervals import LEVEL


@dataclass(frozen=True)
class Sums:
    """What the mean of a value and its noise need to know of the rows of each cell.

    Attributes
    ----------
    rows, weight, squares
        Rows, their weights, and their squared weights.
    total, moved, spread
        Sums of weight times value, squared weight times value, squared weight times square; of
        values less ``centre``.
    """

    centre: float
    rows: Float[np.ndarray, "*m"]
    weight: Float[np.ndarray, "*m"]
    squares: Float[np.ndarray, "*m"]
    total: Float[np.ndarray, "*m"]
    moved: Float[np.ndarray, "*m"]
    spread: Float[np.ndarray, "*m"]

    def over(self, *axes: int) -> "Sums":
        """Join the cells along these axes."""
        return Sums(self.centre, *(part.sum(axes) for part in self._parts))

    def shaped(self, *shape: int) -> "Sums":
        """Return the cells in another shape."""
        return Sums(self.centre, *(part.reshape(shape) for part in self._parts))

    def __getitem__(self, at: object) -> "Sums":
        return Sums(self.centre, *(part[at] for part in self._parts))  # type: ignore[index]

    @property
    def _parts(self) -> tuple[Float[np.ndarray, "*m"], ...]:
        return self.rows, self.weight, self.squares, self.total, self.moved, self.spread

    @property
    def effective(self) -> Float[np.ndarray, "*m"]:
        """Rows of equal weight that tell as much (Kish); 0 without weight."""
        return self.weight**2 / np.where(self.squares > 0, self.squares, 1.0)

    @property
    def mean(self) -> Float[np.ndarray, "*m"]:
        """Weighted mean; NaN without weight."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found: np.ndarray = self.centre + self.total / self.weight
        return found

    @property
    def variance(self) -> Float[np.ndarray, "*m"]:
        r"""Variance of the mean; NaN of fewer than two rows.

        .. math:: \frac{n}{n-1} \frac{\sum_i w_i^2 (x_i - \bar x)^2}{(\sum_i w_i)^2}

        References
        ----------
        Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, Sec. 5.7.
        """
        off = self.mean - self.centre
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = self.spread - 2 * off * self.moved + off**2 * self.squares
            found = self.rows / (self.rows - 1) * np.maximum(0.0, spread) / self.weight**2
        return np.where(self.rows > 1, found, np.nan)

    def interval(self, level: float = LEVEL) -> Float[np.ndarray, "*m 3"]:
        """Mean with Student's interval, without bounds for a single row."""
        freedom = np.maximum(self.effective - 1, 1e-3)
        half = stats.t.ppf(0.5 + level / 2, freedom) * np.sqrt(self.variance)
        return np.stack([self.mean, self.mean - half, self.mean + half], -1)


def sums_of(
    values: Float[np.ndarray, " n"],
    cell: Int[np.ndarray, " n"],
    n_cells: int,
    weights: Float[np.ndarray, " n"] | None = None,
) -> Sums:
    """Sum up values by cell in one pass; weights are 1 where there are none."""
    centre = float(values.mean()) if len(values) else 0.0
    off = values - centre  # sums of squares of what is far from 0 would lose digits

    def total(of: np.ndarray | None) -> Float[np.ndarray, " m"]:
        return np.bincount(cell, of, n_cells).astype(np.float64)

    if weights is None:
        rows, sums = total(None), total(off)
        return Sums(centre, rows, rows, rows, sums, sums, total(off * off))
    squares = weights * weights
    rows = total((weights > 0).astype(np.float64))
    return Sums(
        centre, rows, total(weights), total(squares), total(weights * off),
        total(squares * off), total(squares * off * off),
    )  # fmt: skip
