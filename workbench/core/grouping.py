"""Which group each row belongs to, by one or more protected attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from jaxtyping import Int

from workbench.core.errors import InvalidInputError

MISSING = "missing"


@dataclass(frozen=True, eq=False)
class Grouping:
    """Rows by protected attributes, each a category or a bin of a number.

    Attributes
    ----------
    attributes
        Names of the columns.
    levels
        Of each attribute, in the order of its codes; *missing* is the last where a row lacks it.
    codes
        Level of each row, one column for each attribute.
    """

    attributes: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    codes: Int[np.ndarray, "n a"]

    def __len__(self) -> int:
        return len(self.codes)

    def partitions(self, depth: int) -> tuple[tuple[int, ...], ...]:
        """Return sets of up to ``depth`` attributes to be crossed, single ones first."""
        every = range(len(self.attributes))
        return tuple(
            chosen
            for size in range(1, min(depth, len(self.attributes)) + 1)
            for chosen in combinations(every, size)
        )

    def cells(self, partition: Sequence[int]) -> tuple[tuple[str, ...], ...]:
        """Return the levels of every cell of a partition, cells without rows included."""
        return tuple(product(*(self.levels[at] for at in partition)))

    def cell_of(self, partition: Sequence[int]) -> Int[np.ndarray, " n"]:
        """Return for each row the position of its cell in ``cells``."""
        sizes = tuple(len(self.levels[at]) for at in partition)
        found: np.ndarray = np.ravel_multi_index(
            tuple(self.codes[:, at] for at in partition), sizes
        )
        return found.astype(np.int64)


class OfGroups:
    """What an audit has that is about groups: the cells of partitions, one after another."""

    attributes: tuple[str, ...]
    partitions: tuple[tuple[int, ...], ...]
    partition_of: Int[np.ndarray, " g"]
    group_levels: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.group_levels)

    @property
    def partition_names(self) -> tuple[str, ...]:
        """Names of the partitions, such as ``sex x race``."""
        return tuple(" x ".join(self.attributes[at] for at in part) for part in self.partitions)

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of the groups within their partition, such as ``Female, White``."""
        return tuple(", ".join(levels) for levels in self.group_levels)

    def groups_of(self, partition: int) -> Int[np.ndarray, " m"]:
        """Positions of the groups of a partition."""
        return np.flatnonzero(self.partition_of == partition)

    def _check_partitions(self) -> None:
        if not len(self) or not set(self.partition_of.tolist()) <= set(range(len(self.partitions))):
            raise InvalidInputError("A group in the audit belongs to no partition of it.")
