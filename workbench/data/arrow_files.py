"""Parquet and Arrow files to frames; extension types, which may carry code, are refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet as pq

from workbench.core.errors import DataError
from workbench.data.columns import named, quote

if TYPE_CHECKING:
    import pandas as pd

_CELL_BYTES = 8
_PLAIN = (
    pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string,
    pa.types.is_large_string, pa.types.is_string_view, pa.types.is_decimal, pa.types.is_date,
    pa.types.is_time, pa.types.is_timestamp, pa.types.is_duration, pa.types.is_null,
)  # fmt: skip


def read_parquet(path: Path, start: bytes, max_bytes: int, max_columns: int) -> "pd.DataFrame":
    """Read a Parquet file whose first bytes are ``start``.

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
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
        _check_size(path, file.metadata.num_rows, len(file.schema_arrow), size, max_bytes)
        _check_types(path, file.schema_arrow, max_columns)
        return _to_frame(path, file.read())


def read_arrow(path: Path, start: bytes, max_bytes: int, max_columns: int) -> "pd.DataFrame":
    """Read an Arrow (Feather 2) file, or an Arrow stream, whose first bytes are ``start``.

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
    with _damage_explained(path, "Arrow"), pa.OSFile(str(path)) as source:
        is_file = start.startswith(b"ARROW1")
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        _check_types(path, reader.schema, max_columns)
        return _to_frame(path, _bounded(path, reader, max_bytes))


def _bounded(path: Path, reader: Any, max_bytes: int) -> pa.Table:
    """Collect the batches of a reader, stopping as soon as they take too much memory."""
    is_file = hasattr(reader, "num_record_batches")
    batches: Iterator[pa.RecordBatch] = (
        (reader.get_batch(i) for i in range(reader.num_record_batches)) if is_file else reader
    )
    kept, rows, size = [], 0, 0
    for batch in batches:
        rows, size = rows + batch.num_rows, size + batch.nbytes
        _check_size(path, rows, batch.num_columns, size, max_bytes)
        kept.append(batch)
    return pa.Table.from_batches(kept, schema=reader.schema)


@contextmanager
def _damage_explained(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        raise DataError(
            f"File {quote(path.name)} is damaged or cut short and cannot be read as {kind}; "
            "save or upload it again."
        ) from None


def _check_size(path: Path, n_rows: int, n_columns: int, size: int, max_bytes: int) -> None:
    size = max(size, n_rows * n_columns * _CELL_BYTES)
    if size > max_bytes:
        raise DataError(
            f"File {quote(path.name)} unpacks to {size:,} bytes ({n_rows:,} rows of {n_columns:,} "
            f"columns), the limit is {max_bytes:,}; give fewer rows or raise "
            "WORKBENCH_MAX_FILE_BYTES."
        )


def _check_types(path: Path, schema: pa.Schema, max_columns: int) -> None:
    if len(schema) > max_columns:
        raise DataError(
            f"File {quote(path.name)} has {len(schema):,} columns, the limit is {max_columns:,}; "
            "keep fewer or raise WORKBENCH_MAX_COLUMNS."
        )
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


def _to_frame(path: Path, table: pa.Table) -> "pd.DataFrame":
    # Pandas writes an index without a name as such a column; it is no data.
    table = table.drop_columns([c for c in table.column_names if c.startswith("__index_level_")])
    if not table.num_columns:
        raise DataError(f"File {quote(path.name)} has no columns; give a table.")
    for position, name in enumerate(table.column_names):
        if not name.strip():
            raise DataError(
                f"Column {position + 1} of file {quote(path.name)} has no name; name or remove it."
            )
        if pa.types.is_decimal(table.schema.field(position).type):
            table = table.set_column(position, name, table.column(position).cast(pa.float64()))
    if not table.num_rows:
        raise DataError(f"File {quote(path.name)} has columns but no rows; add at least one.")
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return named(frame)
