"""What a user may choose of the Shapley estimators."""

from typing import Literal

from pydantic import Field

from workbench.core.method import Effort
from workbench.core.model import Output
from workbench.core.params import Params
from workbench.numerics.links import Link
from workbench.numerics.value_functions import Value

SHARING_ROWS = 64
BLOCK_BYTES = 2**26


class ShapleyParams(Params):
    """What is explained, on which scale, and what stands in for an unknown feature."""

    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )
    link: Link = Field(
        "identity", description="Transform applied to the mean probability of a coalition."
    )
    value: Value = Field(
        "marginal",
        description="What stands in for unknown features: each background row (marginal), their "
        "mean and commonest category (baseline), the rows most like the known part (neighbours), "
        "draws from a normal distribution given the known part (gaussian), or what a surrogate "
        "has learned to go with it (conditional, of a trained explainer).",
    )


class SampledParams(ShapleyParams):
    """What the sampled estimators add: how much to sample, and when to stop earlier."""

    budget: int | None = Field(
        None,
        ge=4,
        le=2**24,
        description="Coalitions per row at most; by default 2 d + 2,048, or 4 d if that is "
        "more, for d features.",
    )
    tolerance: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Stop a row when its largest standard error falls below this share of the "
        "range of its attributions.",
    )

    def coalitions(self, n_players: int) -> int:
        """Return how many inner coalitions a row may take; 4 d are enough for any estimator."""
        return self.budget or max(2 * n_players + 2048, 4 * n_players)


class SharingParams(SampledParams):
    """What the estimators add whose coalitions need not depend on the row."""

    draw: Literal["own", "shared"] = Field(
        "own",
        description="Coalitions of each row's own, or shared by blocks of up to 64 rows: faster "
        "for many rows, whose errors are then alike within a block.",
    )

    def block(self, n_coalitions: int, n_columns: int) -> int:
        """Return how many rows share coalitions: fewer where their values take much memory."""
        if self.draw == "own":
            return 1
        row = 8 * n_coalitions * n_columns
        return max(1, min(SHARING_ROWS, BLOCK_BYTES // max(1, row)))


def exact_efforts(n_features: int) -> dict[str, Effort]:  # noqa: ARG001 - as all efforts
    """Without sampling, differ in the background alone."""
    return {"quick": Effort(25, {}), "standard": Effort(100, {}), "thorough": Effort(400, {})}


def sampled_efforts(n_features: int) -> dict[str, Effort]:
    """Take a quarter of the default coalitions, as many, or eight times as many."""
    standard = SampledParams().coalitions(n_features)
    return {
        "quick": Effort(25, {"budget": max(standard // 4, 8 * n_features)}),
        "standard": Effort(100, {}),
        "thorough": Effort(400, {"budget": min(8 * standard, 2**24)}),
    }
