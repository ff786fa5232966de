"""What a user may choose when pairs of features are scored."""

from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.errors import InvalidInputError
from workbench.core.model import Output
from workbench.core.params import Params
from workbench.core.schema import Schema, listing

PAIR, TRIPLE = 2, 3


class ScoresParams(Params):
    """Settings of ``interactions.scores``."""

    detector: Literal["mixed-difference", "both"] = Field(
        "mixed-difference",
        description="Score what features do together in the outputs (mixed-difference), or in the "
        "loss as well (both), which needs labelled rows and finds less.",
    )
    output: Output = Field(
        "score", description="Look at probabilities, or scores (log-odds, logits)."
    )
    permutations: int = Field(
        8, ge=1, le=200, description="How often each row takes features from another row."
    )
    max_rows: int = Field(
        1000, ge=2, le=20_000,
        description="Rows at most; of more, that many are drawn at random.",
    )  # fmt: skip
    order: Literal[2, 3] = Field(
        2, description="Pairs of features, or triples as well: the 500 that may be strongest."
    )
    compare: bool = Field(
        False,
        description="Score by two other detectors as well: in the contexts of each row and of the "
        "typical row (ArchDetect), and by the weights of the network (NID).",
    )
    sets: tuple[tuple[str, ...], ...] = Field(
        (),
        description="Score these sets alone: names of two or three features with + between, sets "
        "with commas between; by default all pairs.",
    )

    @field_validator("sets", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(
                tuple(name.strip() for name in one.split("+"))
                for one in given.split(",")
                if one.strip()
            )
        return given

    @field_validator("sets")
    @classmethod
    def _are_sets(cls, given: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        if any(len(one) not in {PAIR, TRIPLE} for one in given):
            raise ValueError("a set is two or three features")
        if any(len(set(one)) < len(one) for one in given):
            raise ValueError("a feature is named twice in a set")
        if len({frozenset(one) for one in given}) < len(given):
            raise ValueError("a set is named twice")
        return given

    def places(self, schema: Schema) -> list[tuple[int, ...]]:
        """Return the positions of the features of each set, pairs first; none by default.

        Raises
        ------
        InvalidInputError
            If there is no feature of a name.
        """
        for name in {name for one in self.sets for name in one}:
            if name not in schema.names:
                raise InvalidInputError(
                    f"The model has no feature {name!r}; choose among {listing(schema.names, 20)}."
                )
        found = [tuple(sorted(schema.index(name) for name in one)) for one in self.sets]
        return sorted(found, key=len)
