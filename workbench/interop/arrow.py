"""Results as Arrow tables and Parquet files that say how they were made."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import InvalidInputError
from workbench.core.files import replacing
from workbench.core.results import RESULT_FORMAT, Result, Tabular

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# Keys of the schema's metadata.
KIND, FORMAT, PROVENANCE = b"workbench.kind", b"workbench.format", b"workbench.provenance"


def to_arrow(result: Result) -> "pa.Table":
    """Return the table of a result, with its kind and provenance in the metadata of the schema.

    Columns are those of ``to_frame``; text stays text. The provenance is JSON under
    ``workbench.provenance``.

    Raises
    ------
    InvalidInputError
        If the result is no table of numbers.
    """
    import pyarrow as pa  # noqa: PLC0415 - only for those who ask

    if not isinstance(result, Tabular):
        raise InvalidInputError(f"A result of kind {result.kind!r} is no table; save it instead.")
    frame = result.to_frame()
    if frame.index.name is not None:
        frame = frame.reset_index()
    plain = {str(name): _plain(frame[name]) for name in frame}
    table = pa.table(plain)
    return table.replace_schema_metadata({
        KIND: result.kind.encode(),
        FORMAT: str(RESULT_FORMAT).encode(),
        PROVENANCE: result.provenance.model_dump_json().encode(),
    })


def write_parquet(result: Result, path: str | Path) -> Path:
    """Write the table of a result as Parquet; a file of that name is replaced as a whole.

    Raises
    ------
    InvalidInputError
        If the result is no table of numbers.
    """
    from pyarrow import parquet  # noqa: PLC0415 - only for those who ask

    table = to_arrow(result)
    path = Path(path)
    with replacing(path) as part:
        parquet.write_table(table, part)
    return path


def _plain(column: "pd.Series[Any]") -> Any:
    """Return a column of one type: numbers as they are, anything mixed as text, nothing as null."""
    if column.dtype.kind in "biuf":
        return column.to_numpy()
    return [None if cell is None or cell != cell else str(cell) for cell in column]  # noqa: PLR0124
