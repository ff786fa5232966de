"""What the columns of a table mean."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench.core.errors import DataError, InvalidInputError
from workbench.core.wording import dotted

Kind = Literal["numeric", "categorical", "image_patch"]
Task = Literal["binary", "multiclass", "regression"]
Part = TypeVar("Part", bound=BaseModel)
# How a user writes a value that is not there.
MISSING = "missing"


class Feature(BaseModel):
    """One column as a user knows it: never a one-hot column, never a standardised number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="Column name in the file.")
    kind: Kind = Field("numeric", description="How values are compared and encoded.")
    categories: tuple[str, ...] = Field((), description="Categories, in the order of their codes.")
    unit: str = Field("", description="Unit of a numeric feature, such as years.")
    label: str = Field("", description="A longer name, shown beside the column name.")
    protected: bool = Field(False, description="A group that must not be treated unfairly.")
    immutable: bool = Field(False, description="A person cannot change it.")
    has_missing: bool = Field(False, description="Missing values occurred where it was learned.")
    integer: bool = Field(False, description="Values are whole numbers.")
    range: tuple[float, float] | None = Field(
        None, description="Smallest and largest value where the schema was learned."
    )

    @model_validator(mode="after")
    def _categories_fit_the_kind(self) -> "Feature":
        if self.kind == "categorical" and not self.categories:
            raise ValueError(f"categorical feature {self.name!r} needs its categories")
        if self.kind != "categorical" and self.categories:
            raise ValueError(f"{self.kind} feature {self.name!r} must not list categories")
        if len(set(self.categories)) < len(self.categories):
            raise ValueError(f"feature {self.name!r} lists a category twice")
        return self

    def show(self, value: float) -> str:
        """Return the value as a user writes it: a category, a number, or ``missing``.

        Examples
        --------
        >>> Feature(name="sex", kind="categorical", categories=("Female", "Male")).show(1.0)
        'Male'
        >>> Feature(name="age", integer=True, unit="years").show(47.0)
        '47 years'
        """
        if value != value:  # noqa: PLR0124 - NaN is the only value unequal to itself
            return MISSING
        if self.kind == "categorical":
            return self.categories[int(value)]
        whole = self.integer or abs(value) >= 1000
        number = f"{value:,.0f}" if whole and abs(value) < 1e15 else f"{value:.4g}"
        return f"{number} {self.unit}".strip()

    def read(self, value: object) -> float:
        """Return the number that stands for a value as a user writes it; NaN where it is missing.

        Examples
        --------
        >>> Feature(name="sex", kind="categorical", categories=("Female", "Male")).read("Male")
        1.0

        Raises
        ------
        InvalidInputError
            If the column cannot hold it.
        """
        text = str(value).strip()
        if text == MISSING or value is None:
            if self.has_missing:
                return float("nan")
            raise InvalidInputError(
                f"Column {self.name!r} knows no missing values; give it a value."
            )
        if self.kind == "categorical":
            if text in self.categories:
                return float(self.categories.index(text))
            raise InvalidInputError(
                f"Column {self.name!r} has no category {text[:80]!r}; known are "
                f"{listing(map(repr, self.categories), 20)}."
            )
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InvalidInputError(
                f"Column {self.name!r} holds numbers, got {text[:80]!r}; write for example 40 or "
                "2.5, without a unit."
            )
        return number


class Schema(BaseModel):
    """The features of a table, its target, and what the target's values mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[Feature, ...] = Field(min_length=1)
    target: str | None = Field(None, description="Column that the model predicts.")
    task: Task | None = Field(None, description="What kind of target it is.")
    classes: tuple[str, ...] = Field((), description="Class names, in the order of their codes.")
    favourable: str | None = Field(None, description="The class that a person hopes for.")
    weight: str | None = Field(None, description="Column with sampling weights; not a feature.")
    target_unit: str = Field("", description="Unit of a regression target.")
    # Left out of the text form where empty, so that the digests of tables without any stay.
    beside: tuple[Feature, ...] = Field(
        (),
        description="Columns that no model reads, kept to compare groups by.",
        exclude_if=lambda features: not features,
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> "Schema":
        others = (self.target, self.weight, *(feature.name for feature in self.beside))
        names = [*self.names, *(name for name in others if name)]
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise ValueError(f"column names are used twice: {', '.join(twice)}")
        expected = {"binary": self.n_classes == 2, "multiclass": self.n_classes > 2}
        if self.task and not expected.get(self.task, self.n_classes == 0):
            raise ValueError(f"a {self.task} task cannot have {self.n_classes} classes")
        if self.favourable is not None and self.favourable not in self.classes:
            raise ValueError(f"favourable class {self.favourable!r} is not among the classes")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in column order."""
        return tuple(feature.name for feature in self.features)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression or without a target."""
        return len(self.classes)

    @property
    def output_names(self) -> tuple[str, ...]:
        """One name per output of a model of this target."""
        return self.classes or (self.target or "output",)

    @property
    def favourable_output(self) -> int:
        """Index of the output to show first: the favourable class, else the last one."""
        if self.favourable is not None:
            return self.classes.index(self.favourable)
        return len(self.output_names) - 1

    def index(self, name: str) -> int:
        """Return the position of a feature.

        Raises
        ------
        DataError
            If there is no feature of that name.
        """
        if name not in self.names:
            raise DataError(f"There is no feature {name!r}; choose one of {listing(self.names)}.")
        return self.names.index(name)

    def edit(self, name: str, **changes: Any) -> "Schema":
        """Return the schema with some fields of one feature changed.

        Raises
        ------
        DataError
            If there is no such feature or the change does not fit.
        """
        position = self.index(name)
        features = list(self.features)
        values = features[position].model_dump() | changes
        features[position] = build_schema_part(Feature, values)
        return build_schema_part(Schema, self.model_dump() | {"features": features})


def build_schema_part(part: type[Part], values: Any) -> Part:
    """Build a schema or feature, turning every fault into one sentence.

    Raises
    ------
    DataError
        Naming all fields that do not fit.
    """
    try:
        return part.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(
            dotted(fault["loc"]) + (": " if fault["loc"] else "")
            + fault["msg"].removeprefix("Value error, ")
            for fault in error.errors()
        )  # fmt: skip
        raise DataError(f"The {part.__name__.lower()} is not valid: {faults}.") from None


def listing(names: Iterable[object], limit: int = 8) -> str:
    """Join names for a message, cut after ``limit``.

    Examples
    --------
    >>> listing(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    texts = [str(name) for name in names]
    shown = ", ".join(texts[:limit])
    return shown if len(texts) <= limit else f"{shown} and {len(texts) - limit} more"
