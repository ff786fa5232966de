"""Attributions in tables: one column for each feature, or one line for each number."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.data.readers import open_source
from workbench.interop.given import Given, digest_of

if TYPE_CHECKING:
    import pandas as pd

# What a column means unless a feature of the model is called so.
ROW, OUTPUT, FEATURE, VALUE = "row", "output", "feature", "attribution"
BASE, PREDICTION, ERROR = "base_value", "prediction", "std_error"


def from_file(path: Path, known: Sequence[str]) -> Given:
    """Read a CSV, Excel, Parquet or Feather file, with the limits that tables have.

    Raises
    ------
    WorkbenchError
        If it cannot be read, or is no table of attributions.
    """
    frame = open_source(path).frame()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return from_frame(frame, known, source=f"file {path.name}", sha256=digest)


def from_frame(
    frame: "pd.DataFrame", known: Sequence[str], *, source: str, sha256: str = ""
) -> Given:
    """Read a frame; a long one has columns ``feature`` and ``attribution``, a wide one has not.

    Raises
    ------
    InvalidInputError
        If there are no lines, two columns of one name, or cells that are no numbers.
    """
    frame = frame.rename(columns=str)
    if not len(frame) or not len(frame.columns):
        raise InvalidInputError(f"There are no attributions in {source}; it has no lines.")
    if frame.columns.duplicated().any():
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InvalidInputError(f"Column {twice!r} is twice in {source}; keep one of them.")
    own = [name for name in frame.columns if name not in known]
    if {FEATURE, VALUE} <= set(own):
        return _long(frame, own, source, sha256)
    return _wide(frame, own, source, sha256)


def _wide(frame: "pd.DataFrame", own: list[str], source: str, sha256: str) -> Given:
    """Read one line for each row and output, with a column for each feature."""
    special = [name for name in (ROW, OUTPUT, BASE, PREDICTION) if name in own]
    columns = [name for name in frame.columns if name not in special]
    if not columns:
        raise InvalidInputError(f"No column of {source} is about a feature.")
    rows, names, places = _places(frame, own, source)
    shape = (len(rows), len(names))
    values = np.full((*shape, len(columns)), np.nan)
    values[places] = np.stack([_column(frame, name, source) for name in columns], 1)
    filled = np.zeros(shape, dtype=int)
    np.add.at(filled, places, 1)
    _check_once(filled, rows, names, source)
    values = values.transpose(0, 2, 1)
    return Given(
        values, source, sha256 or digest_of(values, columns, names),
        columns=tuple(columns),
        outputs=names if OUTPUT in own else None,
        ids=rows if ROW in own else None,
        base=_of_lines(frame, BASE, special, places, shape, source),
        predictions=_of_lines(frame, PREDICTION, special, places, shape, source),
    )  # fmt: skip


def _long(frame: "pd.DataFrame", own: list[str], source: str, sha256: str) -> Given:
    """Read one line for each row, output and feature."""
    columns = tuple(dict.fromkeys(map(str, frame[FEATURE])))
    rows, names, (row, output) = _places(frame, own, source, per_line=False)
    at = {name: place for place, name in enumerate(columns)}
    feature = np.array([at[str(name)] for name in frame[FEATURE]])
    shape = (len(rows), len(names))
    filled = np.zeros((*shape, len(columns)), dtype=int)
    np.add.at(filled, (row, output, feature), 1)
    wrong = np.argwhere(filled != 1)
    if len(wrong):
        i, k, j = wrong[0]
        what = _lines(filled[i, k, j])
        where = f"feature {columns[j]!r}" + (f" of row {rows[i]}" if ROW in own else "")
        where += f" and output {names[k]!r}" if OUTPUT in own else ""
        fix = "" if ROW in own else "; number the rows in a column 'row'"
        raise InvalidInputError(f"There {what} for {where} in {source}, one is needed{fix}.")

    def placed(name: str) -> np.ndarray:
        found = np.empty((*shape, len(columns)))
        found[row, output, feature] = _column(frame, name, source)
        return found.transpose(0, 2, 1)

    values = placed(VALUE)
    errors = placed(ERROR) if ERROR in own and frame[ERROR].notna().all() else None
    return Given(
        values, source, sha256 or digest_of(values, columns, names),
        columns=columns,
        outputs=names if OUTPUT in own else None,
        ids=rows if ROW in own else None,
        base=_of_lines(frame, BASE, own, (row, output), shape, source),
        std_errors=errors if errors is not None and (errors > 0).any() else None,
        predictions=_of_lines(frame, PREDICTION, own, (row, output), shape, source),
    )  # fmt: skip


def _places(
    frame: "pd.DataFrame", own: Sequence[str], source: str, *, per_line: bool = True
) -> tuple[Int[np.ndarray, " n"], tuple[str, ...], tuple[np.ndarray, np.ndarray]]:
    """Return row numbers and outputs in the order of the file, and for each line where it belongs.

    Raises
    ------
    InvalidInputError
        If a row number is no whole number from 0 on.
    """
    row = np.arange(len(frame)) if per_line else np.zeros(len(frame))
    if ROW in own:
        row = _column(frame, ROW, source)
        wrong = (row < 0) | (row != np.floor(row)) | (row >= 2.0**53)
        if wrong.any():
            raise InvalidInputError(
                f"Column 'row' of {source} has {row[wrong][0]:g}, where the number of a row is "
                "needed: a whole number from 0 on."
            )
    outputs = list(map(str, frame[OUTPUT])) if OUTPUT in own else [""] * len(frame)
    names = tuple(dict.fromkeys(outputs))
    ids, first, back = np.unique(row.astype(np.int64), return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    which = np.array([names.index(name) for name in outputs])
    return ids[order], names, (place[back], which)


def _check_once(
    filled: Int[np.ndarray, "n q"], rows: Int[np.ndarray, " n"], names: Sequence[str], source: str
) -> None:
    wrong = np.argwhere(filled != 1)
    if len(wrong):
        i, k = wrong[0]
        of = f" and output {names[k]!r}" if names[k] else ""
        what = _lines(filled[i, k])
        raise InvalidInputError(f"There {what} for row {rows[i]}{of} in {source}, give one.")


def _lines(n: int) -> str:
    return f"are {n} lines" if n else "is no line"


def _of_lines(
    frame: "pd.DataFrame", name: str, own: Sequence[str], places: Any, shape: tuple[int, int],
    source: str,
) -> Float[np.ndarray, "n q"] | None:  # fmt: skip
    """Return a number of each row and output, which may stand on several lines.

    Raises
    ------
    InvalidInputError
        If lines of one row contradict each other.
    """
    if name not in own:
        return None
    column, found = _column(frame, name, source), np.full(shape, np.nan)
    found[places] = column
    if not np.array_equal(found[places], column):
        raise InvalidInputError(
            f"Column {name!r} of {source} says different things of one row; it has one for each "
            "row and output."
        )
    return found


def _column(frame: "pd.DataFrame", name: str, source: str) -> Float[np.ndarray, " m"]:
    """Return a column of numbers.

    Raises
    ------
    InvalidInputError
        Naming the first line that has none.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

    found = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        cell = frame[name].iloc[int(wrong[0])]
        raise InvalidInputError(
            f"Column {name!r} of {source} has {str(cell)[:40]!r} in line {int(wrong[0]) + 1}, "
            "where a finite number is needed; mend or leave out the line."
        )
    return found
