"""What may be chosen where explanations are compared across equally good models."""

from typing import Literal

from pydantic import Field

from workbench.core.model import Output
from workbench.engines.rashomon.near_params import NearParams

# Methods by what follows the dot of their names.
Inner = Literal[
    "auto", "exact", "proxy", "kernel", "leverage", "permutation", "owen", "svarm",
    "integrated-gradients", "expected-gradients", "deeplift",
]  # fmt: skip


class AttributionsParams(NearParams):
    """Settings of ``rashomon.attributions``."""

    explanation: Inner = Field(
        "auto",
        description="How each model is explained; auto: exact Shapley values where all coalitions "
        "are cheap, else estimates from few coalitions.",
    )
    explained: int = Field(
        64, ge=1, le=1024, description="Equally good models that are explained at most."
    )
    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )
    budget: int | None = Field(
        None, ge=4, le=2**24,
        description="Coalitions per row at most where they are sampled; by default 256, or 16 d "
        "if that is more, for d features.",
    )  # fmt: skip
    background_rows: int = Field(
        100, ge=1, le=10_000,
        description="Training rows that stand in for unknown features, the same for all models.",
    )  # fmt: skip
