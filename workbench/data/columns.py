"""One column of a frame: its distinct values, its numbers, its missing values."""

import math
import re
import unicodedata
from collections.abc import Container, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

MISSING = frozenset({"", "?", "NA", "N/A", "NaN", "nan", "null", "None"})
# One way to read any run of digits: two ways would take time in the square of its length.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
MAX_NAME = 1_000
_SHOWN = 60
_SHOWN_OF_PATH = 300


def quote(value: object) -> str:
    r"""Quote a value or a path for a message: control characters spelled out, length bounded.

    Examples
    --------
    >>> print(quote("a\x1bb"))
    'a\x1bb'
    """
    text, limit = str(value), _SHOWN_OF_PATH if isinstance(value, Path) else _SHOWN
    return repr(text if len(text) <= limit else f"{text[: limit - 1]}…")


def as_text(value: object) -> str:
    """Return a value as a category name: no spaces around it, and whole numbers without a point.

    Examples
    --------
    >>> as_text(" Male "), as_text(1.0), as_text(0.5), as_text(True)
    ('Male', '1', '0.5', 'True')
    """
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value).strip()


def as_number(text: str) -> float | None:
    """Read a number written with a decimal point; None where the text is something else.

    Examples
    --------
    >>> as_number(" 1e3 "), as_number("1_000"), as_number("twelve")
    (1000.0, None, None)
    """
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) and text.isascii() else None


def distinct(column: "pd.Series[Any]", keep: Container[str] = ()) -> tuple[np.ndarray, list[str]]:
    """Return, for each row, the position of its text among the distinct ones, and those texts.

    Parameters
    ----------
    keep
        Texts that are values although they look like a missing-value marker.

    Returns
    -------
    Codes ``[n]``, -1 where the value is missing, and the texts by order of appearance (for a
    categorical column, by order of its categories).

    Raises
    ------
    DataError
        If a cell holds a list or another thing that is neither text nor number.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = column.cat.codes.to_numpy(), column.cat.categories
    else:
        try:
            codes, values = pd.factorize(column)
        except TypeError:
            raise DataError(
                f"Column {quote(column.name)} holds lists or other nested values; "
                "keep one number or text per cell."
            ) from None
    places: dict[str, int] = {}
    targets = np.empty(len(values) + 1, dtype=np.int64)
    targets[-1] = -1  # the code of a missing value is -1, and so picks the last place
    for code, value in enumerate(values):
        text = as_text(value)
        missing = text in MISSING and text not in keep
        targets[code] = -1 if missing else places.setdefault(text, len(places))
    return targets[codes], list(places)


def is_number_dtype(column: "pd.Series[Any]") -> bool:
    """Whether the column holds real numbers or truth values, so that no text needs parsing."""
    from pandas.api import types  # noqa: PLC0415

    return types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype)


def try_numbers(column: "pd.Series[Any]") -> tuple[np.ndarray, int | None]:
    """Return the numbers ``[n]`` of a column, and the position of the first cell that is none.

    Missing values are NaN. Infinite values are kept.
    """
    if is_number_dtype(column):
        return np.array(column.to_numpy(dtype=np.float64, na_value=math.nan)), None
    codes, texts = distinct(column)
    parsed = [as_number(text) for text in texts]
    values = np.array([math.nan if p is None else p for p in parsed] + [math.nan])
    broken = np.array([p is None for p in parsed] + [False])
    bad = broken[codes]
    return values[codes], int(np.argmax(bad)) if bad.any() else None


def named(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the frame with column names as text without spaces around them.

    Raises
    ------
    DataError
        If two columns have the same name.
    """
    names = clean_names(frame.columns)
    return frame if list(frame.columns) == names else frame.set_axis(names, axis=1)


def clean_names(given: Iterable[object]) -> list[str]:
    """Return column names as text without spaces around them.

    Raises
    ------
    DataError
        If two are the same, cannot be told apart by eye, or one is longer than a name.
    """
    names = [str(name).strip() for name in given]
    seen: dict[str, str] = {}
    for name in names:
        if len(name) > MAX_NAME:
            raise DataError(
                f"The name of column {quote(name)} has {len(name):,} characters, the limit is "
                f"{MAX_NAME:,}; shorten it."
            )
        other = seen.get(visible(name))
        if other == name:
            raise DataError(f"Column {quote(name)} appears twice; rename or remove one of them.")
        if other is not None:
            raise DataError(
                f"Columns {quote(other)} and {quote(name)} look the same but are not; rename or "
                "remove one of them."
            )
        seen[visible(name)] = name
    return names


def visible(name: str) -> str:
    """Return what is seen of a name: one form of each letter, and nothing that is invisible.

    Letters of other alphabets that look alike stay different.

    Examples
    --------
    >>> visible("\u202eage\u200b") == visible("\uff41ge") == "age"
    True
    """
    plain = unicodedata.normalize("NFKC", name)
    return "".join(c for c in plain if unicodedata.category(c) not in {"Cf", "Cc"}).strip()
