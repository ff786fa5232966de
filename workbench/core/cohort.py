"""A part of a table in words: conditions on features and target, joined by "and".

The text form goes into links and requests: ``sex:Female,Male;age:30..50;workclass:missing``.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

from workbench.core.errors import InvalidInputError
from workbench.core.schema import Schema, listing
from workbench.core.table import Table

MISSING = "missing"
MAX_CHARACTERS = 20_000
MAX_CONDITIONS = 50
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_RESERVED = re.compile(r"[%;:,\x00-\x1f\x7f\ud800-\udfff]")
# One way to read any run of digits: two ways would take time in the square of its length.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NAME = 120


@dataclass(frozen=True)
class Condition:
    """What must hold for one column: one of some texts, a range with both ends, or missing.

    A row fits where any of ``texts`` is its category, or its number is in the range, or
    ``missing`` is set and it has no value.
    """

    column: str
    texts: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    missing: bool = False

    @property
    def text(self) -> str:
        """The form that ``Cohort.parse`` reads."""
        values = [_escape(text) for text in self.texts]
        if self.is_range:
            values.append(f"{_write(self.low)}..{_write(self.high)}")
        if self.missing:
            values.append(MISSING)
        return f"{_escape(self.column)}:{','.join(values)}"

    @property
    def is_range(self) -> bool:
        """Whether it bounds a number."""
        return self.low is not None or self.high is not None

    def describe(self) -> str:
        """Say it in words."""
        words = list(self.texts)
        if self.is_range:
            words.append(_describe_range(self.low, self.high))
        if self.missing:
            words.append(MISSING)
        return f"{self.column} {' or '.join(words)}"


@dataclass(frozen=True)
class Cohort:
    """Rows for which every condition holds; without conditions, all rows.

    Examples
    --------
    >>> from workbench.core.schema import Feature
    >>> sex = Feature(name="sex", kind="categorical", categories=("Female", "Male"))
    >>> cohort = Cohort.parse("age:30..50;sex:Female", Schema(features=(Feature(name="age"), sex)))
    >>> cohort.describe(), str(cohort)
    ('age 30 to 50, sex Female', 'age:30..50;sex:Female')
    """

    conditions: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        return ";".join(condition.text for condition in self.conditions)

    def __bool__(self) -> bool:
        return bool(self.conditions)

    @classmethod
    def parse(cls, text: str, schema: Schema) -> "Cohort":
        """Read the text form.

        Raises
        ------
        InvalidInputError
            If a condition is not understood, or names a column or category that does not exist.
        """
        if len(text) > MAX_CHARACTERS:
            raise InvalidInputError(
                f"A cohort may be written in {MAX_CHARACTERS:,} characters, got {len(text):,}."
            )
        parts = [part for part in text.split(";") if part.strip()]
        if len(parts) > MAX_CONDITIONS:
            raise InvalidInputError(
                f"A cohort may have {MAX_CONDITIONS} conditions, got {len(parts)}."
            )
        return cls(tuple(_parse(part.strip(), schema) for part in parts))

    def describe(self) -> str:
        """Say in words which rows are meant."""
        if not self.conditions:
            return "all rows"
        return ", ".join(condition.describe() for condition in self.conditions)

    def apply(self, table: Table) -> Table:
        """Return the rows that fit, in table order; their numbers stay.

        Raises
        ------
        InvalidInputError
            If a condition does not fit the table, or no row is left.
        """
        if not self.conditions:
            return table
        chosen = np.ones(len(table), dtype=bool)
        for condition in self.conditions:
            chosen &= _fits(condition, table)
        words = self.describe()
        if not chosen.any():
            raise InvalidInputError(
                f"No row of table {table.name!r} fits the cohort {_cut(words)!r}; widen it."
            )
        part = table[np.flatnonzero(chosen)]
        return Table(
            schema=part.schema, X=part.X, ids=part.ids, y=part.y, weights=part.weights,
            name=f"{table.name} ({_cut(words)})",
        )  # fmt: skip


def _parse(part: str, schema: Schema) -> Condition:
    name, colon, values = part.partition(":")
    column = _unescape(name.strip())
    known = _categories(column, schema) if colon else None
    if not colon or not (values.strip() or "" in (known or ())):
        raise InvalidInputError(
            f"Condition {_cut(part)!r} of the cohort is not understood; write column:value, "
            "column:low..high or column:missing."
        )
    given = [value.strip() for value in values.split(",")]
    missing = MISSING in given
    given = [value for value in given if value != MISSING]
    if known is None:
        low, high = _parse_range(column, given)
        return Condition(column, low=low, high=high, missing=missing)
    texts = tuple(dict.fromkeys(_unescape(value) for value in given))
    if unknown := [text for text in texts if text not in known]:
        raise InvalidInputError(
            f"Column {column!r} has no category {_cut(unknown[0])!r}; choose one of "
            f"{listing(map(repr, known))} or {MISSING}."
        )
    return Condition(column, texts=texts, missing=missing)


def _categories(column: str, schema: Schema) -> tuple[str, ...] | None:
    """Return the categories or classes of a column; None if it holds numbers."""
    if column == schema.target:
        return schema.classes or None
    for feature in schema.features:
        if feature.name == column:
            return feature.categories or None
    names = [*schema.names, *([schema.target] if schema.target else [])]
    raise InvalidInputError(
        f"There is no column {_cut(column)!r}; a cohort may use {listing(map(repr, names))}."
    )


def _parse_range(column: str, given: list[str]) -> tuple[float | None, float | None]:
    if not given:
        return None, None
    low, dots, high = given[0].partition("..")
    if not dots:
        high = low
    ends = [None if not end.strip() else _read(end.strip()) for end in (low, high)]
    broken = any(end is not None and not math.isfinite(end) for end in ends)
    if len(given) > 1 or broken or ends == [None, None]:
        raise InvalidInputError(
            f"Column {column!r} holds numbers, and {_cut(','.join(given))!r} is no range of them; "
            "write 30..50, 30.. or ..50."
        )
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        raise InvalidInputError(
            f"The range of column {column!r} begins with {_write(ends[0])} and ends with "
            f"{_write(ends[1])}; write the smaller number first."
        )
    return ends[0], ends[1]


def _read(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def _write(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _describe_range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {_write(high)}"
    if high is None:
        return f"at least {_write(low)}"
    return _write(low) if low == high else f"{_write(low)} to {_write(high)}"


def _escape(text: str) -> str:
    """Spell out what the text form is cut at; a category called "missing" is not the marker."""
    if text == MISSING:
        return f"%{ord(text[0]):02X}{text[1:]}"
    kept = text.strip()
    start = text.index(kept) if kept else len(text)
    ends = _spelled(text[:start]), _spelled(text[start + len(kept) :])
    return ends[0] + _RESERVED.sub(lambda found: _spelled(found[0]), kept) + ends[1]


def _spelled(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def _unescape(text: str) -> str:
    def letters(found: re.Match[str]) -> str:
        return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "surrogatepass")

    try:
        return _ESCAPED.sub(letters, text)
    except UnicodeDecodeError:
        raise InvalidInputError(
            f"Text {_cut(text)!r} of the cohort is not understood; write % as %25."
        ) from None


def _fits(condition: Condition, table: Table) -> np.ndarray:
    known = _categories(condition.column, table.schema)
    if condition.column != table.schema.target:
        values = table.X[:, table.schema.index(condition.column)].numpy()
    elif table.y is None:
        raise InvalidInputError(
            f"Table {table.name!r} has no values of target {condition.column!r}; leave it out of "
            "the cohort."
        )
    else:
        values = table.y.numpy().astype(np.float64)
    gone = np.isnan(values)
    fits = gone if condition.missing else np.zeros(len(values), dtype=bool)
    if condition.texts:
        codes = [(known or ()).index(text) for text in condition.texts if text in (known or ())]
        fits |= np.isin(values, codes)
    if condition.is_range:
        low = -math.inf if condition.low is None else condition.low
        high = math.inf if condition.high is None else condition.high
        fits |= (values >= low) & (values <= high)
    return fits


def _cut(text: str) -> str:
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"
