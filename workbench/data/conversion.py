"""From a frame, as a user writes it, to a table of raw features, with every fault placed."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema, listing
from workbench.core.table import Table
from workbench.data.columns import distinct, named, quote, try_numbers

if TYPE_CHECKING:
    import pandas as pd

_ROWS_SHOWN = 3


def to_table(
    frame: "pd.DataFrame", schema: Schema, *, name: str, ignore_extra: bool = False
) -> Table:
    """Check a frame against a schema and turn it into a table.

    Rows are counted from 0, without the header: "row 3" in a message is the fourth row of data,
    and the same number is in ``Table.ids``. A frame that came from ``Table.to_frame`` (its index
    is called ``row``) keeps the row numbers it has.

    Empty cells, NaN and the texts ``?``, ``NA``, ``N/A``, ``nan``, ``NaN``, ``null`` and ``None``
    are missing values, unless the schema lists such a text as a category. Spaces around a text do
    not count. The target and the weight column may be absent.

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
    frame = named(frame)
    _check_columns(frame, schema, name, ignore_extra=ignore_extra)
    if frame.empty:
        raise DataError(f"Table {quote(name)} has no rows; add at least one.")
    ids = _row_numbers(frame)
    X = np.empty((len(frame), len(schema.features)), order="F")
    for position, feature in enumerate(schema.features):
        X[:, position] = _feature_values(frame[feature.name], feature, ids)
    return Table(
        schema=schema,
        X=torch.from_numpy(np.ascontiguousarray(X)),
        ids=torch.from_numpy(ids),
        y=_optional(frame, schema.target, lambda column: _target_values(column, schema, ids)),
        weights=_optional(frame, schema.weight, lambda column: _weights(column, ids)),
        name=name,
    )


def _optional(
    frame: "pd.DataFrame",
    name: str | None,
    convert: "Callable[[pd.Series[Any]], np.ndarray]",
) -> torch.Tensor | None:
    if name is None or name not in frame.columns:
        return None
    return torch.from_numpy(convert(frame[name]))


def _check_columns(frame: "pd.DataFrame", schema: Schema, name: str, *, ignore_extra: bool) -> None:
    present = set(frame.columns)
    absent = [feature for feature in schema.names if feature not in present]
    if absent:
        raise DataError(
            f"Table {quote(name)} lacks {_columns(absent)}; add what the schema names, or choose "
            "a schema that fits."
        )
    known = {*schema.names, schema.target, schema.weight}
    extra = [column for column in frame.columns if column not in known]
    if extra and not ignore_extra:
        raise DataError(
            f"Table {quote(name)} has {_columns(extra)} beyond the schema; remove what is not "
            "needed, or leave it out while reading (ignore_extra=True, --ignore-extra-columns)."
        )


def _columns(names: list[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {listing(map(quote, names))}"


def _row_numbers(frame: "pd.DataFrame") -> np.ndarray:
    index = frame.index
    if index.name == "row" and index.dtype.kind == "i" and index.is_unique:
        return index.to_numpy(dtype=np.int64).copy()
    return np.arange(len(frame), dtype=np.int64)


def _rows(bad: np.ndarray, ids: np.ndarray) -> str:
    """Name the rows where ``bad`` is True.

    Examples
    --------
    >>> _rows(np.array([False, True, True]), np.arange(3))
    'rows 1, 2'
    """
    rows = ids[bad]
    return f"row{'s' if len(rows) > 1 else ''} {listing(rows, _ROWS_SHOWN)}"


def _feature_values(column: "pd.Series[Any]", feature: Feature, ids: np.ndarray) -> np.ndarray:
    if feature.kind == "categorical":
        codes = _codes(column, feature.categories, ids, "category")
        values = np.where(codes < 0, math.nan, codes)
    else:
        values = _numbers(column, ids)
    missing = np.isnan(values)
    if missing.all() and len(values) > 1:
        raise DataError(
            f"Column {quote(feature.name)} is missing in every row; fill it in, or use a schema "
            "without it."
        )
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
