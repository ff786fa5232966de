"""From what a person chose for each column to a schema, with every fault of the form at once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from workbench.core.errors import DataError
from workbench.core.schema import Feature, Schema, Task, build_schema_part, listing
from workbench.data.columns import quote
from workbench.data.facts import ColumnFacts
from workbench.data.inference import (
    MAX_CATEGORIES_OF_LARGE,
    MAX_CLASSES_OF_NUMBERS,
    category_limit,
)

T = TypeVar("T")
Use = Literal["feature", "target", "weight", "compare by", "leave out"]


class ColumnChoice(BaseModel):
    """One row of the form: what to do with a column.

    A column to *compare by* is read by no model and makes groups of people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    use: Use = "feature"
    kind: Literal["numeric", "categorical"] = "numeric"
    protected: bool = False
    immutable: bool = False
    unit: str = Field("", max_length=100)


class Choices(BaseModel):
    """The whole form. An empty order of classes means the one found in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[ColumnChoice, ...]
    task: Literal["classification", "regression"] | None = Field(
        None, description="Needed only for a target of numbers that could be either."
    )
    classes: tuple[str, ...] = ()
    favourable: str | None = None


def first_choices(facts: Iterable[ColumnFacts], guess: Schema | None) -> Choices:
    """Return the form as it is first shown: what the guess says."""
    columns = []
    for column in facts:
        feature = column.feature
        use: Use = "feature" if feature else "leave out"
        if guess is not None and column.name == guess.target:
            use = "target"
        numeric = column.feature.kind == "numeric" if column.feature else not column.not_a_number
        columns.append(
            ColumnChoice(
                column=column.name,
                use=use,
                kind="numeric" if numeric else "categorical",
                protected=bool(feature and feature.protected and use == "feature"),
            )
        )
    return Choices(columns=tuple(columns))


def edited_schema(facts: Sequence[ColumnFacts], choices: Choices) -> Schema:
    """Build the schema that a person chose.

    Raises
    ------
    DataError
        Naming every column and setting that does not fit, in one message.
    """
    known = {column.name: column for column in facts}
    faults = _form_faults(known, choices)
    features: list[Feature] = []
    beside: list[Feature] = []
    for choice in choices.columns:
        column = known.get(choice.column)
        if column is None:
            continue
        if choice.use == "feature":
            features += _collected(faults, lambda: _feature(column, choice))  # noqa: B023
        if choice.use == "compare by":
            group = choice.model_copy(update={"protected": True})
            beside += _collected(faults, lambda: _feature(column, group))  # noqa: B023
        if choice.use == "weight":
            faults += _weight_faults(column)
    values: dict[str, object] = {
        "features": features, "beside": beside, "weight": _used(choices, "weight"),
    }  # fmt: skip
    target = _used(choices, "target")
    if target in known:
        for found in _collected(faults, lambda: _target(known[str(target)], choices)):
            values |= found
    if faults:
        raise DataError(" ".join(dict.fromkeys(faults)))
    return build_schema_part(Schema, values)


def _collected(faults: list[str], build: Callable[[], T]) -> list[T]:
    """Return what was built, or nothing and one more fault."""
    try:
        return [build()]
    except DataError as error:
        faults.append(str(error))
        return []


def _used(choices: Choices, use: Use) -> str | None:
    return next((choice.column for choice in choices.columns if choice.use == use), None)


def _form_faults(known: dict[str, ColumnFacts], choices: Choices) -> list[str]:
    faults = []
    names = [choice.column for choice in choices.columns]
    if strange := [name for name in names if name not in known]:
        faults.append(f"The file has no column {listing(map(quote, strange))}; take it out.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        faults.append(f"Column {listing(map(quote, twice))} is listed twice; keep one line.")
    for use in ("target", "weight"):
        used = [choice.column for choice in choices.columns if choice.use == use]
        if len(used) > 1:
            faults.append(
                f"Columns {listing(map(quote, used))} are all chosen as the {use}; choose one."
            )
    if not any(choice.use == "feature" for choice in choices.columns):
        faults.append("No column is used as a feature; choose at least one.")
    if _used(choices, "target") is None and (choices.favourable or choices.classes):
        faults.append("There are classes but no target; choose a column as the target.")
    return faults


def _feature(column: ColumnFacts, choice: ColumnChoice) -> Feature:
    name = quote(column.name)
    if column.looks == "empty":
        raise DataError(f"Column {name} is missing in every row; leave it out.")
    if column.looks == "constant":
        raise DataError(
            f"Column {name} has the same value in every row that has one; leave it out, it "
            "explains nothing."
        )
    values: dict[str, object] = {
        "name": column.name,
        "kind": choice.kind,
        "protected": choice.protected,
        "immutable": choice.immutable,
        "has_missing": column.n_missing > 0,
    }
    if choice.kind == "categorical":
        if choice.unit:
            raise DataError(f"Column {name} is categorical and cannot have a unit; remove it.")
        return build_schema_part(Feature, values | {"categories": _categories(column)})
    _check_numbers(column)
    values |= {"integer": column.integer, "unit": choice.unit.strip()}
    if column.minimum is not None:
        values["range"] = (column.minimum, column.maximum)
    return build_schema_part(Feature, values)


def _categories(column: ColumnFacts) -> tuple[str, ...]:
    limit = category_limit(column.n_rows)
    if column.n_distinct > limit:
        raise DataError(
            f"Column {quote(column.name)} holds {column.n_distinct:,} distinct values, a category "
            f"may have {limit}; use it as numeric or leave it out."
        )
    if not column.categories:
        raise DataError(
            f"Column {quote(column.name)} holds texts that are too long for categories; leave it "
            "out."
        )
    return column.categories


def _check_numbers(column: ColumnFacts, word: str = "Column") -> None:
    if column.not_a_number is not None:
        raise DataError(
            f"{word} {quote(column.name)} holds {quote(column.not_a_number.text)} in row "
            f"{column.not_a_number.row}, which is not a number; use it as categorical or leave it "
            "out."
        )
    if column.infinite_row is not None:
        raise DataError(
            f"{word} {quote(column.name)} is infinite in row {column.infinite_row}; put a finite "
            "number in the file or leave it out."
        )


def _weight_faults(column: ColumnFacts) -> list[str]:
    name = quote(column.name)
    try:
        _check_numbers(column, "Weight")
    except DataError as error:
        return [str(error)]
    if column.n_missing:
        return [f"Weight {name} has no value in {column.n_missing:,} rows; choose another column."]
    if column.minimum is not None and column.minimum < 0:
        return [f"Weight {name} is negative in some row; a weight is a number of at least 0."]
    return []


def _target(column: ColumnFacts, choices: Choices) -> dict[str, object]:
    name = quote(column.name)
    if column.n_missing:
        raise DataError(
            f"Target {name} has no value in {column.n_missing:,} row{'s' * (column.n_missing > 1)}"
            "; fill them in or choose another column."
        )
    if column.n_distinct < 2:
        raise DataError(f"Target {name} has the same value in every row; choose another column.")
    numbers = column.not_a_number is None and column.infinite_row is None
    task = choices.task
    if task is None:
        many = numbers and column.n_distinct > MAX_CLASSES_OF_NUMBERS
        task = "regression" if many else "classification"
    if task == "regression":
        _check_numbers(column, "Target")
        if choices.classes or choices.favourable:
            raise DataError(f"Target {name} of a regression has no classes; leave them empty.")
        return {"target": column.name, "task": "regression"}
    return {"target": column.name} | _classes(column, choices)


def _classes(column: ColumnFacts, choices: Choices) -> dict[str, object]:
    name, found = quote(column.name), column.categories
    if column.n_distinct > MAX_CATEGORIES_OF_LARGE or not found:
        raise DataError(
            f"Target {name} has {column.n_distinct:,} distinct values; a classification has at "
            f"most {MAX_CATEGORIES_OF_LARGE} short ones, choose another column or a regression."
        )
    classes = choices.classes or found
    if sorted(classes) != sorted(found):
        raise DataError(
            f"The classes of target {name} are {listing(map(quote, found))}; list each of them "
            "once, in the order you want."
        )
    if choices.favourable is not None and choices.favourable not in classes:
        raise DataError(
            f"The favourable class {quote(choices.favourable)} is not a class of target {name}; "
            f"choose one of {listing(map(quote, classes))}."
        )
    task: Task = "binary" if len(classes) == 2 else "multiclass"
    return {"task": task, "classes": classes, "favourable": choices.favourable}
