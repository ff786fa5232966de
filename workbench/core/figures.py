"""A figure that somebody chose: a view of a result, and the options it was looked at with."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

MAX_FIGURES, MAX_TEXT = 24, 1000
_Name = Annotated[str, Field(min_length=1, max_length=60)]


def _plain(value: object) -> object:
    """Let text and finite numbers through, and nothing else."""
    if isinstance(value, str):
        if len(value) <= MAX_TEXT and not any("\ud800" <= letter <= "\udfff" for letter in value):
            return value
        raise ValueError(f"must be text of at most {MAX_TEXT:,} valid letters")
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise ValueError("must be text or a finite number")


Value = Annotated[
    str | int | float, PlainValidator(_plain), WithJsonSchema({"type": ["string", "number"]})
]


class ChosenFigure(BaseModel):
    """A view of a result as it was looked at; which views and options there are its kind says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    view: _Name = Field(description="One of the views of the result, such as dependence.")
    options: dict[_Name, Value] = Field(
        default_factory=dict, max_length=20,
        description="Options of the view, such as feature; others have their defaults.",
    )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.view, frozenset(self.options.items())))

    def fields(self) -> dict[str, Any]:
        """Return what differs from the defaults as plain values."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def describe(self) -> str:
        """Write it on one line.

        Examples
        --------
        >>> ChosenFigure(view="dependence", options={"feature": "age"}).describe()
        'dependence (feature = age)'
        """
        if not self.options:
            return self.view
        return f"{self.view} ({', '.join(f'{k} = {v}' for k, v in self.options.items())})"
