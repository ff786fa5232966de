"""The columns of a frame or a file, handed out one after another, so that few are in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.settings import settings
from workbench.data.columns import named, quote

if TYPE_CHECKING:
    import pandas as pd

CELL_BYTES = 8
_GROUP_BYTES = 2**24

Fetch = Callable[[Sequence[int]], "Iterator[pd.Series[Any]]"]


@dataclass(frozen=True)
class FileLimits:
    """What a file may hold; each check raises one sentence that names the setting."""

    n_bytes: int
    n_columns: int
    n_rows: int

    @classmethod
    def current(cls, max_bytes: int | None = None) -> "FileLimits":
        """Return the limits of the settings, with another number of bytes where given."""
        given = settings()
        n_bytes = given.max_file_bytes if max_bytes is None else max_bytes
        return cls(n_bytes, given.max_columns, given.max_rows)

    def check_columns(self, path: Path, n_columns: int) -> None:
        """Refuse too many columns.

        Raises
        ------
        DataError
            If there are more than the limit.
        """
        if n_columns > self.n_columns:
            raise DataError(
                f"File {quote(path.name)} has {n_columns:,} columns, the limit is "
                f"{self.n_columns:,}; keep fewer or raise WORKBENCH_MAX_COLUMNS."
            )

    def check_rows(self, path: Path, n_rows: int) -> None:
        """Refuse too many rows.

        Raises
        ------
        DataError
            If there are more than the limit.
        """
        if n_rows > self.n_rows:
            raise DataError(
                f"File {quote(path.name)} has {n_rows:,} rows, the limit is {self.n_rows:,}; give "
                "fewer or raise WORKBENCH_MAX_ROWS."
            )

    def check_unpacked(self, path: Path, n_rows: int, n_columns: int, n_bytes: int = 0) -> None:
        """Refuse what takes too much memory, at no less than 8 bytes a cell.

        Raises
        ------
        DataError
            If it unpacks to more than the limit.
        """
        size = max(n_bytes, n_rows * n_columns * CELL_BYTES)
        if size > self.n_bytes:
            raise DataError(
                f"File {quote(path.name)} unpacks to {size:,} bytes ({n_rows:,} rows of "
                f"{n_columns:,} columns), the limit is {self.n_bytes:,}; give fewer rows or raise "
                "WORKBENCH_MAX_FILE_BYTES."
            )


@dataclass(frozen=True, eq=False)
class ColumnSource:
    """Named columns of equal length that are read when they are asked for.

    Attributes
    ----------
    fetch
        Yields the columns at the positions given, in that order; a file reads a few at a time.
    notes
        One sentence for each thing that had to be guessed.
    ids
        Row numbers that the rows had before; None: they are counted from 0.
    whole
        Where these are some of the rows: the source with all of them.
    """

    names: tuple[str, ...]
    n_rows: int
    fetch: Fetch
    notes: tuple[str, ...] = ()
    ids: np.ndarray | None = None
    whole: "ColumnSource | None" = None

    def each(self, names: Iterable[str]) -> "Iterator[pd.Series[Any]]":
        """Yield columns by name, in the order given."""
        chosen = list(names)
        places = {name: place for place, name in enumerate(self.names)}
        columns = self.fetch([places[name] for name in chosen])
        for name, column in zip(chosen, columns, strict=True):
            yield column.rename(name)

    def column(self, name: str) -> "pd.Series[Any]":
        """Return one column."""
        return next(self.each([name]))

    def frame(self) -> "pd.DataFrame":
        """Return all columns at once, with a row number from 0 as the index."""
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        columns = dict(zip(self.names, self.each(self.names), strict=True))
        return pd.DataFrame(columns, copy=False)

    def take(self, positions: Sequence[int]) -> "ColumnSource":
        """Return some of the rows, which keep their numbers."""
        places = np.array(positions, dtype=np.int64)
        ids = np.arange(self.n_rows, dtype=np.int64) if self.ids is None else self.ids
        return replace(
            self,
            n_rows=len(places),
            fetch=lambda columns: (column.iloc[places] for column in self.fetch(columns)),
            ids=ids[places],
            whole=self,
        )

    def select(self, renamed: dict[str, str]) -> "ColumnSource":
        """Return some columns under other names: ``{new name: name here}``."""
        places = [self.names.index(name) for name in renamed.values()]
        return replace(
            self,
            names=tuple(renamed),
            fetch=lambda positions: self.fetch([places[position] for position in positions]),
        )


def frame_source(frame: "pd.DataFrame") -> ColumnSource:
    """Wrap a frame; an index that ``Table.to_frame`` made keeps its row numbers.

    Raises
    ------
    DataError
        If two columns have the same name.
    """
    frame, index = named(frame), frame.index
    numbered = index.name == "row" and index.dtype.kind == "i" and index.is_unique
    return ColumnSource(
        names=tuple(frame.columns),
        n_rows=len(frame),
        fetch=lambda positions: (frame.iloc[:, position] for position in positions),
        ids=index.to_numpy(dtype=np.int64).copy() if numbered else None,
    )


def groups(positions: Sequence[int], n_rows: int) -> Iterator[Sequence[int]]:
    """Cut positions into runs of columns that together take about 16 MiB, one at least.

    Examples
    --------
    >>> list(groups([4, 2, 7], 2**20))
    [[4, 2], [7]]
    """
    step = max(1, _GROUP_BYTES // (CELL_BYTES * max(1, n_rows)))
    for start in range(0, len(positions), step):
        yield positions[start : start + step]
