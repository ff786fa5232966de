"""Columns of a file onto the features of a model: a proposal, what differs, and applying it."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema, listing
from workbench.data.columns import quote, visible
from workbench.data.facts import ColumnFacts
from workbench.data.source import ColumnSource

CUTOFF = 0.85
Status = Literal["same", "renamed", "missing", "extra", "kind", "gaps", "categories", "range"]


class Difference(BaseModel):
    """One thing to know about a feature of the model or a column of the file.

    ``blocking`` means that reading the file will be refused until it is mended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: str | None
    column: str | None
    status: Status
    sentence: str
    blocking: bool


def wanted_columns(wanted: Schema) -> tuple[str, ...]:
    """Return the names to look for: every feature, then target and weight where there are any."""
    return wanted.names + tuple(name for name in (wanted.target, wanted.weight) if name)


def left_over(columns: Sequence[str], mapping: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the columns of a file that a mapping makes no use of, in their order."""
    used = set(mapping.values())
    return tuple(column for column in columns if column not in used)


def propose(columns: Sequence[str], wanted: Schema) -> dict[str, str | None]:
    """Find a column for each feature, target and weight; no column is used twice.

    Names that are equal go first, then names equal but for case, spaces, hyphens and underscores,
    then close ones. None means that nothing was close enough.
    """
    names = wanted_columns(wanted)
    mapping: dict[str, str | None] = {name: name if name in columns else None for name in names}
    left = [column for column in columns if column not in mapping.values()]
    for close in (False, True):
        for name in [name for name, column in mapping.items() if column is None]:
            column = _find(name, left, close=close)
            if column is not None:
                mapping[name] = column
                left.remove(column)
    return mapping


def _find(name: str, columns: list[str], *, close: bool) -> str | None:
    folded = {_fold(column): column for column in reversed(columns)}  # the first one wins
    if not close:
        return folded.get(_fold(name))
    found = difflib.get_close_matches(_fold(name), list(folded), n=1, cutoff=CUTOFF)
    return folded[found[0]] if found else None


def _fold(name: str) -> str:
    return "".join(c for c in visible(name).casefold() if c not in " _-.\t\xa0")


def differences(
    facts: Sequence[ColumnFacts], wanted: Schema, mapping: Mapping[str, str | None]
) -> tuple[Difference, ...]:
    """Compare the columns of a file with what a model needs, feature by feature.

    Raises
    ------
    DataError
        If the mapping names a feature or column that does not exist, or uses a column twice.
    """
    known = {column.name: column for column in facts}
    _check(mapping, wanted, known)
    found: list[Difference] = []
    for feature in wanted.features:
        column = mapping.get(feature.name)
        found += _of_feature(feature, known[column] if column is not None else None)
    for name in wanted_columns(wanted)[len(wanted.features) :]:
        found.append(_of_optional(name, mapping.get(name)))
    found += [
        Difference(
            feature=None,
            column=name,
            status="extra",
            sentence=f"Column {quote(name)} is not read by the model.",
            blocking=False,
        )
        for name in known
        if name not in mapping.values()
    ]
    return tuple(found)


def _check(mapping: Mapping[str, str | None], wanted: Schema, columns: Iterable[str]) -> None:
    names, columns = wanted_columns(wanted), set(columns)
    if strange := [name for name in mapping if name not in names]:
        raise DataError(
            f"The model has no feature {listing(map(quote, strange))}; choose one of "
            f"{listing(map(quote, names))}."
        )
    used = [column for column in mapping.values() if column is not None]
    if absent := [column for column in used if column not in columns]:
        raise DataError(f"The file has no column {listing(map(quote, absent))}; choose another.")
    if twice := sorted({column for column in used if used.count(column) > 1}):
        raise DataError(
            f"Column {listing(map(quote, twice))} is used for more than one feature; choose "
            "another column for all but one."
        )


def _of_feature(feature: Feature, column: ColumnFacts | None) -> Iterator[Difference]:
    def difference(status: Status, sentence: str, *, blocking: bool = False) -> Difference:
        return Difference(
            feature=feature.name,
            column=column.name if column else None,
            status=status,
            sentence=sentence,
            blocking=blocking,
        )

    name = quote(feature.name)
    if column is None:
        yield difference(
            "missing",
            f"No column is chosen for feature {name}; choose one or add it to the file.",
            blocking=True,
        )
        return
    if column.name == feature.name:
        yield difference("same", f"Column {name} is feature {name}.")
    else:
        yield difference("renamed", f"Column {quote(column.name)} is read as feature {name}.")
    sentences = _categorical(feature, column) if feature.categories else _numeric(feature, column)
    for status, sentence, blocking in sentences:
        yield difference(status, sentence, blocking=blocking)
    if column.n_missing and not feature.has_missing:
        yield difference(
            "gaps",
            f"Column {quote(column.name)} has no value in {column.n_missing:,} "
            f"row{'s' * (column.n_missing > 1)}, and the model knows no missing values in "
            f"{name}; fill them in or remove the rows.",
            blocking=True,
        )


Finding = tuple[Status, str, bool]


def _categorical(feature: Feature, column: ColumnFacts) -> Iterator[Finding]:
    known = {category.strip() for category in feature.categories}
    unknown = [value for value in column.values if value.text not in known]
    n_unknown = len([text for text in column.categories if text not in known])
    if not column.categories and column.n_distinct > len(known):
        n_unknown = column.n_distinct - len(known)
    if not n_unknown and not unknown:
        return
    if column.looks == "numbers" and len(unknown) == len(column.values):
        yield (
            "kind",
            f"Column {quote(column.name)} holds numbers, but feature {quote(feature.name)} has "
            f"the categories {listing(map(quote, feature.categories))}; choose another column.",
            True,
        )
        return
    first = min(unknown, key=lambda value: value.row, default=None)
    where = f", such as {quote(first.text)} in row {first.row}" if first else ""
    several = max(n_unknown, len(unknown)) > 1
    yield (
        "categories",
        f"Column {quote(column.name)} holds {max(n_unknown, len(unknown)):,} "
        f"{'categories' if several else 'category'} that the model does not know{where}; known "
        f"are {listing(map(quote, feature.categories))}.",
        True,
    )


def _numeric(feature: Feature, column: ColumnFacts) -> Iterator[Finding]:
    if column.not_a_number is not None:
        yield (
            "kind",
            f"Column {quote(column.name)} holds {quote(column.not_a_number.text)} in row "
            f"{column.not_a_number.row}, but feature {quote(feature.name)} is a number; choose "
            "another column.",
            True,
        )
        return
    if column.infinite_row is not None:
        yield (
            "kind",
            f"Column {quote(column.name)} is infinite in row {column.infinite_row}; put a finite "
            "number or leave the cell empty.",
            True,
        )
        return
    if feature.range is None or column.minimum is None or column.maximum is None:
        return
    low, high = feature.range
    if column.minimum < low or column.maximum > high:
        yield (
            "range",
            f"Column {quote(column.name)} reaches from {column.minimum:g} to {column.maximum:g}, "
            f"the model learned {low:g} to {high:g}; answers outside are guesses.",
            False,
        )


def _of_optional(name: str, column: str | None) -> Difference:
    status: Status = "missing" if column is None else "same" if column == name else "renamed"
    sentence = {
        "missing": f"No column is chosen for {quote(name)}; checks that need it are left out.",
        "same": f"Column {quote(name)} is {quote(name)}.",
        "renamed": f"Column {quote(column)} is read as {quote(name)}.",
    }[status]
    return Difference(feature=name, column=column, status=status, sentence=sentence, blocking=False)


def apply(
    source: ColumnSource,
    wanted: Schema,
    mapping: Mapping[str, str | None],
    *,
    ignore_extra: bool = False,
) -> ColumnSource:
    """Return the columns under the names that the model knows.

    Raises
    ------
    DataError
        If the mapping does not fit, a feature has no column, or there are other columns and they
        are not to be left out.
    """
    _check(mapping, wanted, source.names)
    used = {name: mapping.get(name) for name in wanted_columns(wanted)}
    if absent := [name for name in wanted.names if used[name] is None]:
        raise DataError(
            f"No column is chosen for {listing(map(quote, absent))}; choose one for every feature."
        )
    kept = {feature.name: feature.name for feature in wanted.beside if feature.name in source.names}
    taken = {*used.values(), *kept}
    extra = [name for name in source.names if name not in taken]
    if extra and not ignore_extra:
        raise DataError(
            f"The file has column{'s' * (len(extra) > 1)} {listing(map(quote, extra))} that the "
            "model does not use; remove what is not needed, or leave it out while reading "
            "(ignore_extra=True, --ignore-extra-columns)."
        )
    chosen = {name: column for name, column in used.items() if column is not None}
    return source.select(chosen | kept)
