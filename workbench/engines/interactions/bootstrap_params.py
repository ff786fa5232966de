"""What a user may choose when interactions are held against those of additive data."""

from typing import Literal

from pydantic import Field

from workbench.core.params import Params
from workbench.numerics.fitting import FitSettings
from workbench.numerics.many_fits import BATCHES, USUAL, usual_batch
from workbench.numerics.null_band import STARTS


class BootstrapParams(Params):
    """Settings of ``interactions.bootstrap``."""

    simulations: int = Field(
        10, ge=5, le=1000,
        description="How often labels are drawn from the additive model; two networks are trained "
        "on each.",
    )  # fmt: skip
    refits: int = Field(
        5, ge=2, le=200, description="Networks that are trained on the real labels."
    )
    level: float = Field(
        0.05, gt=0, lt=1,
        description="Of the pairs that are said to be in the data, how many may be wrong.",
    )  # fmt: skip
    noise: Literal["pooled", "own"] = Field(
        "pooled",
        description="Of a regression: draw what the additive model leaves from all rows (pooled), "
        "or keep each row's own with a random sign (own), where some rows are noisier than others.",
    )
    permutations: int = Field(
        4, ge=1, le=200, description="How often each row takes features from another row."
    )
    max_rows: int = Field(
        1000, ge=2, le=20_000,
        description="Rows to score pairs on at most; of more, that many are drawn at random.",
    )  # fmt: skip
    epochs: int = Field(
        USUAL.epochs, ge=1, le=10_000, description="Passes over the training rows at most."
    )
    batch: int | None = Field(
        None, ge=2, le=65_536,
        description="Rows in a training step; by default a tenth of the training rows, from "
        f"{BATCHES[0]} to {BATCHES[1]}.",
    )  # fmt: skip
    rate: float = Field(USUAL.rate, gt=0, le=1, description="Learning rate of Adam.")
    decay: float = Field(
        USUAL.decay, ge=0, le=10, description="Weight decay, apart from the loss (AdamW)."
    )
    patience: int = Field(
        USUAL.patience, ge=1, le=10_000,
        description="Epochs without a smaller loss on the validation rows until training stops.",
    )  # fmt: skip

    @property
    def networks(self) -> int:
        """How many networks are trained in all."""
        return self.without + self.refits

    @property
    def without(self) -> int:
        """How many of them on labels without interactions."""
        return STARTS * self.simulations

    def training(self, n_rows: int) -> FitSettings:
        """Return how each network is trained on so many rows."""
        batch = self.batch or usual_batch(n_rows)
        return FitSettings(self.epochs, batch, self.rate, self.decay, self.patience)
