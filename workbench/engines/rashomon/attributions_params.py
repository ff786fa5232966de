"""What may be chosen where explanations are compared across equally good models."""

from typing import Literal

from pydantic import Field

from workbench.core.model import Output
from workbench.engines.rashomon.params import SearchParams

Explorer = Literal[
    "auto", "gaussian-units", "bernoulli-units", "gaussian-weights", "bernoulli-weights",
    "gaussian-rank-one", "bernoulli-rank-one", "scaling", "directional", "last-layer",
    "lagrangian", "adversarial", "retraining",
]  # fmt: skip
# Methods by what follows the dot of their names.
Inner = Literal[
    "auto", "exact", "proxy", "kernel", "leverage", "permutation", "owen", "svarm",
    "integrated-gradients", "expected-gradients", "deeplift",
]  # fmt: skip


class AttributionsParams(SearchParams):
    """Settings of ``rashomon.attributions``."""

    explanation: Inner = Field(
        "auto",
        description="How each model is explained; auto: exact Shapley values where all coalitions "
        "are cheap, else estimates from few coalitions.",
    )
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
    explained: int = Field(
        64, ge=1, le=1024, description="Equally good models that are explained at most."
    )
    models: int = Field(512, ge=2, le=1_000_000, description="Models that are tried at most.")
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
