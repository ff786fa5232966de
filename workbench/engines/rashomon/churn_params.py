"""What may be chosen where the churn of an update is foreseen."""

from typing import Any

from pydantic import Field, field_validator

from workbench.core.rashomon import EXPLORERS
from workbench.engines.rashomon.params import AUTO, ToleranceParams


class ChurnParams(ToleranceParams):
    """Settings of ``rashomon.churn``."""

    models: int = Field(
        200, ge=2, le=5000, description="Prospective models that each explorer tries at most."
    )
    explorers: tuple[str, ...] = Field(
        (AUTO,), min_length=1, max_length=len(EXPLORERS),
        description="Where prospective models come from, by name with commas between; auto: noise "
        "on hidden units, or on weights where there are none.",
    )  # fmt: skip
    gamma: float = Field(
        0.1, gt=0, le=1,
        description="Half-width of the band around the decision's threshold over which a smoothed "
        "decision turns; of a regression, how far a value has to move to count, in standard "
        "deviations of the target.",
    )  # fmt: skip

    @field_validator("explorers", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        return tuple(map(str.strip, given.split(","))) if isinstance(given, str) else given

    @field_validator("explorers")
    @classmethod
    def _are_known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        known = (AUTO, *EXPLORERS)
        if unknown := [name for name in given if name not in known]:
            raise ValueError(f"{unknown[0]} is no explorer, choose among {', '.join(known)}")
        if len(set(given)) < len(given):
            raise ValueError("an explorer is named twice")
        return given
