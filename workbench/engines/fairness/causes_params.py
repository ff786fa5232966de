"""What a user may choose where a gap between groups is shared out among features."""

from typing import Literal

from pydantic import Field

from workbench.core.gap_causes import Among
from workbench.core.model import Output
from workbench.engines.fairness.params import GroupParams

# Methods by what follows the dot of their names; all of them add up to the prediction.
Explanation = Literal["auto", "exact", "permutation", "kernel"]


class CausesParams(GroupParams):
    """Settings of ``fairness.causes``."""

    output: Output = Field(
        "probability",
        description="Share out the gap in probabilities, or in scores (log-odds, logits).",
    )
    among: Among = Field(
        "all",
        description="Whose gap: of all rows, or of those with the favourable or with another "
        "outcome alone, for which rows need labels.",
    )
    explanation: Explanation = Field(
        "auto",
        description="How predictions are shared out; auto: exact Shapley values where all "
        "coalitions are cheap, else permutations.",
    )
    max_rows: int = Field(
        1000, ge=10, le=20_000,
        description="Rows to explain at most; of more, that many are drawn at random.",
    )  # fmt: skip
    background_rows: int = Field(
        100, ge=1, le=10_000, description="Background rows that stand in for unknown features."
    )
    budget: int | None = Field(
        None, ge=4, le=2**24,
        description="Coalitions per row where they are sampled; by default 4 d for d features.",
    )  # fmt: skip
