"""What a user may choose when a model is evaluated."""

from pydantic import Field

from workbench.core.params import Params
from workbench.numerics.intervals import LEVEL


class EvaluateParams(Params):
    """Settings of ``performance.evaluate``."""

    level: float = Field(LEVEL, ge=0.5, le=0.999, description="Level of every interval.")
    bins: int = Field(
        10, ge=2, le=50,
        description="Groups of rows with similar predictions, for calibration and residuals.",
    )  # fmt: skip
    threshold: float = Field(
        0.5, gt=0, lt=1,
        description="Of two classes, the probability from which the favourable one is predicted.",
    )  # fmt: skip
    weights: bool = Field(
        True, description="Count rows by the table's sampling weights, where it has them."
    )
