"""What may be chosen of profiles."""

from typing import Any

from pydantic import Field, field_validator

from workbench.core.errors import InvalidInputError
from workbench.core.model import Output
from workbench.core.params import Params
from workbench.core.schema import Schema, listing


class ProfileParams(Params):
    """Settings of ``profiles.curves``."""

    features: tuple[str, ...] = Field(
        (), description="Features, by name with commas between; by default all."
    )
    points: int = Field(
        20, ge=2, le=500,
        description="Grid points of a number, at its quantiles; all values where there are fewer. "
        "A category has one for each of its levels.",
    )  # fmt: skip
    curves: int = Field(
        50, ge=0, le=2000, description="Rows, drawn at random, of which single curves are kept."
    )
    pair: tuple[str, ...] = Field(
        (), description="Two features to look at together, by name with a comma between."
    )
    pair_points: int = Field(
        10, ge=2, le=100, description="Grid points of each number of the pair, at its quantiles."
    )
    output: Output = Field(
        "probability", description="Follow probabilities, or scores (log-odds, logits)."
    )

    @field_validator("features", "pair", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(part.strip() for part in given.split(",") if part.strip())
        return given

    @field_validator("features", "pair")
    @classmethod
    def _differ(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(given)) < len(given):
            raise ValueError("a feature is named twice")
        return given

    @field_validator("pair")
    @classmethod
    def _are_two(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(given) not in {0, 2}:
            raise ValueError("a pair is two features")
        return given

    def places(self, schema: Schema) -> list[int]:
        """Return the positions of the features in the schema; all where none is named.

        Raises
        ------
        InvalidInputError
            If there is no feature of a name.
        """
        return _places(self.features or schema.names, schema)

    def pair_places(self, schema: Schema) -> list[int]:
        """Return the positions of the pair in the schema; none where there is no pair.

        Raises
        ------
        InvalidInputError
            If there is no feature of a name.
        """
        return _places(self.pair, schema)


def _places(names: tuple[str, ...], schema: Schema) -> list[int]:
    for name in names:
        if name not in schema.names:
            raise InvalidInputError(
                f"The model has no feature {name!r}; choose among {listing(schema.names, 20)}."
            )
    return [schema.names.index(name) for name in names]
