"""Files to columns: CSV, Parquet, Arrow and XLSX, with limits, and without executing anything."""

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import DataError
from workbench.core.files import refuse_special
from workbench.core.schema import listing
from workbench.data.columns import quote
from workbench.data.source import ColumnSource, FileLimits

if TYPE_CHECKING:
    import pandas as pd

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
ARROW = (".feather", ".arrow")
SHEETS = (".xlsx",)
SUFFIXES = TEXT + PARQUET + ARROW + SHEETS
_SPREADSHEETS = {
    ".xlsm": "a spreadsheet with macros",
    ".xltm": "a spreadsheet with macros",
    ".xlsb": "a binary spreadsheet",
    ".xls": "an old spreadsheet",
    ".ods": "an OpenDocument spreadsheet",
}
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
    """Read a table from a file; see ``open_source`` for what is read and refused.

    Raises
    ------
    DataError
        If the file cannot be read as a table, naming the line or column and the fix.
    """
    return open_source(path, max_bytes=max_bytes).frame()


def read_with_notes(
    path: str | Path, *, max_bytes: int | None = None
) -> tuple["pd.DataFrame", tuple[str, ...]]:
    """Read a table from a file, and say what had to be guessed; see ``open_source``.

    Raises
    ------
    DataError
        If the file cannot be read as a table, naming the line or column and the fix.
    """
    source = open_source(path, max_bytes=max_bytes)
    return source.frame(), source.notes


def open_source(
    path: str | Path, *, sheet: str | None = None, max_bytes: int | None = None
) -> ColumnSource:
    """Open a table in a file, to be read column by column.

    The suffix decides how: ``.csv``, ``.tsv``, ``.txt`` (comma, semicolon, tab or bar between the
    values, names in the first line), ``.parquet``, ``.pq``, ``.feather``, ``.arrow``, ``.xlsx``
    (values of one sheet, names in its first row that is not empty). Contents that do not fit the
    suffix are refused. Nothing in a file is executed.

    Parameters
    ----------
    sheet
        Name of the sheet of a spreadsheet; by default the first one that is not empty.
    max_bytes
        Largest file and, for packed kinds, largest table when unpacked, at no less than 8 bytes a
        cell; by default the setting ``max_file_bytes``. The settings ``max_columns`` and
        ``max_rows`` bound the rest.

    Raises
    ------
    DataError
        If the file is missing, empty, too large, of an unknown kind, damaged, or not a table.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{quote(path)} is a folder; give the path of a file in it.")
    refuse_special(path, DataError)
    limits = FileLimits.current(max_bytes)
    suffix = path.suffix.lower()
    if suffix in _SPREADSHEETS:
        raise DataError(
            f"File {quote(path.name)} is {_SPREADSHEETS[suffix]}, which is not read; save the "
            "sheet as .xlsx or .csv."
        )
    if suffix not in SUFFIXES:
        raise DataError(
            f"File {quote(path.name)} is of a kind that is not read; save the table as one of "
            f"{listing(SUFFIXES)}."
        )
    if sheet is not None and suffix not in SHEETS:
        raise DataError(f"File {quote(path.name)} has no sheets; leave out sheet {quote(sheet)}.")
    return _open(path, suffix, _checked_start(path, limits.n_bytes), limits, sheet)


def _open(
    path: Path, suffix: str, start: bytes, limits: FileLimits, sheet: str | None
) -> ColumnSource:
    if suffix in SHEETS:
        from workbench.data import sheet_files  # noqa: PLC0415 - loads calamine

        return sheet_files.open_sheet(path, start, limits, sheet)
    if suffix in TEXT:
        return _open_text(path, start, limits)
    from workbench.data import arrow_files  # noqa: PLC0415 - loads pyarrow

    if suffix in PARQUET:
        return arrow_files.open_parquet(path, start, limits)
    return arrow_files.open_arrow(path, start, limits)


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


def _open_text(path: Path, start: bytes, limits: FileLimits) -> ColumnSource:
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise DataError(
                f"File {quote(path.name)} looks like {kind}, not like text; save the table as CSV."
            )
    from workbench.data import text_files  # noqa: PLC0415 - loads pyarrow

    return text_files.open_text(path, start, limits)
