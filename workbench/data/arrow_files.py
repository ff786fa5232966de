"""Parquet and Arrow files by column; extension types, which may carry code, are refused."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet as pq

from workbench.core.errors import DataError
from workbench.data.columns import clean_names, quote
from workbench.data.source import ColumnSource, FileLimits, groups

if TYPE_CHECKING:
    import pandas as pd

_PLAIN = (
    pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string,
    pa.types.is_large_string, pa.types.is_string_view, pa.types.is_decimal, pa.types.is_date,
    pa.types.is_time, pa.types.is_timestamp, pa.types.is_duration, pa.types.is_null,
)  # fmt: skip


def open_parquet(path: Path, start: bytes, limits: FileLimits) -> ColumnSource:
    """Open a Parquet file whose first bytes are ``start``; columns are read when asked for.

    Raises
    ------
    DataError
        If it is not Parquet, damaged, too large when unpacked, or holds nested values.
    """
    if not start.startswith(b"PAR1"):
        raise DataError(
            f"File {quote(path.name)} is not a Parquet file, whatever its name says; "
            "save the table again as Parquet."
        )
    with _damage_explained(path, "Parquet"), pq.ParquetFile(path) as file:
        about, schema = file.metadata, file.schema_arrow
        size = sum(about.row_group(i).total_byte_size for i in range(file.num_row_groups))
        _check_size(path, limits, about.num_rows, len(schema), size)
        _check_types(path, schema, limits)
        n_rows = about.num_rows
    names, kept = _check_columns(path, schema, n_rows, "Parquet")

    def fetch(positions: Sequence[int]) -> "Iterator[pd.Series[Any]]":
        for group in groups(positions, n_rows):
            yield from _parquet_columns(path, [schema[kept[p]] for p in group], n_rows, limits)

    return ColumnSource(names, n_rows, fetch)


def _parquet_columns(
    path: Path, fields: list[pa.Field], n_rows: int, limits: FileLimits
) -> "list[pd.Series[Any]]":
    # A text that is stored once and used in a million rows must not be unpacked before it is
    # known how much that would be; so texts are read as dictionaries first.
    names = [field.name for field in fields]
    texts = [field.name for field in fields if _is_text(field.type)]
    with _damage_explained(path, "Parquet"):
        with pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False) as file:
            table = file.read(columns=names)  # `a` also brings `a.b`
        columns = []
        for name in names:
            column = table.column(name)
            if len(column) != n_rows:
                raise ValueError(f"{len(column)} rows instead of {n_rows}")
            columns.append(_plain_texts(path, column, limits) if name in texts else column)
            columns[-1].validate(full=True)  # texts of a damaged file may be none
        del table
        return _to_series(columns)


def _plain_texts(path: Path, column: pa.ChunkedArray, limits: FileLimits) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(column.type):
        return column
    size = sum(
        pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0
        for chunk in column.chunks
    )
    limits.check_unpacked(path, len(column), 1, size)
    return column.cast(pa.large_string())


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def open_arrow(path: Path, start: bytes, limits: FileLimits) -> ColumnSource:
    """Open an Arrow (Feather 2) file, or an Arrow stream, whose first bytes are ``start``.

    Raises
    ------
    DataError
        If it is neither, damaged, too large when unpacked, or holds nested values.
    """
    if start.startswith(b"FEA1"):
        raise DataError(
            f"File {quote(path.name)} is of the old Feather format; save it again as Feather 2."
        )
    if not start.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        raise DataError(
            f"File {quote(path.name)} is not an Arrow file, whatever its name says; "
            "save the table again as Feather."
        )
    with _damage_explained(path, "Arrow"), _arrow_reader(path) as reader:
        schema = reader.schema
        _check_types(path, schema, limits)
    n_rows = _arrow_rows(path, len(schema), limits)
    names, kept = _check_columns(path, schema, n_rows, "Arrow")

    def fetch(positions: Sequence[int]) -> "Iterator[pd.Series[Any]]":
        for group in groups(positions, n_rows):
            yield from _arrow_columns(path, [kept[p] for p in group], limits)

    return ColumnSource(names, n_rows, fetch)


@contextmanager
def _arrow_reader(path: Path, fields: list[int] | None = None) -> Iterator[Any]:
    options = pa.ipc.IpcReadOptions(included_fields=fields or [], use_threads=False)
    with pa.OSFile(str(path)) as source:
        if source.read(6) == b"ARROW1":
            yield pa.ipc.open_file(source, options=options)
        else:
            source.seek(0)
            yield pa.ipc.open_stream(source, options=options)


def _batches(reader: Any) -> Iterator[pa.RecordBatch]:
    if hasattr(reader, "num_record_batches"):
        return (reader.get_batch(i) for i in range(reader.num_record_batches))
    return iter(reader)


def _arrow_rows(path: Path, n_columns: int, limits: FileLimits) -> int:
    """Count the rows by reading everything once, batch by batch, within the limit."""
    n_rows, size = 0, 0
    with _damage_explained(path, "Arrow"), _arrow_reader(path) as reader:
        for batch in _batches(reader):
            n_rows, size = n_rows + batch.num_rows, size + batch.nbytes
            _check_size(path, limits, n_rows, n_columns, size)
    return n_rows


def _arrow_columns(path: Path, fields: list[int], limits: FileLimits) -> "list[pd.Series[Any]]":
    kept: list[pa.RecordBatch] = []
    with _damage_explained(path, "Arrow"), _arrow_reader(path, fields) as reader:
        for batch in _batches(reader):
            batch.validate(full=True)  # offsets of a damaged file point anywhere
            kept.append(batch)
        table = pa.Table.from_batches(kept, schema=reader.schema)
        del kept
        places = {field: place for place, field in enumerate(sorted(fields))}
        columns = [_bounded_texts(path, table.column(places[i]), limits) for i in fields]
        del table
        return _to_series(columns)


def _bounded_texts(path: Path, column: pa.ChunkedArray, limits: FileLimits) -> pa.ChunkedArray:
    """Refuse views of which many show the same text, which becomes many copies."""
    if not pa.types.is_string_view(column.type):
        return column
    size = 0
    for chunk in column.chunks:
        views = np.frombuffer(chunk.buffers()[1], dtype=np.int32).reshape(-1, 4)  # length first
        size += int(views[chunk.offset : chunk.offset + len(chunk), 0].sum(dtype=np.int64))
    limits.check_unpacked(path, len(column), 1, size)
    return column.cast(pa.large_string())


@contextmanager
def _damage_explained(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, ArithmeticError, MemoryError):
        raise DataError(
            f"File {quote(path.name)} is damaged or cut short and cannot be read as {kind}; "
            "save or upload it again."
        ) from None


def _check_size(path: Path, limits: FileLimits, n_rows: int, n_columns: int, size: int) -> None:
    limits.check_rows(path, n_rows)
    limits.check_unpacked(path, n_rows, n_columns, size)


def _check_types(path: Path, schema: pa.Schema, limits: FileLimits) -> None:
    limits.check_columns(path, len(schema))
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        is_extension = isinstance(kind, pa.BaseExtensionType) or (
            b"ARROW:extension:name" in (field.metadata or {})
        )
        if is_extension or not any(is_kind(kind) for is_kind in _PLAIN):
            raise DataError(
                f"Column {quote(field.name)} of file {quote(path.name)} is of type "
                f"{quote(kind)}, which is not read; store plain numbers, texts or dates."
            )


def _check_columns(
    path: Path, schema: pa.Schema, n_rows: int, kind: str
) -> tuple[tuple[str, ...], list[int]]:
    """Return the names and positions of the columns that are data."""
    with _damage_explained(path, kind):
        names = schema.names
    # Pandas writes an index without a name as such a column; it is no data.
    kept = [i for i, name in enumerate(names) if not name.startswith("__index_level_")]
    if not kept:
        raise DataError(f"File {quote(path.name)} has no columns; give a table.")
    for position, i in enumerate(kept, start=1):
        if not names[i].strip():
            raise DataError(
                f"Column {position} of file {quote(path.name)} has no name; name or remove it."
            )
    if not n_rows:
        raise DataError(f"File {quote(path.name)} has columns but no rows; add at least one.")
    return tuple(clean_names(names[i] for i in kept)), kept


def _to_series(columns: list[pa.ChunkedArray]) -> "list[pd.Series[Any]]":
    for place, column in enumerate(columns):
        if pa.types.is_decimal(column.type):
            columns[place] = column.cast(pa.float64())
    table = pa.Table.from_arrays(columns, names=[str(i) for i in range(len(columns))])
    columns.clear()
    frame: pd.DataFrame = table.to_pandas(
        ignore_metadata=True, split_blocks=True, self_destruct=True
    )
    return [frame.iloc[:, place] for place in range(frame.shape[1])]
