"""Conditions under which a run of an analysis counts as failed, as they stand in its file."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

# How a bound is told: what the value is where the condition holds.
BOUNDS = {
    "above": "above",
    "below": "below",
    "at_least": "at least",
    "at_most": "at most",
}


def _plain(value: object) -> object:
    """Let what a cell may hold through, and refuse all else in one sentence, not one a type."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError("must be text, a number, true, false or null")


Cell = Annotated[str | bool | int | float | None, PlainValidator(_plain)]


class Condition(BaseModel):
    """One way to fail: a check that warns, a value beyond a bound, or any check of any step.

    With ``sure`` a bound is held against the end of the value's interval that is nearer to
    passing, so that the condition holds only where the whole interval is beyond.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str = Field("", max_length=60, description="Id of the step that is meant.")
    check: str = Field("", max_length=10, description="Code of a check, such as WB007.")
    status: Literal["warning", "failure"] = Field(
        "warning", description="From which status of the check on the condition holds."
    )
    any_check: Literal["warning", "failure"] | None = Field(
        None, description="Any check of the step, or of all steps, has this status or a worse one."
    )
    value: str = Field("", max_length=200, description="Column of the step's table.")
    where: dict[str, Cell] = Field(
        default_factory=dict, max_length=20, description="Cells of the rows that are meant."
    )
    above: float | None = Field(None, allow_inf_nan=False)
    below: float | None = Field(None, allow_inf_nan=False)
    at_least: float | None = Field(None, allow_inf_nan=False)
    at_most: float | None = Field(None, allow_inf_nan=False)
    sure: bool = Field(False, description="Only where the whole interval is beyond the bound.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [bool(self.check), bool(self.value), self.any_check is not None]
        if sum(forms) != 1:
            raise ValueError("write one of check, value and any_check")
        if (self.check or self.value) and not self.step:
            raise ValueError("name the step that is meant")
        given = [name for name in BOUNDS if getattr(self, name) is not None]
        if self.value and len(given) != 1:
            raise ValueError(f"a value needs one of {', '.join(BOUNDS)}")
        if not self.value and (given or self.where or self.sure):
            raise ValueError(f"where, sure, {', '.join(BOUNDS)} go with a value")
        if "status" in self.model_fields_set and not self.check:
            raise ValueError("status goes with a check")
        return self

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    @property
    def bound(self) -> str:
        """Which of the four bounds is given."""
        return next(name for name in BOUNDS if getattr(self, name) is not None)

    @property
    def limit(self) -> float:
        """The number that the value is compared with."""
        return float(getattr(self, self.bound))
