"""What is kept of the answers while rows go by: sums over rows, whatever their number."""

import numpy as np
from jaxtyping import Float

from workbench.engines.profiles.grids import Grid, interval_of, nearest
from workbench.numerics.accumulated import Effects, accumulate, accumulate_pair


class Tally:
    """Sums for one feature's mean curve and its accumulated effects.

    Attributes
    ----------
    counts
        Rows nearest to each value.
    interval_counts
        Rows in each interval between two numbers.
    """

    def __init__(self, grid: Grid, n_outputs: int) -> None:
        g, s = len(grid.values), max(grid.steps - 1, 0)
        self.grid = grid
        self.counts = np.zeros(g, dtype=np.int64)
        self.interval_counts = np.zeros(s, dtype=np.int64)
        self._rows = 0
        self._start = np.zeros((g, n_outputs))
        self._totals = np.zeros((g, n_outputs))
        self._squares = np.zeros((g, n_outputs))
        self._ways = np.zeros(s)
        self._rises = np.zeros((s, n_outputs))
        self._rise_squares = np.zeros((s, n_outputs))

    def add(self, answers: Float[np.ndarray, "g n k"], column: Float[np.ndarray, " n"]) -> None:
        """Take in rows: what the model says at every value, and the values that the rows have.

        Sums are of differences from the first rows' mean: the variance of large numbers that
        differ little would lose its digits otherwise.
        """
        if not self._rows:
            self._start = answers.mean(1)
        self._rows += len(column)
        apart = answers - self._start[:, None]
        self._totals += apart.sum(1)
        self._squares += (apart**2).sum(1)
        places = nearest(self.grid, column)
        self.counts += np.bincount(places[places >= 0], minlength=len(self.counts))
        self._add_rises(answers, column)

    def mean(self) -> tuple[Float[np.ndarray, "g k"], Float[np.ndarray, "g k"]]:
        """Return the mean over rows at every value, and its standard error.

        Of a single row the error is not known, and NaN.
        """
        n = self._rows
        apart = self._totals / n
        if n < 2:
            return self._start + apart, np.full(apart.shape, np.nan)
        variance = np.maximum(self._squares / n - apart**2, 0.0) / (n - 1)
        return self._start + apart, np.sqrt(variance)

    def effects(self) -> Effects:
        """Return accumulated effects at every value; NaN where there is no order."""
        shape = self._totals.shape
        found = Effects(np.full(shape, np.nan), np.full(shape, np.nan))
        if self.grid.steps:
            known = accumulate(self._rises, self._rise_squares, self.interval_counts, self._ways)
            found.values[: self.grid.steps], found.errors[: self.grid.steps] = known
        return found

    def _add_rises(
        self, answers: Float[np.ndarray, "g n k"], column: Float[np.ndarray, " n"]
    ) -> None:
        """Take in how much each row's answer rises across the interval that the row is in."""
        places, inside = interval_of(self.grid, column)
        rows = np.flatnonzero(inside)
        at = places[rows]
        rises = answers[at + 1, rows] - answers[at, rows]
        ends = self.grid.values
        np.add.at(self._ways, at, (column[rows] - ends[at]) / (ends[at + 1] - ends[at]))
        np.add.at(self._rises, at, rises)
        np.add.at(self._rise_squares, at, rises**2)
        self.interval_counts += np.bincount(at, minlength=len(self.interval_counts))


class PairTally:
    """Sums for the mean surface of two features and what both do beyond each.

    Attributes
    ----------
    counts
        Rows nearest to each point of the grid.
    """

    def __init__(self, first: Grid, second: Grid, n_outputs: int) -> None:
        a, b = len(first.values), len(second.values)
        s, t = max(first.steps - 1, 0), max(second.steps - 1, 0)
        self.grids = first, second
        self.counts = np.zeros((a, b), dtype=np.int64)
        self._rows = 0
        self._totals = np.zeros((a, b, n_outputs))
        self._rises = np.zeros((s, t, n_outputs))
        self._cells = np.zeros((s, t), dtype=np.int64)

    def add(self, answers: Float[np.ndarray, "v n k"], X: Float[np.ndarray, "n d"]) -> None:
        """Take in rows: what the model says at every point of the grid, and the rows."""
        first, second = self.grids
        table = answers.reshape(*self.counts.shape, *answers.shape[1:])  # (a, b, n, k)
        self._rows += len(X)
        self._totals += table.sum(2)
        columns = X[:, first.place], X[:, second.place]
        x, y = nearest(first, columns[0]), nearest(second, columns[1])
        placed = (x >= 0) & (y >= 0)
        np.add.at(self.counts, (x[placed], y[placed]), 1)
        (i, within), (j, beside) = interval_of(first, columns[0]), interval_of(second, columns[1])
        rows = np.flatnonzero(within & beside)
        i, j = i[rows], j[rows]
        rises = table[i + 1, j + 1, rows] - table[i, j + 1, rows]
        rises = rises - table[i + 1, j, rows] + table[i, j, rows]
        np.add.at(self._rises, (i, j), rises)
        np.add.at(self._cells, (i, j), 1)

    def mean(self) -> Float[np.ndarray, "a b k"]:
        """Return the mean over rows at every point of the grid."""
        return self._totals / self._rows

    def effects(self) -> Float[np.ndarray, "a b k"]:
        """Return accumulated effects of both beyond those of each; NaN where there is no order."""
        found = np.full(self._totals.shape, np.nan)
        first, second = self.grids
        if first.steps and second.steps:
            found[: first.steps, : second.steps] = accumulate_pair(self._rises, self._cells)
        return found
