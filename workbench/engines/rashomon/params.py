"""What may be chosen where equally good models are looked for."""

from typing import Any

from pydantic import Field, field_validator

from workbench.core.errors import InvalidInputError
from workbench.core.params import Params
from workbench.core.rashomon import EXPLORERS

AUTO = "auto"


class SearchParams(Params):
    """How many near-copies are tried, how they are moved, and which rows admit them."""

    models: int = Field(
        2000, ge=2, le=1_000_000, description="Models that each explorer tries at most."
    )
    push: bool = Field(
        False,
        description="Move each model along its own way until its loss reaches a tolerance: wider "
        "ranges, for about twelve times as many passes over the admission rows.",
    )
    admission_rows: int = Field(
        10_000, ge=2, le=10_000_000,
        description="Validation rows at most that models are admitted on; of more, a sample.",
    )  # fmt: skip
    ridge: float = Field(
        0.0, ge=0, le=1000,
        description="Penalty that belongs to the loss: this times half the sum of squares of all "
        "weights, biases not counted.",
    )  # fmt: skip


# Largest tolerances: nats, and a share of the loss of a regression, whose noise is larger.
MOST, MOST_OF_LOSS = 0.04, 0.1


class ToleranceParams(SearchParams):
    """By how much the loss of a model may be worse than the given model's."""

    most: float | None = Field(
        None, gt=0, le=1000,
        description="Largest tolerance: nats of cross-entropy for classes, by default 0.04; for a "
        "regression a share of the given model's mean squared error, by default 0.1.",
    )  # fmt: skip
    steps: int = Field(11, ge=2, le=101, description="Tolerances from 0 to the largest.")
    tolerances: tuple[float, ...] = Field(
        (), max_length=101,
        description="Tolerances in the same unit, ascending, in place of equal steps.",
    )  # fmt: skip

    @field_validator("tolerances", mode="before")
    @classmethod
    def _numbers(cls, given: Any) -> Any:
        return parts_of_text(given)

    @field_validator("tolerances")
    @classmethod
    def _ascend(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 <= value <= 1000 for value in given):  # NaN is not
            raise ValueError("no tolerance may be below 0 or above 1000")
        if list(given) != sorted(set(given)):
            raise ValueError("tolerances must ascend")
        return given

    def within(self, unit: float, *, is_class: bool) -> tuple[float, ...]:
        """Return the tolerances in units of the loss, of which ``unit`` is one.

        Raises
        ------
        InvalidInputError
            If the unit is nothing.
        """
        if unit <= 0:
            raise InvalidInputError(
                "The model makes no error on the admission rows, so that a share of its loss is "
                "nothing and there is no tolerance to look within; choose rows that it errs on."
            )
        if self.tolerances:
            return tuple(value * unit for value in self.tolerances)
        most = self.most or (MOST if is_class else MOST_OF_LOSS)
        return tuple(most * step / (self.steps - 1) * unit for step in range(self.steps))


class SetParams(ToleranceParams):
    """Settings of ``rashomon.set``."""

    explorers: tuple[str, ...] = Field(
        (AUTO,), min_length=1, max_length=len(EXPLORERS),
        description="Who looks for models, by name with commas between; auto: noise on hidden "
        "units, or on weights where there are none.",
    )  # fmt: skip
    delta: float = Field(
        0.1, gt=0, le=1, description="How far a probability has to move to count as moved."
    )
    growth_tolerance: float | None = Field(
        None, ge=0, le=1000,
        description="Tolerance at which the growth with the number of models is followed; by "
        "default the middle one.",
    )  # fmt: skip
    importance: bool = Field(
        True, description="Find the range of each feature's permutation importance over models."
    )

    @field_validator("explorers", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        return parts_of_text(given)

    @field_validator("explorers")
    @classmethod
    def _are_known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        known = (AUTO, *EXPLORERS)
        for name in given:
            if name not in known:
                raise ValueError(f"{name} is no explorer, choose among {', '.join(known)}")
        if len(set(given)) < len(given):
            raise ValueError("an explorer is named twice")
        return given


def parts_of_text(given: Any) -> Any:
    """Take apart what a command line hands over as one text."""
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    return given
