"""What a user may choose of LIME for tables."""

from typing import Literal

from pydantic import Field, model_validator

from workbench.core.local_models import Sampling
from workbench.core.model import Output
from workbench.core.params import Params
from workbench.numerics.local_fit import Selection

Bins = Literal["quartile", "decile", "entropy"]
USUAL_FEATURES = 10


class NeighbourhoodParams(Params):
    """What every way of fitting local models lets a user choose."""

    sampling: Sampling = Field(
        "discretised",
        description="Draw each number from bins of the background (discretised), from a normal "
        "distribution about the background's mean (mean-centred), or about the row (around).",
    )
    bins: Bins = Field(
        "quartile",
        description="Bins of discretised numbers: quarters or tenths of the background, or the "
        "leaves of a decision tree of depth 3 on its labels (entropy).",
    )
    kernel_width: float | None = Field(
        None, gt=0, allow_inf_nan=False,
        description="Distance at which a sample's weight falls to 0.61; by default 0.75 times the "
        "square root of the number of features.",
    )  # fmt: skip
    selection: Selection = Field(
        "auto",
        description="How features are chosen: forward selection, the highest weights in a fit "
        "with all features, the lasso path, or none; auto takes forward selection up to 6 "
        "features, else the highest weights.",
    )
    num_features: int | None = Field(
        None, ge=1,
        description="Features in a local model at most; by default 10, or all where there are "
        "fewer.",
    )  # fmt: skip
    top: int = Field(
        5, ge=1,
        description="Strongest features whose set is meant by stability and by being told apart.",
    )  # fmt: skip


class LimeParams(NeighbourhoodParams):
    """Settings of ``lime.tabular``."""

    perturbations: int = Field(
        5000, ge=20, le=1_000_000, description="Samples per row, rounded up to tens."
    )
    max_perturbations: int | None = Field(
        None, ge=20, le=1_000_000,
        description="Double the samples of a row, up to this many, until its strongest features "
        "are told apart from the next by two standard errors; by default they are not doubled.",
    )  # fmt: skip
    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )

    @model_validator(mode="after")
    def _may_only_grow(self) -> "LimeParams":
        if self.max_perturbations is not None and self.max_perturbations < self.perturbations:
            raise ValueError(
                f"max_perturbations ({self.max_perturbations}) must not be below perturbations "
                f"({self.perturbations})"
            )
        return self


class ReferenceParams(NeighbourhoodParams):
    """Settings of ``lime.reference``."""

    perturbations: int = Field(5000, ge=20, le=100_000, description="Samples per row.")
