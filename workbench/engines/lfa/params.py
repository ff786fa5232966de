"""What may be chosen where explanations are held against neighbourhoods."""

from pydantic import Field, model_validator

from workbench.core.model import Output
from workbench.core.params import Params


class NeighbourhoodParams(Params):
    """How large the neighbourhoods are, and how many samples they are looked at with."""

    perturbations: int = Field(
        4096, ge=64, le=1_000_000,
        description="Coalitions of features for the methods that remove some; the other methods "
        "together take about a fifth as many passes.",
    )  # fmt: skip
    scale: float = Field(
        0.25, gt=0, le=100,
        description="How far numbers are moved, in standard deviations of the background.",
    )  # fmt: skip
    width: float = Field(
        1.0, gt=0, le=1000,
        description="Width of the exponential kernel, in features removed: at 1, each feature is "
        "removed with probability 0.27.",
    )  # fmt: skip
    share: float = Field(
        0.5, gt=0, le=1, description="Share of the features that get the value of another row."
    )
    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )


class MatrixParams(NeighbourhoodParams):
    """Neighbourhoods, and the samples that explanations are held against."""

    wide_scale: float = Field(
        1.0, gt=0, le=100,
        description="How far numbers are moved in the wide neighbourhood, in standard deviations.",
    )  # fmt: skip
    heldout: int = Field(
        256, ge=32, le=100_000,
        description="Samples of each neighbourhood that explanations are held against, and that "
        "none was made from.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _wide_is_wider(self) -> "MatrixParams":
        if self.wide_scale < self.scale:
            raise ValueError(
                f"wide_scale ({self.wide_scale}) must not be below scale ({self.scale})"
            )
        return self
