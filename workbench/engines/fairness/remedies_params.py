"""What a user may choose when remedies are tried."""

from typing import Literal

from pydantic import Field

from workbench.core.fairness import ENOUGH
from workbench.engines.fairness.params import GroupParams
from workbench.engines.training_params import Batch, Decay, Epochs, Patience, Rate
from workbench.numerics.fitting import FitSettings
from workbench.numerics.many_fits import USUAL, usual_batch

Constraint = Literal["demographic_parity", "equal_opportunity", "equalized_odds"]
# The gap that is to be lessened, a key of ``GAPS``.
GAP_OF: dict[str, str] = {
    "demographic_parity": "selection_rate_difference",
    "equal_opportunity": "true_positive_rate_difference",
    "equalized_odds": "equalized_odds_worst",
}
CHEAP = "retrained, reweighing, threshold_optimizer, group_thresholds"


class RemediesParams(GroupParams):
    """Settings of ``fairness.remedies``."""

    by: str = Field(
        "",
        description="Protected columns, separated by commas, whose crossing makes the groups; "
        "empty takes the first protected category.",
    )
    remedies: str = Field(
        CHEAP,
        description="What to try, separated by commas: retrained, reweighing, "
        "correlation_remover, masking, exponentiated_gradient, grid_search, threshold_optimizer, "
        "group_thresholds, reject_option, selection, hyperparameters.",
    )
    constraint: Constraint = Field(
        "demographic_parity",
        description="What groups should have alike: the share that is granted "
        "(demographic_parity), that share among those with the favourable outcome "
        "(equal_opportunity), or among those with and those without it (equalized_odds).",
    )
    within: float = Field(
        0.01, ge=0, le=1,
        description="How much accuracy on validation rows a choice may cost against the model as "
        "it is.",
    )  # fmt: skip
    mask: str = Field(
        "",
        description="Columns to hide, separated by commas, or categories as relationship=Husband; "
        "empty hides the protected columns that the model reads.",
    )
    eps: float = Field(
        0.01, gt=0, lt=1,
        description="How far groups may differ by the exponentiated gradient's constraint.",
    )  # fmt: skip
    learner: Literal["last_layer", "inputs", "network"] = Field(
        "last_layer",
        description="What exponentiated gradient and grid search train: a logistic regression on "
        "what the model's last layer reads (last_layer) or on its encoded inputs (inputs), or the "
        "whole network again each time (network, slow).",
    )
    rounds: int = Field(
        50, ge=2, le=500, description="Learners that the exponentiated gradient trains at most."
    )
    grid: int = Field(15, ge=2, le=500, description="Learners that the grid search trains.")
    trials: int = Field(
        12, ge=2, le=1000, description="Networks that the search for settings trains."
    )
    candidates: int = Field(
        8, ge=2, le=200, description="Networks that the choice among equally good ones trains."
    )
    refits: int = Field(
        3, ge=0, le=50,
        description="Networks trained from other starts for each remedy, to see whose decision "
        "hangs on the start; 0 leaves that out.",
    )  # fmt: skip
    resamples: int = Field(
        2000, ge=100, le=100_000, description="Resamples of the test rows behind intervals of gaps."
    )
    least_rows: int = Field(
        ENOUGH, ge=1,
        description="Test rows that a rate of a group has to be a share of, so that gaps take the "
        "group in; 1 takes all groups in.",
    )  # fmt: skip
    keep_network: bool = Field(
        False,
        description="Keep the network that a single remedy leaves in the result, so that it can "
        "be published without training it again.",
    )
    epochs: Epochs = 50
    batch: Batch = None
    rate: Rate = USUAL.rate
    decay: Decay = USUAL.decay
    patience: Patience = 5

    @property
    def gap(self) -> str:
        """The gap that is to be lessened, a key of ``GAPS``."""
        return GAP_OF[self.constraint]

    def training(self, n_rows: int) -> FitSettings:
        """Return how each network is trained on so many rows."""
        batch = self.batch or usual_batch(n_rows)
        return FitSettings(self.epochs, batch, self.rate, self.decay, self.patience)
