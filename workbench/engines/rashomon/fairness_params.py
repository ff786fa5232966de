"""What may be chosen where equally good models are compared by how they treat groups."""

from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.rashomon import EXPLORERS
from workbench.engines.group_params import GroupParams
from workbench.engines.rashomon.again import NOT_AGAIN
from workbench.engines.rashomon.params import AUTO, SearchParams, parts_of_text
from workbench.engines.rashomon.retrain_params import KEY as RETRAINING

# Gaps that a model has a hand in.
Gap = Literal[
    "selection_rate_difference", "true_positive_rate_difference", "selection_rate_ratio",
    "false_positive_rate_difference", "equalized_odds_worst", "equalized_odds_mean",
    "positive_predictive_value_difference", "false_omission_rate_difference",
    "accuracy_difference",
]  # fmt: skip
# Who looks by default: those that draw near-copies at random, and take a moment.
USUAL = ("gaussian-units", "bernoulli-units", "gaussian-weights", "bernoulli-weights",
         "gaussian-rank-one", "bernoulli-rank-one", "scaling")  # fmt: skip
OFFERED = tuple(name for name in EXPLORERS if name not in {*NOT_AGAIN, RETRAINING, "quadratic"})


class FairnessFrontParams(SearchParams, GroupParams):
    """Settings of ``rashomon.fairness``."""

    by: str = Field(
        "",
        description="Columns whose values, crossed, make the groups, separated by commas; empty "
        "takes the first protected category.",
    )
    gap: Gap = Field(
        "selection_rate_difference", description="The gap that an alternative should lessen."
    )
    eps: float = Field(
        0.01, ge=0, le=0.5,
        description="How much accuracy an alternative may lose, by the validation rows; 0.01 is "
        "one point.",
    )  # fmt: skip
    explorers: tuple[str, ...] = Field(
        (AUTO,), max_length=len(OFFERED) + 1,
        description="Who looks for equally good models at random, by name with commas between; "
        "auto: all that draw near-copies.",
    )  # fmt: skip
    tolerance: float = Field(
        0.01,
        ge=0,
        le=1000,
        description="How much more cross-entropy, in nats, such a model may have.",
    )
    models: int = Field(64, ge=2, le=100_000, description="Models that each explorer tries at "
                        "most.")  # fmt: skip
    admission_rows: int = Field(
        3000, ge=2, le=10_000_000,
        description="Validation rows at most that near-copies are admitted on; of more, a sample. "
        "An alternative is chosen on all of them.",
    )  # fmt: skip
    near_copies: int = Field(
        6, ge=0, le=256, description="Models of each explorer that are kept, the first it found."
    )
    directed: int = Field(
        24, ge=0, le=240,
        description="Models that are trained on towards a smaller gap, at pulls of rising "
        "strength.",
    )  # fmt: skip
    retrained: int = Field(
        0, ge=0, le=100, description="Models that are trained again from other starts."
    )
    draws: int = Field(
        1000, ge=100, le=20_000, description="Resamples of rows, from which intervals come."
    )
    explained: int = Field(
        200, ge=0, le=5000,
        description="Rows whose predictions are explained by the given model and the alternative.",
    )  # fmt: skip

    @field_validator("explorers", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        return parts_of_text(given)

    @field_validator("explorers")
    @classmethod
    def _are_known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for name in given:
            if name not in {AUTO, *OFFERED}:
                raise ValueError(
                    f"{name} is no explorer, choose among {', '.join((AUTO, *OFFERED))}"
                )
        return given

    @property
    def named(self) -> tuple[str, ...]:
        """Who looks at random."""
        names = [one for name in self.explorers for one in (USUAL if name == AUTO else (name,))]
        return tuple(dict.fromkeys(names))
