"""What a user may choose when interactions are held against those of additive data."""

from typing import Literal

from pydantic import Field

from workbench.core.params import Params
from workbench.engines.training_params import Batch, Decay, Epochs, Patience, Rate
from workbench.numerics.fitting import FitSettings
from workbench.numerics.many_fits import USUAL, usual_batch
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
    epochs: Epochs = USUAL.epochs
    batch: Batch = None
    rate: Rate = USUAL.rate
    decay: Decay = USUAL.decay
    patience: Patience = USUAL.patience

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
