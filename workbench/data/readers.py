"""Files to frames: CSV, Parquet and Arrow, with limits, and without executing anything."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import DataError, InvalidInputError
from workbench.core.schema import listing
from workbench.data.columns import quote

if TYPE_CHECKING:
    import pandas as pd

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
ARROW = (".feather", ".arrow")
MAX_FILE_BYTES = 2**30
MAX_COLUMNS = 5_000
_OTHER_KINDS = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file of version 1",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\x80": "a pickle",
    b"\x89HDF": "an HDF5 file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"SQLite": "a database",
    b"\x7fELF": "a program",
    b"\x93NUMPY": "a numpy array",
}


def read_frame(path: str | Path, *, max_bytes: int | None = None) -> "pd.DataFrame":
    """Read a table from a file; see ``read_with_notes`` for what is read and refused.

    Raises
    ------
    DataError
        If the file cannot be read as a table, naming the line or column and the fix.
    """
    return read_with_notes(path, max_bytes=max_bytes)[0]


def read_with_notes(
    path: str | Path, *, max_bytes: int | None = None
) -> tuple["pd.DataFrame", tuple[str, ...]]:
    """Read a table from a file, and say what had to be guessed.

    The suffix decides how: ``.csv``, ``.tsv``, ``.txt`` (comma, semicolon, tab or bar between the
    values, names in the first line), ``.parquet``, ``.pq``, ``.feather``, ``.arrow``. Contents
    that do not fit the suffix are refused. Nothing in a file is executed.

    Parameters
    ----------
    max_bytes
        Largest file and, for Parquet and Arrow, largest table when unpacked, at no less than 8
        bytes a cell. Where None, the setting ``WORKBENCH_MAX_FILE_BYTES``, else 1 GiB.
        ``WORKBENCH_MAX_COLUMNS`` bounds the columns, else 5,000.

    Returns
    -------
    The frame, with a row number from 0 as its index, and one sentence per guess.

    Raises
    ------
    DataError
        If the file is missing, empty, too large, of an unknown kind, damaged, or not a table.
    InvalidInputError
        If a setting is not a whole number above 0.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{quote(path)} is a folder; give the path of a file in it.")
    limit = _setting("WORKBENCH_MAX_FILE_BYTES", MAX_FILE_BYTES) if max_bytes is None else max_bytes
    columns = _setting("WORKBENCH_MAX_COLUMNS", MAX_COLUMNS)
    suffix = path.suffix.lower()
    if suffix not in TEXT + PARQUET + ARROW:
        raise DataError(
            f"File {quote(path.name)} is of a kind that is not read; save the table as one of "
            f"{listing(TEXT + PARQUET + ARROW)}."
        )
    start = _checked_start(path, limit)
    if suffix in TEXT:
        return _read_text(path, start, columns)
    from workbench.data import arrow_files  # noqa: PLC0415 - loads pyarrow

    if suffix in PARQUET:
        return arrow_files.read_parquet(path, start, limit, columns), ()
    return arrow_files.read_arrow(path, start, limit, columns), ()


def _setting(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise InvalidInputError(f"Setting {name} must be a whole number above 0, got {text!r}.")
    return int(text)


def _checked_start(path: Path, limit: int) -> bytes:
    """Return the first bytes of a file that exists and is not too large."""
    try:
        size = path.stat().st_size
        if size > limit:
            raise DataError(
                f"File {quote(path.name)} has {size:,} bytes, the limit is {limit:,}; give fewer "
                "rows or raise WORKBENCH_MAX_FILE_BYTES."
            )
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError:
        raise DataError(f"There is no file {quote(path)}; check the path.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"File {quote(path)} cannot be opened: {error}.") from None
    if not start:
        raise DataError(f"File {quote(path.name)} is empty; give a header and rows.")
    return start


def _read_text(
    path: Path, start: bytes, max_columns: int
) -> tuple["pd.DataFrame", tuple[str, ...]]:
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise DataError(
                f"File {quote(path.name)} looks like {kind}, not like text; save the table as CSV."
            )
    from workbench.data import text_files  # noqa: PLC0415 - loads pyarrow

    return text_files.read_text(path, start, max_columns)
