"""What there is to know about each column of a file, for whoever edits its schema."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema, build_schema_part, listing
from workbench.data.columns import (
    MAX_NAME,
    as_number,
    as_text,
    distinct,
    is_number_dtype,
    quote,
    try_numbers,
)
from workbench.data.inference import (
    MAX_CATEGORIES_OF_LARGE,
    LeftOutError,
    check_rows,
    guess_feature,
    guess_target,
    holds_dates,
)
from workbench.data.source import ColumnSource

if TYPE_CHECKING:
    import pandas as pd

Looks = Literal["numbers", "categories", "texts", "dates", "constant", "empty"]
SHOWN_VALUES = 50
SHOWN_ROWS = 20
_SHOWN_TEXT = 200


class ValueFacts(BaseModel):
    """One distinct value of a column: how often it occurs, and in which row first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    count: int
    row: int


class ColumnFacts(BaseModel):
    """One column as it is in the file, and what it was taken for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    looks: Looks
    n_rows: int
    n_missing: int
    n_distinct: int
    values: tuple[ValueFacts, ...] = Field(description="The 50 most common values.")
    categories: tuple[str, ...] = Field(
        description="Every value in order; empty where there are more than 200 or one is long."
    )
    n_numbers: int = Field(description="Rows whose value is a number.")
    not_a_number: ValueFacts | None = Field(description="The first value that is no number.")
    infinite_row: int | None
    integer: bool
    minimum: float | None
    maximum: float | None
    mean: float | None
    feature: Feature | None = Field(description="The guess; None where it is left out.")
    reason: str = Field(description="Why it was left out.")

    @property
    def share_missing(self) -> float:
        """Missing values as a share of the rows."""
        return self.n_missing / self.n_rows

    @property
    def examples(self) -> tuple[str, ...]:
        """Return up to five common values."""
        return tuple(value.text for value in self.values[:5])


class Survey(BaseModel):
    """What one pass over a file finds out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_rows: int
    columns: tuple[ColumnFacts, ...]
    rows: tuple[tuple[str, ...], ...] = Field(description="The first 20 rows as texts.")
    guess: Schema | None = Field(description="None where no column can be a feature.")
    notes: tuple[str, ...]
    target_fault: str = Field("", description="Why the target asked for cannot be one.")


def survey(source: ColumnSource, *, target: str | None = None) -> Survey:
    """Read every column once, and guess a schema that leaves out what cannot be a feature.

    Unlike ``infer_schema`` it does not stop at a faulty column or target: the fault is noted, and
    the column can be looked at.

    Raises
    ------
    DataError
        If there are fewer than two rows, or the file is damaged.
    """
    check_rows(source)
    columns: list[ColumnFacts] = []
    starts: list[list[str]] = []
    target_values: dict[str, Any] = {}
    fault = ""
    for column in source.each(source.names):
        columns.append(column_facts(column))
        starts.append([_shown(value) for value in column.iloc[:SHOWN_ROWS]])
        if column.name == target:
            try:
                target_values = {"target": target} | guess_target(column)
            except DataError as error:
                fault = str(error)
    if target is not None and target not in source.names:
        fault = (
            f"There is no target column {quote(target)}; choose one of "
            f"{listing(map(quote, source.names))}."
        )
    features = [c.feature for c in columns if c.feature and c.name != target_values.get("target")]
    guess = None
    if features:
        guess = build_schema_part(Schema, {"features": features} | target_values)
    return Survey(
        n_rows=source.n_rows,
        columns=tuple(columns),
        rows=tuple(zip(*starts, strict=True)),
        guess=guess,
        notes=(*source.notes, *_notes(columns, target)),
        target_fault=fault,
    )


def _notes(columns: list[ColumnFacts], target: str | None) -> list[str]:
    notes = []
    for column in columns:
        if column.name == target:
            continue
        if column.feature is None:
            notes.append(f"Column {quote(column.name)} was left out: {column.reason}.")
        elif column.feature.protected:
            notes.append(
                f"Column {quote(column.name)} was taken for a protected group by its name."
            )
    return notes


def _shown(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN and NaT are unequal to themselves
        return ""
    text = as_text(value)
    return text if len(text) <= _SHOWN_TEXT else f"{text[: _SHOWN_TEXT - 1]}…"


def column_facts(column: "pd.Series[Any]") -> ColumnFacts:
    """Find out what is in one column.

    Raises
    ------
    DataError
        If a cell holds a list or another nested value.
    """
    codes, texts = _distinct(column)
    known = codes >= 0
    counts = np.bincount(codes[known], minlength=len(texts))
    used = np.flatnonzero(counts)
    firsts = np.full(len(texts), -1)
    rows = np.flatnonzero(known)[::-1]
    firsts[codes[rows]] = rows  # the last write, that of the first row, stays
    common = used[np.argsort(-counts[used], kind="stable")][:SHOWN_VALUES]
    feature, reason = _guess(column)
    return ColumnFacts(
        name=str(column.name),
        looks=_looks(column, feature, len(used), texts),
        n_rows=len(column),
        n_missing=int((~known).sum()),
        n_distinct=len(used),
        values=tuple(
            ValueFacts(text=_shown(texts[i]), count=int(counts[i]), row=int(firsts[i]))
            for i in common
        ),
        categories=()
        if len(used) > MAX_CATEGORIES_OF_LARGE
        else _categories([texts[i] for i in used]),
        feature=feature,
        reason=reason,
        **_number_facts(column, codes, firsts),
    )


def _distinct(column: "pd.Series[Any]") -> tuple[np.ndarray, "np.ndarray | list[str]"]:
    """Like ``distinct``, but leaves numbers as they are: there may be millions of them."""
    import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

    if is_number_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = pd.factorize(column)
        return codes, np.asarray(values)
    return distinct(column)


def _categories(values: list[object]) -> tuple[str, ...]:
    """Sort values as numbers if all are, else by letter."""
    if len(values) > MAX_CATEGORIES_OF_LARGE:
        return ()
    texts = [value if isinstance(value, str) else as_text(value) for value in values]
    if any(len(text) > MAX_NAME for text in texts):
        return ()
    if any(as_number(text) is None for text in texts):
        return tuple(sorted(texts))
    return tuple(sorted(texts, key=float))


def _guess(column: "pd.Series[Any]") -> tuple[Feature | None, str]:
    try:
        return guess_feature(column), ""
    except LeftOutError as reason:
        return None, str(reason)
    except DataError as error:
        sentence = str(error).removeprefix(f"Column {quote(column.name)} ").removesuffix(".")
        return None, f"it {sentence}"


def _looks(column: "pd.Series[Any]", feature: Feature | None, n_distinct: int, texts: Any) -> Looks:
    if n_distinct < 2:
        return "constant" if n_distinct else "empty"
    if feature is not None:
        return "categories" if feature.kind == "categorical" else "numbers"
    if is_number_dtype(column):
        return "numbers"
    return "dates" if holds_dates(column, list(texts)) else "texts"


def _number_facts(
    column: "pd.Series[Any]", codes: np.ndarray, firsts: np.ndarray
) -> dict[str, Any]:
    import pandas as pd  # noqa: PLC0415

    nothing = dict.fromkeys(("minimum", "maximum", "mean", "infinite_row", "not_a_number"))
    if pd.api.types.is_bool_dtype(column.dtype):
        return nothing | {"n_numbers": len(column), "integer": True}
    if column.dtype.kind in "mM":
        return nothing | _first_text(column, codes, firsts, 0) | {"n_numbers": 0, "integer": False}
    numbers, bad = try_numbers(column)
    known = numbers[~np.isnan(numbers)]
    facts = nothing | {"n_numbers": len(known), "integer": False}
    if bad is not None:
        facts |= _first_text(column, codes, firsts, bad)
    infinite = np.isinf(numbers)
    if infinite.any():
        facts["infinite_row"] = int(np.argmax(infinite))
    elif len(known):
        facts |= {
            "integer": bool((known == np.round(known)).all()),
            "minimum": float(known.min()),
            "maximum": float(known.max()),
            "mean": _mean(known),
        }
    return facts


def _mean(numbers: np.ndarray) -> float:
    """Return the mean; the sum of huge numbers must not overflow."""
    scale = float(np.abs(numbers).max()) or 1.0
    return float((numbers / scale).mean() * scale)


def _first_text(
    column: "pd.Series[Any]", codes: np.ndarray, firsts: np.ndarray, row: int
) -> dict[str, Any]:
    known = np.flatnonzero(codes[row:] >= 0)
    if not len(known):
        return {}
    row += int(known[0])
    count = int((codes == codes[row]).sum())
    value = ValueFacts(text=_shown(column.iloc[row]), count=count, row=int(firsts[codes[row]]))
    return {"not_a_number": value}
