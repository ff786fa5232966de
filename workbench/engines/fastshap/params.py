"""What a user may choose of the training of an explainer."""

from pydantic import Field, model_validator

from workbench.core.explainer import Amortised
from workbench.core.model import Output
from workbench.core.params import Params
from workbench.numerics.links import Link


class FastshapParams(Params):
    """What is explained, how large the networks are, and how long they are trained."""

    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )
    link: Link = Field(
        "identity", description="Transform applied to the mean probability of a coalition."
    )
    value: Amortised = Field(
        "marginal",
        description="What stands in for unknown features: the background rows (marginal), or what "
        "goes with the known features in the training rows (conditional).",
    )
    width: int = Field(128, ge=4, le=4096, description="Units of a hidden layer.")
    depth: int = Field(2, ge=1, le=8, description="Hidden layers of both networks.")
    surrogate_epochs: int = Field(
        160, ge=1, le=10_000, description="Passes over the rows, each with new coalitions, at most."
    )
    draws: int = Field(
        16, ge=1, le=4096,
        description="Background rows behind each value that the surrogate learns from.",
    )  # fmt: skip
    warm_epochs: int = Field(
        100, ge=0, le=10_000,
        description="Passes that start the explainer on regression values of the surrogate.",
    )  # fmt: skip
    epochs: int = Field(
        5, ge=0, le=10_000, description="Passes with the FastSHAP loss after that, at most."
    )
    coalitions: int = Field(
        32, ge=2, le=4096, description="Coalitions of each row and pass in the FastSHAP loss."
    )
    normalise: bool = Field(
        True, description="Move values onto the plane of right sums while training, not only after."
    )
    penalty: float = Field(
        0.0, ge=0, le=1e6,
        description="Weight of the gap between the raw values' sum and what they must add up to.",
    )  # fmt: skip
    batch: int = Field(512, ge=2, le=65_536, description="Rows of a step.")
    rate: float = Field(2e-3, gt=0, le=1, description="Learning rate at the start.")
    patience: int = Field(
        40, ge=1, le=10_000, description="Passes without a lower validation loss before it stops."
    )
    resume: bool = Field(
        False, description="Go on from the explainer that the model has for the same settings."
    )

    @model_validator(mode="after")
    def _trains_something(self) -> "FastshapParams":
        if self.epochs + self.warm_epochs == 0:
            raise ValueError("epochs and warm_epochs cannot both be 0")
        return self

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return (self.width,) * self.depth
