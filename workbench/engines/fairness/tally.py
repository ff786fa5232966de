"""One pass over the rows; whatever compares groups afterwards works on these counts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.core.grouping import Grouping
from workbench.engines.fairness.decided import Decided
from workbench.numerics.group_means import Sums, sums_of
from workbench.numerics.group_rates import confusion
from workbench.numerics.group_scores import passed

Cells = Float[np.ndarray, "g 2 2"]


@dataclass(frozen=True, eq=False)
class Partition:
    """The groups of one way of crossing attributes.

    Attributes
    ----------
    names
        Levels of each group.
    rows, counts, squares
        Rows, weights and squared weights by group, truth and decision.
    scores
        Sums of scores by group and truth.
    """

    attributes: tuple[int, ...]
    names: tuple[tuple[str, ...], ...]
    rows: Cells
    counts: Cells
    squares: Cells
    scores: Sums

    def __len__(self) -> int:
        return len(self.names)

    @property
    def effective(self) -> Float[np.ndarray, "g 4"]:
        """Counts scaled to as many rows as tell as much in each group (Kish)."""
        counts = self.counts.reshape(-1, 4)
        total, squares = counts.sum(1), self.squares.sum((1, 2))
        scale = total / np.where(squares > 0, squares, 1.0)
        return counts * scale[:, None]


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of the cells in which all attributes are crossed; coarser ones are their sums."""

    grouping: Grouping
    depth: int
    rows: Cells
    counts: Cells
    squares: Cells
    scores: Sums
    thresholds: Float[np.ndarray, " t"]
    reached: Int[np.ndarray, "t m"]

    @property
    def partitions(self) -> Iterator[Partition]:
        """Return the partitions of up to ``depth`` attributes, single ones first."""
        for chosen in self.grouping.partitions(self.depth):
            others = tuple(at for at in range(len(self._sizes)) if at not in chosen)
            yield Partition(
                chosen, self.grouping.cells(chosen),
                *(self._joined(part, others) for part in (self.rows, self.counts, self.squares)),
                scores=self._joined_scores(others),
            )  # fmt: skip

    def passed_by(self, partition: Partition) -> Int[np.ndarray, "t g 2"]:
        """Count who reaches each threshold, by group and truth."""
        t = len(self.thresholds)
        others = tuple(1 + at for at in range(len(self._sizes)) if at not in partition.attributes)
        joined: np.ndarray = self.reached.reshape(t, *self._sizes, 2).sum(others)
        return joined.reshape(t, len(partition), 2)

    @property
    def _sizes(self) -> tuple[int, ...]:
        return tuple(len(levels) for levels in self.grouping.levels)

    def _joined(
        self, part: Float[np.ndarray, "m 2 2"], others: tuple[int, ...]
    ) -> Float[np.ndarray, "g 2 2"]:
        joined: np.ndarray = part.reshape(*self._sizes, 2, 2).sum(others)
        return joined.reshape(-1, 2, 2)

    def _joined_scores(self, others: tuple[int, ...]) -> Sums:
        return self.scores.shaped(*self._sizes, 2).over(*others).shaped(-1, 2)


def tally(
    decided: Decided,
    grouping: Grouping,
    weights: Float[np.ndarray, " n"] | None,
    thresholds: Float[np.ndarray, " t"],
    depth: int,
) -> Tally:
    """Count rows by group, truth, decision and score.

    Parameters
    ----------
    decided
        With truth; scores are NaN where nobody knows them, and are not counted then.
    weights
        1 on average; None where all rows count alike.
    """
    every = range(len(grouping.attributes))
    cell, n_cells = grouping.cell_of(every), len(grouping.cells(every))
    truth = decided.truth
    assert truth is not None  # noqa: S101 - whoever calls has labels
    rows = confusion(decided.decided, truth, cell, n_cells)
    own = (decided.decided, truth, cell, n_cells)
    weighed = rows if weights is None else confusion(*own, weights)
    squares = rows if weights is None else confusion(*own, weights**2)
    place = cell * 2 + truth
    known = bool(np.isfinite(decided.scores).all())
    return Tally(
        grouping, depth, rows, weighed, squares,
        sums_of(decided.scores, place, 2 * n_cells, weights),
        thresholds,
        passed(decided.scores, place, 2 * n_cells, thresholds) if known
        else np.zeros((len(thresholds), 2 * n_cells), dtype=np.int64),
    )  # fmt: skip
