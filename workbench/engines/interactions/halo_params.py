"""What a user may choose when features are scaled together."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from workbench.core.errors import InvalidInputError
from workbench.core.params import Params
from workbench.core.schema import Schema, listing


class HaloParams(Params):
    """Settings of ``interactions.halo``."""

    pair: tuple[str, ...] = Field(
        (),
        description="Features to scale together, by name with commas between: two, or three with "
        "order 3. By default the sets that do most together in the given model.",
    )
    top: int = Field(12, ge=1, le=100, description="Sets at most, where none is named.")
    rank: Literal["mixed-difference", "loss"] = Field(
        "mixed-difference",
        description="Choose them by what features do together in the outputs or in the loss.",
    )
    order: Literal[2, 3] = Field(2, description="Pairs of features, or triples.")
    tolerance: float = Field(
        0.05, gt=0, le=1e6,
        description="By how much the loss of an equally good model may be above the given one's.",
    )  # fmt: skip
    relative: bool = Field(
        True,
        description="Take the tolerance as a share of the given model's loss on these rows; else "
        "in the unit of the loss.",
    )
    budgets: int = Field(10, ge=2, le=40, description="Steps in which the tolerance is shared out.")
    angles: int = Field(
        0, ge=0, le=90,
        description="Of pairs, joint models at so many even angles in each quadrant instead of one "
        "for each way to share out the steps; only with the exact search.",
    )  # fmt: skip
    zeros: bool = Field(
        False, description="Of triples, whether a feature of a joint model may get no share."
    )
    search: Literal["exact", "published"] = Field(
        "exact",
        description="Find the mask of a budget as a root, or by the published greedy steps, which "
        "end within 0.0001 of it.",
    )
    reach: float = Field(
        10.0, gt=0, le=100, description="How far from 1 a mask may be to be found."
    )
    permutations: int = Field(
        8, ge=1, le=200, description="How often each row takes features from another row."
    )
    max_rows: int = Field(
        1000, ge=2, le=20_000,
        description="Rows at most; of more, that many are drawn at random.",
    )  # fmt: skip

    @field_validator("pair", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(part.strip() for part in given.split(",") if part.strip())
        return given

    @field_validator("pair")
    @classmethod
    def _differ(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(given)) < len(given):
            raise ValueError("a feature is named twice")
        return given

    @model_validator(mode="after")
    def _go_together(self) -> "HaloParams":
        if self.pair and len(self.pair) != self.order:
            raise ValueError(
                f"pair names {len(self.pair)} features and order is {self.order}; name two "
                "features, or three with order 3"
            )
        if self.angles and self.search == "published":
            raise ValueError(
                "the published search knows steps of the tolerance only; set angles to 0 or search "
                "to exact"
            )
        if self.order == 3 and self.budgets < 3:
            raise ValueError("three features share out at least three budgets")
        return self

    def chosen(self, schema: Schema) -> tuple[int, ...]:
        """Return the positions of the features that are named; none where none is.

        Raises
        ------
        InvalidInputError
            If there is no feature of a name.
        """
        for name in self.pair:
            if name not in schema.names:
                raise InvalidInputError(
                    f"The model has no feature {name!r}; choose among {listing(schema.names, 20)}."
                )
        return tuple(sorted(schema.names.index(name) for name in self.pair))
