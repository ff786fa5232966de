"""What may be chosen where ways to lessen disagreement are compared."""

from typing import Literal

from pydantic import Field, field_validator

from workbench.engines.rashomon.params import SearchParams

Dropout = Literal[
    "auto", "gaussian-units", "bernoulli-units", "gaussian-weights", "bernoulli-weights",
    "gaussian-rank-one", "bernoulli-rank-one",
]  # fmt: skip
SIZES = (1, 2, 5, 10, 20, 50, 100)


class MitigationParams(SearchParams):
    """Settings of ``rashomon.mitigate``."""

    tolerance: float = Field(
        0.02, gt=0, le=1000,
        description="By how much a model's loss may be worse: nats of cross-entropy for classes; "
        "for a regression, a share of the given model's mean squared error.",
    )  # fmt: skip
    builder: Dropout = Field(
        "auto",
        description="Explorer that finds the members of ensembles; auto: noise on hidden units, or "
        "on weights where there are none.",
    )
    independent: Dropout = Field(
        "auto",
        description="Explorer that judges ensembles without having built them; auto: noise on "
        "weights, Bernoulli where Gaussian noise on weights built them.",
    )
    largest: int = Field(
        100, ge=1, le=1000, description="Members of the largest ensemble of which sets are drawn."
    )
    judged_largest: int = Field(
        10, ge=1, le=1000, description="Members of the largest ensemble that explorers judge."
    )
    judged: int = Field(3, ge=2, le=100, description="Ensembles of each size that are judged.")
    near_copies: int = Field(
        20, ge=2, le=10_000, description="Near-copies of each ensemble that a judge looks at."
    )
    candidates: int = Field(
        0, ge=0, le=100,
        description="Models that are trained again with other seeds, to choose among; at least 2 "
        "where there are any.",
    )  # fmt: skip

    @field_validator("candidates")
    @classmethod
    def _are_several(cls, given: int) -> int:
        if given == 1:
            raise ValueError("one candidate leaves nothing to choose, ask for 2 or more, or 0")
        return given
