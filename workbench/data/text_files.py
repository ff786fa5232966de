"""Delimited text to frames: encoding, delimiter and decimal comma are found, faults are placed."""

import codecs
import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import csv as pa_csv

from workbench.core.errors import DataError
from workbench.data.columns import MISSING, clean_names, quote
from workbench.data.source import ColumnSource, FileLimits

if TYPE_CHECKING:
    import pandas as pd

DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 2**20
_SAMPLE = 2**18
_SAMPLE_RECORDS = 200
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A few bytes fit many encodings; these are the ones that spreadsheets write.
_ENCODINGS = [
    "cp1252", "iso8859_15", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "shift_jis",
    "euc_jp", "gb18030", "big5", "euc_kr",
]  # fmt: skip
_CODE = r"^[+-]?0[0-9xX]"
_DECIMAL_COMMA = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?\d{1,3}(\.\d{3})+$"


def open_text(path: Path, start: bytes, limits: FileLimits) -> ColumnSource:
    """Read a text file whose first bytes are ``start``; the first line names the columns.

    Columns of numbers become numbers, unless they are codes with a leading zero. With semicolons
    between the values, numbers may have a decimal comma. All else stays text as it is.

    Raises
    ------
    DataError
        If it is not text, cannot be decoded, has no rows, lacks or repeats a column name, has too
        many columns or rows, or a line has more or fewer values than the header.
    """
    encoding, notes = _find_encoding(path, start)
    try:
        delimiter = _find_delimiter(path, encoding)
        header, n_skip = _read_header(path, encoding, delimiter)
    except csv.Error:
        raise DataError(
            f"File {quote(path.name)} is not a table: its first lines hold a value of more than "
            f"{csv.field_size_limit():,} characters; check its quotes."
        ) from None
    limits.check_columns(path, len(header))
    check_header(path, header)
    table = _parse(path, encoding, delimiter, header, n_skip)
    if not table.num_rows:
        raise DataError(f"File {quote(path.name)} has a header but no rows; add at least one.")
    limits.check_rows(path, table.num_rows)
    n_rows = table.num_rows
    columns, more = _typed(table, header, decimal_comma=delimiter == ";")
    return ColumnSource(
        names=tuple(name.strip() for name in header),
        n_rows=n_rows,
        fetch=lambda positions: (_to_series(columns[position]) for position in positions),
        notes=(*notes, *more),
    )


def _to_series(column: pa.ChunkedArray) -> "pd.Series[Any]":
    frame: pd.DataFrame = pa.Table.from_arrays([column], names=["x"]).to_pandas()
    return frame["x"]


def _find_encoding(path: Path, start: bytes) -> tuple[str, list[str]]:
    if start.startswith(_UTF16):
        if (line := _undecodable_line(path, "utf-16")) is not None:
            _refuse_undecodable(path, line)
        return "utf-16", []
    line = _undecodable_line(path, "utf-8-sig")
    if line is None:
        return "utf-8-sig", []
    guess = _guess_encoding(path)
    if guess is None or _undecodable_line(path, guess) is not None:
        _refuse_undecodable(path, line)
    return guess, [f"The file is not UTF-8 (line {line}); it was read as {guess}."]


def _refuse_undecodable(path: Path, line: int) -> NoReturn:
    raise DataError(
        f"File {quote(path.name)} cannot be decoded at line {line}; save it again as UTF-8."
    )


def _undecodable_line(path: Path, encoding: str) -> int | None:
    """Read the whole file once; return the line of the first byte that is not of the encoding."""
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            nul = text.find("\0")
            if nul >= 0:
                raise DataError(
                    f"File {quote(path.name)} holds a NUL character in line "
                    f"{line + text.count(chr(10), 0, nul)}, so it is not text; save it as CSV."
                )
            if not chunk:
                return None
            line += text.count("\n")


def _guess_encoding(path: Path) -> str | None:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - needed for few files

    with path.open("rb") as file:
        foreign = (line for line in file if not line.isascii())
        sample = b"".join(itertools.islice(foreign, _SAMPLE_RECORDS))[:_SAMPLE]
    best = from_bytes(sample, cp_isolation=_ENCODINGS).best()
    if best is None:
        return None
    # Encodings that read the sample alike are one guess; the most common one gives it its name.
    return "cp1252" if "cp1252" in best.could_be_from_charset else best.encoding


def _open(path: Path, encoding: str) -> io.TextIOWrapper:
    return path.open(encoding=encoding, newline="")


def _find_delimiter(path: Path, encoding: str) -> str:
    """Return the delimiter that cuts most lines like the header, and the header most often."""
    with _open(path, encoding) as file:
        sample = file.read(_SAMPLE)
    if not sample.strip():
        raise DataError(f"File {quote(path.name)} is empty; give a header and rows.")

    def score(delimiter: str) -> tuple[bool, float, int]:
        lines = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            records = list(itertools.islice(filter(None, lines), _SAMPLE_RECORDS))
        except csv.Error:  # a long line that this delimiter does not cut
            return False, 0.0, 0
        if len(sample) == _SAMPLE and len(records) > 1:
            records.pop()  # it may be cut
        width = len(records[0])
        return width > 1, sum(len(r) == width for r in records) / len(records), width

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] else DELIMITERS[0]


def _read_header(path: Path, encoding: str, delimiter: str) -> tuple[list[str], int]:
    """Return the column names, and how many records come before the first row of data."""
    with _open(path, encoding) as file:
        for n_before, record in enumerate(csv.reader(file, delimiter=delimiter)):
            if record:
                return record, n_before + 1
    return [], 0


def check_header(path: Path, header: list[str]) -> None:
    """Refuse columns without a name, and names that cannot be told apart.

    Raises
    ------
    DataError
        Naming the columns by their positions from 1.
    """
    seen: dict[str, int] = {}
    for position, raw in enumerate(header, start=1):
        name = raw.strip()
        if not name:
            raise DataError(
                f"Column {position} of file {quote(path.name)} has no name in the header; name it "
                "or remove it (pandas: to_csv(index=False))."
            )
        if name in seen:
            raise DataError(
                f"Columns {seen[name]} and {position} of file {quote(path.name)} are both named "
                f"{quote(name)}; rename or remove one of them."
            )
        seen[name] = position
    clean_names(header)


def _parse(path: Path, encoding: str, delimiter: str, header: list[str], n_skip: int) -> pa.Table:
    names = [str(position) for position in range(len(header))]
    try:
        return pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(
                column_names=names,
                skip_rows_after_names=n_skip,
                encoding="utf-8" if encoding == "utf-8-sig" else encoding,
                block_size=16 * _CHUNK,
            ),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, UnicodeError):
        _refuse_ragged(path, encoding, delimiter, len(header))


def _refuse_ragged(path: Path, encoding: str, delimiter: str, width: int) -> NoReturn:
    """Read the file again, slowly, for the line that does not fit."""
    with _open(path, encoding) as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            bad = next((record for record in reader if record and len(record) != width), None)
        except csv.Error:
            bad = None
        line = reader.line_num
    if bad is None:
        raise DataError(
            f"File {quote(path.name)} cannot be cut into columns near line {line}; check its "
            "quotes and save it as CSV again."
        )
    raise DataError(
        f"Line {line} of file {quote(path.name)} has {len(bad)} value{'s' * (len(bad) != 1)}, the "
        f"header has {width}; add or remove values, or quote those that contain {delimiter!r}."
    )


def _typed(
    table: pa.Table, header: list[str], *, decimal_comma: bool
) -> tuple[list[pa.ChunkedArray], list[str]]:
    """Turn the columns that consist of numbers into numbers, dropping each text as it goes."""
    columns: list[pa.ChunkedArray] = []
    commas, points = [], []
    for name in header:
        texts, table = table.column(0), table.remove_column(0)
        numbers = _numbers(texts)
        if numbers is None and decimal_comma:
            numbers = _numbers_with_comma(texts)
            commas += [name.strip()] if numbers is not None else []
        elif decimal_comma and _all_match(texts, _THOUSANDS):
            points.append(name.strip())
        columns.append(texts if numbers is None else numbers)
    return columns, list(_comma_notes(commas, points))


def _comma_notes(commas: list[str], points: list[str]) -> Iterator[str]:
    if commas:
        yield f"A decimal comma was read in {', '.join(map(quote, commas))}."
        for name in points:
            yield (
                f"Column {quote(name)} was read with a decimal point, although other columns have "
                "a decimal comma; check that its points do not mark thousands."
            )


def _without_missing(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(trimmed, value_set=pa.array(sorted(MISSING)))
    return pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)


def _all_match(texts: pa.ChunkedArray, pattern: str) -> bool:
    matches = pc.match_substring_regex(_without_missing(texts), pattern)
    return bool(pc.all(matches, min_count=1).as_py())


def _numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    known = _without_missing(texts)
    if pc.any(pc.match_substring_regex(known, _CODE)).as_py():
        return None
    for kind in (pa.int64(), pa.float64()):
        try:
            return known.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def _numbers_with_comma(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    if not _all_match(texts, _DECIMAL_COMMA):
        return None
    plain = pc.replace_substring(_without_missing(texts), ".", "")
    return _numbers(pc.replace_substring(plain, ",", "."))
