"""XLSX sheets to columns: values only, from a copy that holds nothing but checked parts."""

import datetime
import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import python_calamine as calamine

from workbench.core.errors import DataError
from workbench.core.schema import listing
from workbench.data.columns import as_text, quote
from workbench.data.source import ColumnSource, FileLimits
from workbench.data.text_files import check_header

if TYPE_CHECKING:
    import pandas as pd

Cell = int | float | str | bool | datetime.date | datetime.time | datetime.timedelta
Grid = list[list[Cell]]

MAX_PARTS = 10_000
_SHEET_CELL_BYTES = 32  # of a cell in calamine, empty ones between the corners included
_CHUNK = 2**20
_MAX_CARRY = 2**24
# Everything else in the archive is macros, pictures, links to other files, and the like.
_NEEDED = re.compile(
    r"\[content_types\]\.xml|_rels/\.rels|xl/[^/]+\.xml|xl/_rels/[^/]+\.rels"
    r"|xl/worksheets/[^/]+\.xml",
    re.IGNORECASE,
)
_PLACE = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{0,8})([0-9]{1,12})[\"']")
_FORBIDDEN = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def open_sheet(path: Path, start: bytes, limits: FileLimits, sheet: str | None) -> ColumnSource:
    """Read one sheet of an XLSX file whose first bytes are ``start``.

    Formulas are not computed: their last result is the value. The first row that is not empty
    names the columns; rows without any value are left out.

    Raises
    ------
    DataError
        If it is not XLSX, damaged, too large when unpacked, has no such sheet, no rows, or lacks
        or repeats a column name.
    """
    if not start.startswith(b"PK\x03\x04"):
        raise DataError(
            f"File {quote(path.name)} is not an XLSX spreadsheet, whatever its name says; save "
            "the sheet again as .xlsx or .csv."
        )
    try:
        with calamine.load_workbook(_checked_copy(path, limits)) as book:
            grid, notes = _choose(path, book, sheet)
    except (calamine.CalamineError, zipfile.BadZipFile, zlib.error, OSError, ValueError,
            NotImplementedError, EOFError, RuntimeError):  # fmt: skip
        _refuse_damaged(path)
    except BaseException as error:
        # A panic of the Rust side is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        _refuse_damaged(path)
    return _source(path, grid, notes, limits)


def _refuse_damaged(path: Path) -> Any:
    raise DataError(
        f"File {quote(path.name)} is damaged or protected and cannot be read as XLSX; save it "
        "again without a password."
    ) from None


def _checked_copy(path: Path, limits: FileLimits) -> io.BytesIO:
    """Return an archive in memory with the needed parts alone, each unpacked and looked at.

    What is checked is then exactly what is read: no second table of contents, no part whose
    declared size is not its real one, no entity, no cell far away from the others.

    Raises
    ------
    DataError
        If a part is not what a spreadsheet holds, or something is larger than its limit.
    """
    copy = io.BytesIO()
    total = 0
    with zipfile.ZipFile(path) as packed, zipfile.ZipFile(copy, "w") as plain:
        parts = packed.infolist()
        if len(parts) > MAX_PARTS:
            raise DataError(
                f"File {quote(path.name)} holds {len(parts):,} parts, the limit is "
                f"{MAX_PARTS:,}; save the sheet in a new spreadsheet."
            )
        needed = [part for part in parts if _NEEDED.fullmatch(part.filename)]
        declared = sum(part.file_size for part in needed)
        _check_unpacked(path, declared, limits)
        if len({part.filename.lower() for part in needed}) < len(needed):
            _refuse_damaged(path)
        for part in needed:
            with packed.open(part) as source, plain.open(part.filename, "w") as target:
                is_sheet = "/worksheets/" in part.filename.lower()
                for chunk in _looked_at(path, _chunks(source), limits, is_sheet=is_sheet):
                    total += len(chunk)
                    _check_unpacked(path, total, limits)
                    target.write(chunk)
    copy.seek(0)
    return copy


def _check_unpacked(path: Path, n_bytes: int, limits: FileLimits) -> None:
    if n_bytes > limits.n_bytes:
        raise DataError(
            f"File {quote(path.name)} unpacks to {n_bytes:,} bytes or more, the limit is "
            f"{limits.n_bytes:,}; give fewer rows or raise WORKBENCH_MAX_FILE_BYTES."
        )


def _chunks(source: Any) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def _looked_at(
    path: Path, chunks: Iterator[bytes], limits: FileLimits, *, is_sheet: bool
) -> Iterator[bytes]:
    """Pass a part on, cut before a ``<``, so that no tag or attribute lies on a cut."""
    carry, width, height = b"", 0, 0
    for chunk in chunks:
        text, cut = carry + chunk, (carry + chunk).rfind(b"<")
        text, carry = (text[:cut], text[cut:]) if cut > 0 else (b"", text)
        if len(carry) > _MAX_CARRY:
            _refuse_damaged(path)
        width, height = _check_part(path, text, limits, width, height, is_sheet=is_sheet)
        yield text
    _check_part(path, carry, limits, width, height, is_sheet=is_sheet)
    yield carry


def _check_part(
    path: Path, text: bytes, limits: FileLimits, width: int, height: int, *, is_sheet: bool
) -> tuple[int, int]:
    """Return the furthest column and row seen so far."""
    if _FORBIDDEN.search(text):
        raise DataError(
            f"File {quote(path.name)} declares XML entities, which a spreadsheet has no use for; "
            "save the sheet again as .xlsx or .csv."
        )
    if b"\0" in text:
        _refuse_damaged(path)  # of an encoding in which the checks here would see nothing
    if not is_sheet:
        return width, height
    for letters, digits in set(_PLACE.findall(text)):
        width, height = max(width, _column_number(letters)), max(height, int(digits))
    limits.check_rows(path, height - 1)
    limits.check_columns(path, width)
    if width * height * _SHEET_CELL_BYTES > limits.n_bytes:
        limits.check_unpacked(path, height, width, width * height * _SHEET_CELL_BYTES)
    return width, height


def _column_number(letters: bytes) -> int:
    """Return the number of column A, B, ..., Z, AA, ..., counted from 1.

    Examples
    --------
    >>> _column_number(b"A"), _column_number(b"AB"), _column_number(b"")
    (1, 28, 0)
    """
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number


def _choose(
    path: Path, book: calamine.CalamineWorkbook, wanted: str | None
) -> tuple[Grid, tuple[str, ...]]:
    """Return the rows of the sheet that is meant, without empty ones, and what was guessed."""
    sheets = [s for s in book.sheets_metadata if s.typ == calamine.SheetTypeEnum.WorkSheet]
    if wanted is not None:
        if wanted not in [sheet.name for sheet in sheets]:
            raise DataError(
                f"File {quote(path.name)} has no sheet {quote(wanted)}; choose one of "
                f"{listing(quote(sheet.name) for sheet in sheets)}."
            )
        return _rows(book.get_sheet_by_name(wanted))
    grid: Grid | None = None
    notes: tuple[str, ...] = ()
    filled: list[str] = []
    for sheet in sheets:
        if sheet.visible != calamine.SheetVisibleEnum.Visible:
            continue
        rows, more = _rows(book.get_sheet_by_name(sheet.name))
        if not rows:
            continue
        filled.append(sheet.name)
        if grid is None:
            grid, notes = rows, more
    if grid is None:
        raise DataError(f"File {quote(path.name)} is empty; give a header and rows.")
    if len(filled) > 1:
        notes += (
            f"The file has {len(filled)} sheets with values ({listing(map(quote, filled))}); "
            f"sheet {quote(filled[0])} was read.",
        )
    return grid, notes


def _rows(sheet: calamine.CalamineSheet) -> tuple[Grid, tuple[str, ...]]:
    """Return the rows that hold a value, and a note if there were others between them."""
    rows: Grid = []
    n_empty = n_between = 0
    for row in sheet.iter_rows():
        if not any(cell != "" for cell in row):
            n_empty += bool(rows)
            continue
        n_between = n_empty
        rows.append(row)
    if not n_between:
        return rows, ()
    word = "row was" if n_between == 1 else "rows were"
    return rows, (f"{n_between:,} empty {word} left out.",)


def _source(path: Path, grid: Grid, notes: tuple[str, ...], limits: FileLimits) -> ColumnSource:
    if len(grid) < 2:
        raise DataError(f"File {quote(path.name)} has a header but no rows; add at least one.")
    header, *rows = grid
    grid.clear()
    filled = [
        place
        for place, name in enumerate(header)
        if name != "" or any(row[place] != "" for row in rows)
    ]
    names = [as_text(header[place]) for place in filled]
    limits.check_columns(path, len(names))
    limits.check_rows(path, len(rows))
    check_header(path, names)
    n_rows = len(rows)
    columns = [_typed([row[place] for row in rows]) for place in filled]
    return ColumnSource(
        names=tuple(names),
        n_rows=n_rows,
        fetch=lambda positions: (_series(columns[position]) for position in positions),
        notes=notes,
    )


def _typed(cells: list[Cell]) -> np.ndarray:
    """Return the cells of a column as numbers where all are, else as texts, dates and None.

    Examples
    --------
    >>> _typed([1.0, "", 2.5]), _typed([1.0, 2.0]), _typed(["007", 1.0, ""])
    (array([1. , nan, 2.5]), array([1, 2]), array(['007', '1', None], dtype=object))
    """
    known = [cell for cell in cells if cell != ""]
    kinds = {type(cell) for cell in known}
    if kinds and kinds <= {float, int}:
        numbers = np.array([math.nan if cell == "" else cell for cell in cells])
        whole = len(known) == len(cells) and bool((np.abs(numbers) < 2**53).all())
        whole = whole and bool((numbers == np.round(numbers)).all())
        return numbers.astype(np.int64) if whole else numbers
    if kinds == {bool} and len(known) == len(cells):
        return np.array(cells)
    # Several kinds: compared as texts, since 1.0 and True would be one value.
    plain = len(kinds) == 1
    values = np.empty(len(cells), dtype=object)
    for row, cell in enumerate(cells):
        if cell != "":
            values[row] = cell if plain else as_text(cell)
    return values


def _series(values: np.ndarray) -> "pd.Series[Any]":
    import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

    return pd.Series(values)
