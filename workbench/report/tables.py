"""Results as text that other programs read: JSON, and CSV that a spreadsheet may open."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from workbench.core.files import replacing
from workbench.core.results import RESULT_FORMAT, Result

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet runs a cell that starts so as a formula, or hides what follows.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# One way to read any run of digits: two ways would take time in the square of its length.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def to_json(result: Result) -> str:
    """Write every number of a result, its schema, its provenance and the format's version.

    The layout is that of a result file: ``format``, ``kind``, ``fields``. Arrays are nested lists
    at full precision; what is not a finite number is ``null``, as JSON knows no NaN.
    """
    content = {field.name: plain(getattr(result, field.name)) for field in fields(result)}
    whole = {"format": RESULT_FORMAT, "kind": result.kind, "fields": content}
    return json.dumps(whole, allow_nan=False, ensure_ascii=False)


def write_csv(frame: "pd.DataFrame", path: str | Path) -> Path:
    """Write a table as CSV in UTF-8; a file of that name is replaced as a whole.

    A text cell, a column name or a row name that a spreadsheet would run as a formula gets a
    leading ``'``; numbers, and text that is a number, stay as they are. The index is written
    where it has a name.
    """
    safe = frame.copy()
    for position, dtype in enumerate(frame.dtypes):
        if not _is_numeric(dtype):
            column = frame.iloc[:, position].astype(object).map(_guarded)
            safe.isetitem(position, column.to_numpy())
    safe.columns = [_guarded(name) for name in frame.columns]
    has_index = frame.index.name is not None
    if has_index:
        safe.index = frame.index.map(_guarded).rename(_guarded(frame.index.name))
    path = Path(path)
    with replacing(path) as part:
        # Only characters of the line end are quoted inside cells; a bare carriage return in a
        # name would otherwise start a row, and its first cell, of the name's choosing.
        safe.to_csv(part, index=has_index, encoding="utf-8", lineterminator="\r\n")
    return path


def _is_numeric(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def _guarded(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: arrays as lists, ``None`` for what is not finite."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            cells = value.astype(object)
            cells[~np.isfinite(value)] = None
            return cells.tolist()
        return value.tolist()
    if isinstance(value, BaseModel):
        return _without_nan(value.model_dump(mode="json"))
    return _without_nan(value)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
