"""What a user may choose when counterfactuals are searched for."""

from pydantic import Field, model_validator

from workbench.core.params import Params


class SearchParams(Params):
    """Settings of ``counterfactual.search``."""

    target: str | None = Field(
        None,
        description="Class to reach; by default the favourable one, or for rows that have it (or "
        "where there is none) the likeliest other class.",
    )
    confidence: float | None = Field(
        None, gt=0, lt=1,
        description="Probability that the class must reach; by default it only has to win.",
    )  # fmt: skip
    low: float | None = Field(
        None,
        description="Smallest value to reach, for regression; without bounds, the upper quarter "
        "of the background's predictions, or the lower one for rows that are there.",
    )
    high: float | None = Field(None, description="Largest value to reach, for regression.")
    count: int = Field(4, ge=1, le=20, description="Counterfactuals per row, at most.")
    max_changes: int | None = Field(
        None, ge=1, description="Features that may change at once; by default all of them."
    )
    immutable: bool = Field(
        False, description="Also change features that the schema says a person cannot change."
    )
    keep: str = Field("", description="Features that stay as they are, separated by commas.")
    only_up: str = Field(
        "",
        description="Numbers that may only become larger, separated by commas, such as age; they "
        "may change although the schema says that a person cannot change them.",
    )
    only_down: str = Field(
        "", description="Numbers that may only become smaller, separated by commas."
    )
    budget: int = Field(
        100_000, ge=1_000, le=10_000_000, description="Model evaluations per row, at most."
    )

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> "SearchParams":
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low:g}) must not be above high ({self.high:g})")
        return self
