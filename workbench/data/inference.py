"""A first schema for a frame: what each column seems to be, and what was guessed or left out."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema, Task, build_schema_part, listing
from workbench.data.columns import (
    MAX_NAME,
    as_text,
    distinct,
    is_number_dtype,
    quote,
    try_numbers,
)
from workbench.data.source import ColumnSource, frame_source

if TYPE_CHECKING:
    import pandas as pd

MAX_CATEGORIES = 50
MAX_SHARE = 0.05
MAX_CATEGORIES_OF_LARGE = 200
MAX_CLASSES_OF_NUMBERS = 20
_PROTECTED = frozenset({
    "sex", "gender", "race", "age", "ethnicity", "religion", "disability", "nationality",
})  # fmt: skip
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$|\d{1,2}[./]\d{1,2}[./]\d{4}$")
_IDENTIFIER = re.compile(r"(?i:id|index|row|.*[ _-]id)|.*[a-z](Id|ID)")


class LeftOutError(Exception):
    """The column cannot be a feature; the reason is the message."""


def infer_schema(
    rows: "pd.DataFrame | ColumnSource", *, target: str | None = None, task: Task | None = None
) -> tuple[Schema, tuple[str, ...]]:
    """Guess the schema of a frame or an open file.

    Numbers, and text that reads as numbers, become numeric features. Truth values and text with
    at most 50 distinct values (in large tables 5 % of the rows, at most 200) become categorical,
    categories sorted. Dates, text with more values, and columns that tell every row apart are
    left out. A numeric target with more than 20 distinct values makes a regression, any other
    target a classification, unless ``task`` says otherwise. Column names such as ``sex`` or
    ``age`` are taken for protected groups.

    Returns
    -------
    The schema, and one sentence for each thing that was guessed or left out.

    Raises
    ------
    DataError
        If there are fewer than two rows, the target is unknown, incomplete, of one class or does
        not fit the task, a column is constant, infinite or entirely missing, or no column is left.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [31, 40, 31], "job": ["a", "b", "a"], "ok": [0, 1, 1]})
    >>> schema, notes = infer_schema(frame, target="ok")
    >>> schema.names, schema.classes, notes
    (('age', 'job'), ('0', '1'), ("Column 'age' was taken for a protected group by its name.",))
    """
    source = rows if isinstance(rows, ColumnSource) else frame_source(rows)
    check_rows(source)
    if target is not None and target not in source.names:
        raise DataError(
            f"There is no target column {quote(target)}; choose one of "
            f"{listing(map(quote, source.names))}."
        )
    features, notes = _features(source, target)
    values: dict[str, object] = {"features": features, "target": target}
    if target is not None:
        values |= guess_target(source.column(target), task)
    return build_schema_part(Schema, values), tuple(notes)


def check_rows(source: ColumnSource) -> None:
    """Refuse a table that is too short to guess from.

    Raises
    ------
    DataError
        If there are fewer than two rows.
    """
    if source.n_rows < 2:
        raise DataError(
            f"A schema cannot be guessed from {source.n_rows} row{'s' * (source.n_rows != 1)}; "
            "give at least two, or give the schema."
        )


def _features(source: ColumnSource, target: str | None) -> tuple[list[Feature], list[str]]:
    features: list[Feature] = []
    notes: list[str] = []
    names = [name for name in source.names if name != target]
    for name, column in zip(names, source.each(names), strict=True):
        try:
            features.append(guess_feature(column))
        except LeftOutError as reason:
            notes.append(f"Column {quote(name)} was left out: {reason}.")
            continue
        if features[-1].protected:
            notes.append(f"Column {quote(name)} was taken for a protected group by its name.")
    if not features:
        raise DataError(
            "No column can be used as a feature; give at least one column of numbers or of text "
            f"with at most {MAX_CATEGORIES} distinct values."
        )
    return features, notes


def guess_feature(column: "pd.Series[Any]") -> Feature:
    """Guess what one column means, by the rules of ``infer_schema``.

    Raises
    ------
    LeftOutError
        If it can be read but is no feature.
    DataError
        If it is constant, infinite, entirely missing or holds nested values.
    """
    name = str(column.name)
    values: dict[str, object] = {"name": name, "protected": _sounds_protected(name)}
    numbers = number_column(column)
    if numbers is None:
        return build_schema_part(Feature, values | _categorical(column))
    known = numbers[~np.isnan(numbers)]
    n_distinct = len(np.unique(known))
    _refuse_constant(name, len(known), n_distinct)
    whole = bool((known == np.round(known)).all())
    if whole and _IDENTIFIER.fullmatch(name) and n_distinct == len(numbers):
        raise LeftOutError("by its name and values it numbers the rows")
    values |= {
        "integer": whole,
        "range": (float(known.min()), float(known.max())),
        "has_missing": len(known) < len(numbers),
    }
    return build_schema_part(Feature, values)


def number_column(column: "pd.Series[Any]") -> np.ndarray | None:
    """Return the numbers of a column, NaN where missing; None if it is not made of numbers.

    Raises
    ------
    DataError
        If a number is infinite.
    """
    # Truth values and pandas' own categories are categories even where they read as numbers.
    import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(column.dtype):
        return None
    numbers, bad = try_numbers(column)
    if bad is not None or (np.isnan(numbers).all() and not is_number_dtype(column)):
        return None
    infinite = np.isinf(numbers)
    if infinite.any():
        raise DataError(
            f"Column {quote(column.name)} is infinite in row {int(np.argmax(infinite))}; put a "
            "finite number or leave the cell empty."
        )
    return numbers


def _categorical(column: "pd.Series[Any]") -> dict[str, object]:
    import pandas as pd  # noqa: PLC0415

    codes, texts = distinct(column)
    if holds_dates(column, texts):
        raise LeftOutError("it holds dates or times; add a number such as an age or a duration")
    used = np.unique(codes[codes >= 0])
    n_known = int((codes >= 0).sum())
    _refuse_constant(str(column.name), n_known, len(used))
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = [texts[code] for code in used]
    else:
        if len(used) == n_known and not pd.api.types.is_bool_dtype(column.dtype):
            raise LeftOutError("every row has a text of its own, as in an identifier")
        categories = sorted(texts)
    limit = category_limit(len(column))
    if len(categories) > limit:
        raise LeftOutError(
            f"it holds {len(categories):,} distinct texts, a category may have {limit}"
        )
    if any(len(category) > MAX_NAME for category in categories):
        raise LeftOutError(f"it holds texts of more than {MAX_NAME:,} characters")
    return {
        "kind": "categorical",
        "categories": categories,
        "has_missing": n_known < len(column),
    }


def category_limit(n_rows: int) -> int:
    """Return how many categories a feature of a table of that many rows may have."""
    return max(MAX_CATEGORIES, min(MAX_CATEGORIES_OF_LARGE, int(MAX_SHARE * n_rows)))


def holds_dates(column: "pd.Series[Any]", texts: list[str]) -> bool:
    """Whether a column of these distinct texts holds dates or times."""
    import pandas as pd  # noqa: PLC0415

    if column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype):
        return True
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in {"date", "datetime", "time", "timedelta", "datetime64", "timedelta64", "period"}:
        return True
    return bool(texts) and all(_DATE.match(text) for text in texts)


def _refuse_constant(name: str, n_known: int, n_distinct: int) -> None:
    if n_known == 0:
        raise DataError(f"Column {quote(name)} is missing in every row; fill it in or remove it.")
    if n_distinct == 1:
        raise DataError(
            f"Column {quote(name)} has the same value in every row that has one; remove it, it "
            "explains nothing."
        )


def _sounds_protected(name: str) -> bool:
    """Whether a word of the name is that of a protected group.

    Examples
    --------
    >>> _sounds_protected("applicant_age"), _sounds_protected("mileage"), _sounds_protected("SEX")
    (True, False, True)
    """
    return any(word.lower() in _PROTECTED for word in _WORDS.findall(name))


def guess_target(column: "pd.Series[Any]", task: Task | None = None) -> dict[str, object]:
    """Return the fields of a schema that follow from its target column.

    Raises
    ------
    DataError
        If it is incomplete, of one class, has too many classes or does not fit the task.
    """
    numbers = number_column(column)
    name = quote(column.name)
    codes, texts = distinct(column)
    missing = codes < 0
    if missing.any():
        raise DataError(
            f"Target {name} has no value in row {int(np.argmax(missing))}; fill it in or remove "
            "the row."
        )
    if len(np.unique(codes)) == 1:
        raise DataError(
            f"Target {name} has the same value, {quote(texts[codes[0]])}, in every row; give rows "
            "with at least two."
        )
    if task is None and numbers is not None and len(np.unique(numbers)) > MAX_CLASSES_OF_NUMBERS:
        task = "regression"
    if task == "regression":
        if numbers is None:
            raise DataError(
                f"Target {name} is not made of numbers, so it cannot be a regression target; "
                "choose another column or a classification."
            )
        return {"task": task}
    return _classes(column, numbers, task)


def _classes(
    column: "pd.Series[Any]", numbers: np.ndarray | None, task: Task | None
) -> dict[str, object]:
    codes, texts = distinct(column)
    if numbers is not None and is_number_dtype(column):
        classes = [as_text(number) for number in np.unique(numbers)]
    else:
        used = [texts[code] for code in np.unique(codes)]
        classes = sorted(used, key=float) if numbers is not None else sorted(used)
    if len(classes) > MAX_CATEGORIES_OF_LARGE:
        raise DataError(
            f"Target {quote(column.name)} has {len(classes):,} distinct values; a classification "
            f"has at most {MAX_CATEGORIES_OF_LARGE}, choose another column."
        )
    found: Task = "binary" if len(classes) == 2 else "multiclass"
    if task is not None and task != found:
        raise DataError(
            f"Target {quote(column.name)} has {len(classes)} classes "
            f"({listing(map(quote, classes))}), which makes a {found} task and not a {task} one; "
            "choose the other task or another column."
        )
    return {"task": found, "classes": classes}
