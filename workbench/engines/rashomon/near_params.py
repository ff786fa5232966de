"""What may be chosen wherever something is asked of every one of a set of equally good models."""

from typing import Any, Literal

from pydantic import Field, field_validator

from workbench.core.model import Output
from workbench.engines.rashomon.params import SearchParams, parts_of_text
from workbench.engines.rashomon.retrain_params import KEY as RETRAINING

Explorer = Literal[
    "auto", "gaussian-units", "bernoulli-units", "gaussian-weights", "bernoulli-weights",
    "gaussian-rank-one", "bernoulli-rank-one", "scaling", "directional", "last-layer",
    "lagrangian", "adversarial", "retraining",
]  # fmt: skip


class NearParams(SearchParams):
    """Who looks for equally good models, and how good they have to be."""

    explorer: Explorer = Field(
        "auto",
        description="Who looks for equally good models; auto: noise on hidden units, or on "
        "weights where there are none.",
    )
    tolerance: float = Field(
        0.01, ge=0, le=1000,
        description="How much more loss is admitted: nats of cross-entropy for classes; for a "
        "regression, a share of the given model's mean squared error.",
    )  # fmt: skip
    models: int = Field(512, ge=2, le=1_000_000, description="Models that are tried at most.")


def near_trains(params: NearParams) -> bool:
    """Whether equally good models are found by training."""
    return params.explorer == RETRAINING


class InteractionsSetParams(NearParams):
    """Settings of ``rashomon.interactions``; those of ``interactions.scores`` mean the same."""

    scored: int = Field(64, ge=1, le=1024, description="Equally good models that are scored.")
    detector: Literal["mixed-difference", "both"] = Field(
        "mixed-difference",
        description="Score what features do together in the outputs (mixed-difference), or in the "
        "loss as well (both), which needs labelled rows and finds less.",
    )
    output: Output = Field(
        "score", description="Look at probabilities, or scores (log-odds, logits)."
    )
    permutations: int = Field(
        8, ge=1, le=200,
        description="How often each row takes features from another row, the same for all models.",
    )  # fmt: skip
    max_rows: int = Field(
        1000, ge=2, le=20_000,
        description="Rows at most; of more, that many are drawn at random.",
    )  # fmt: skip
    order: Literal[2, 3] = Field(
        2, description="Pairs of features, or triples as well: the 500 that may be strongest."
    )


class ProfilesSetParams(NearParams):
    """Settings of ``rashomon.profiles``; those of ``profiles.curves`` mean the same."""

    profiled: int = Field(32, ge=1, le=1024, description="Equally good models that are followed.")
    features: tuple[str, ...] = Field(
        (), description="Features, by name with commas between; by default all."
    )
    points: int = Field(
        20, ge=2, le=500,
        description="Grid points of a number, at its quantiles; all values where there are fewer. "
        "A category has one for each of its levels.",
    )  # fmt: skip
    curves: int = Field(
        50, ge=0, le=2000,
        description="Rows, drawn at random, of which single curves of the given model are kept.",
    )  # fmt: skip
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
        return parts_of_text(given)
