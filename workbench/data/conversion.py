"""From columns, as a user writes it, to a table of raw features, with every fault placed."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema, listing
from workbench.core.table import Table
from workbench.data.columns import distinct, quote, try_numbers
from workbench.data.source import ColumnSource, frame_source

if TYPE_CHECKING:
    import pandas as pd

_ROWS_SHOWN = 3
_BLOCK_BYTES = 2**25


def to_table(
    rows: "pd.DataFrame | ColumnSource", schema: Schema, *, name: str, ignore_extra: bool = False
) -> Table:
    """Check a frame or an open file against a schema and turn it into a table.

    Rows are counted from 0, without the header: "row 3" in a message is the fourth row of data,
    and the same number is in ``Table.ids``. A frame that came from ``Table.to_frame`` (its index
    is called ``row``) keeps the row numbers it has.

    Empty cells, NaN and the texts ``?``, ``NA``, ``N/A``, ``nan``, ``NaN``, ``null`` and ``None``
    are missing values, unless the schema lists such a text as a category. Spaces around a text do
    not count. The target, the weight column and columns beside the features may be absent.

    Parameters
    ----------
    name
        Name of the table, for messages and provenance.
    ignore_extra
        Leave out columns that the schema does not know, instead of refusing them.

    Returns
    -------
    ``X`` in float64; ``y`` as int64 class codes, or float64 values for regression.

    Raises
    ------
    DataError
        If there are no rows, a column is missing, unknown or entirely empty, or a cell is not a
        number, infinite, an unknown category, or missing where the schema knows no missing values.
    """
    source = rows if isinstance(rows, ColumnSource) else frame_source(rows)
    _check_columns(source, schema, name, ignore_extra=ignore_extra)
    if not source.n_rows:
        raise DataError(f"Table {quote(name)} has no rows; add at least one.")
    ids = np.arange(source.n_rows, dtype=np.int64) if source.ids is None else source.ids
    return Table(
        schema=schema,
        X=torch.from_numpy(_features(source, schema, ids)),
        ids=torch.from_numpy(ids),
        y=_optional(source, schema.target, lambda column: _target_values(column, schema, ids)),
        weights=_optional(source, schema.weight, lambda column: _weights(column, ids)),
        name=name,
        aside=_aside(source, schema, ids, name),
    )


def _aside(source: ColumnSource, schema: Schema, ids: np.ndarray, name: str) -> Table | None:
    """Return the columns that no model reads, where the source has any of them."""
    present = tuple(feature for feature in schema.beside if feature.name in source.names)
    if not present:
        return None
    beside = Schema(features=present)
    X, numbers = torch.from_numpy(_features(source, beside, ids)), torch.from_numpy(ids)
    return Table(schema=beside, X=X, ids=numbers, name=name)


def _features(source: ColumnSource, schema: Schema, ids: np.ndarray) -> np.ndarray:
    """Return ``X`` row by row in memory, filled a few columns at a time.

    A column's numbers lie far apart there: eight columns at once fill whole cache lines.
    """
    d = len(schema.features)
    X = np.empty((source.n_rows, d))
    width = max(1, min(8, d, _BLOCK_BYTES // X.itemsize // source.n_rows))
    block = np.empty((width, source.n_rows))
    columns = source.each(schema.names)
    for start in range(0, d, len(block)):
        few = schema.features[start : start + len(block)]
        for place, feature in enumerate(few):
            block[place] = _feature_values(next(columns), feature, ids, source)
        X[:, start : start + len(few)] = block[: len(few)].T
    return X


def _optional(
    source: ColumnSource,
    name: str | None,
    convert: "Callable[[pd.Series[Any]], np.ndarray]",
) -> torch.Tensor | None:
    if name is None or name not in source.names:
        return None
    return torch.from_numpy(convert(source.column(name)))


def _check_columns(source: ColumnSource, schema: Schema, name: str, *, ignore_extra: bool) -> None:
    present = set(source.names)
    absent = [feature for feature in schema.names if feature not in present]
    if absent:
        raise DataError(
            f"Table {quote(name)} lacks {_columns(absent)}; add what the schema names, or choose "
            "a schema that fits."
        )
    known = {*schema.names, schema.target, schema.weight, *(f.name for f in schema.beside)}
    extra = [column for column in source.names if column not in known]
    if extra and not ignore_extra:
        raise DataError(
            f"Table {quote(name)} has {_columns(extra)} beyond the schema; remove what is not "
            "needed, or leave it out while reading (ignore_extra=True, --ignore-extra-columns)."
        )


def _columns(names: list[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {listing(map(quote, names))}"


def _rows(bad: np.ndarray, ids: np.ndarray) -> str:
    """Name the rows where ``bad`` is True.

    Examples
    --------
    >>> _rows(np.array([False, True, True]), np.arange(3))
    'rows 1, 2'
    """
    rows = ids[bad]
    return f"row{'s' if len(rows) > 1 else ''} {listing(rows, _ROWS_SHOWN)}"


def _check_known(source: ColumnSource, feature: Feature) -> None:
    """Refuse a column that is missing in every row, of some rows in all that there are."""
    whole = source.whole or source
    found, _ = distinct(
        whole.column(feature.name), keep={text.strip() for text in feature.categories}
    )
    if whole.n_rows > 1 and (found < 0).all():
        raise DataError(
            f"Column {quote(feature.name)} is missing in every row; fill it in, or use a schema "
            "without it."
        )


def _feature_values(
    column: "pd.Series[Any]", feature: Feature, ids: np.ndarray, source: ColumnSource
) -> np.ndarray:
    if feature.kind == "categorical":
        codes = _codes(column, feature.categories, ids, "category")
        values = np.where(codes < 0, math.nan, codes)
    else:
        values = _numbers(column, ids)
    missing = np.isnan(values)
    if missing.all():
        _check_known(source, feature)
    if missing.any() and not feature.has_missing:
        raise DataError(
            f"Column {quote(feature.name)} has no value in {_rows(missing, ids)}, but its schema "
            "knows no missing values; fill it in, remove the row, or set has_missing in the schema."
        )
    return values


def _numbers(column: "pd.Series[Any]", ids: np.ndarray) -> np.ndarray:
    values, bad = try_numbers(column)
    if bad is not None:
        raise DataError(
            f"Column {quote(column.name)} holds {quote(column.iloc[bad])} in row {ids[bad]}, which "
            "is not a number; write it with a decimal point and without a unit."
        )
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(
            f"Column {quote(column.name)} is infinite in {_rows(infinite, ids)}; put a finite "
            "number or leave the cell empty."
        )
    return values


def _codes(
    column: "pd.Series[Any]", known: tuple[str, ...], ids: np.ndarray, word: str
) -> np.ndarray:
    """Return the position of each row's text among ``known``, -1 where it is missing."""
    places = {text.strip(): code for code, text in enumerate(known)}
    found, texts = distinct(column, keep=places)
    codes = np.array([places.get(text, -2) for text in texts] + [-1])[found]
    unknown = codes == -2
    if unknown.any():
        first = found[np.argmax(unknown)]
        raise DataError(
            f"Column {quote(column.name)} holds {quote(texts[first])} in "
            f"{_rows(found == first, ids)}, which is no known {word}; known are "
            f"{listing(map(quote, known))}."
        )
    return codes


def _target_values(column: "pd.Series[Any]", schema: Schema, ids: np.ndarray) -> np.ndarray:
    if schema.classes:
        values = _codes(column, schema.classes, ids, "class")
        missing = values < 0
    else:
        values = _numbers(column, ids)
        missing = np.isnan(values)
    if missing.any():
        raise DataError(
            f"Target {quote(column.name)} has no value in {_rows(missing, ids)}; fill it in, "
            "remove the row, or leave the whole column out."
        )
    return values


def _weights(column: "pd.Series[Any]", ids: np.ndarray) -> np.ndarray:
    values = _numbers(column, ids)
    bad = ~(values >= 0)
    if bad.any():
        raise DataError(
            f"Weight {quote(column.name)} is missing or negative in {_rows(bad, ids)}; a weight is "
            "a number of at least 0."
        )
    return values
