"""What may be chosen of a local function: neighbourhood, function and loss."""

from pydantic import Field, model_validator

from workbench.core.local_functions import FunctionClass, Loss
from workbench.engines.lfa.operators import SCALED, USUAL, OperatorParams, check_reach


class FitParams(OperatorParams):
    """Settings of ``lfa.fit``."""

    scale: float | None = Field(
        None, gt=0, le=1000,
        description="How far the neighbourhood reaches. add: standard deviations of the moves, by "
        "default 0.25; scale: share of the way to the reference row, by default all of it; mask "
        "with the exponential law: width of the kernel, in features removed, by default 1; "
        "resample: share of the features, by default 0.5.",
    )  # fmt: skip
    function: FunctionClass = Field(
        "linear",
        description="All features (linear), a few of them (sparse), products of two features "
        "besides (pairwise), or a logistic function of all for probabilities.",
    )
    loss: Loss = Field(
        "squared",
        description="What counts as a miss: squared differences of outputs, or of slopes "
        "(gradient), which operators add and scale have.",
    )
    num_features: int | None = Field(
        None, ge=1,
        description="Features of a sparse function; by default 5, or all where there are fewer.",
    )  # fmt: skip
    samples: int = Field(
        2048, ge=4, le=100_000, description="Samples that a function is fitted to."
    )
    heldout: int = Field(
        512, ge=16, le=100_000, description="Other samples, that it is held against."
    )

    @property
    def reach(self) -> float:
        """The scale, by default that of the operator; 0 where the law has none."""
        if self.chosen_law not in SCALED:
            return 0.0
        return USUAL[self.operator] if self.scale is None else self.scale

    @model_validator(mode="after")
    def _scale_fits(self) -> "FitParams":
        if self.scale is None:
            return self
        if self.chosen_law not in SCALED:
            raise ValueError(
                f"law {self.chosen_law!r} has no scale; leave scale out, or choose law "
                "'exponential', whose scale is the width of its kernel"
            )
        check_reach(self.operator, self.scale)
        return self

    @model_validator(mode="after")
    def _loss_fits(self) -> "FitParams":
        if self.operator == "scale" and self.loss == "squared":
            raise ValueError(
                "operator 'scale' moves all features together, so outputs on the way tell no "
                "feature from another; choose loss 'gradient', or operator 'mask'"
            )
        if self.operator in {"mask", "resample"} and self.loss == "gradient":
            raise ValueError(
                f"operator {self.operator!r} replaces features at once and has no slopes; choose "
                "loss 'squared', or operator 'add' or 'scale'"
            )
        return self

    @model_validator(mode="after")
    def _function_fits(self) -> "FitParams":
        if self.function == "pairwise" and self.operator == "scale":
            raise ValueError(
                "operator 'scale' moves all features together, so no pair can be told from "
                "another; choose operator 'add' or 'mask' for function 'pairwise'"
            )
        if self.function in {"pairwise", "logistic"} and self.chosen_law == "single":
            raise ValueError(
                "law 'single' removes one feature at a time, which fits a linear function and no "
                f"other; choose law 'shapley' or 'even' for function {self.function!r}"
            )
        if self.num_features is not None and self.function != "sparse":
            raise ValueError(
                f"num_features is for function 'sparse', not {self.function!r}; leave it out"
            )
        return self
