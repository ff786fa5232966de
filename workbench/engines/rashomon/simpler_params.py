"""What a user may choose when simpler models are looked for."""

from collections.abc import Mapping

from pydantic import Field

from workbench.core.method import Effort
from workbench.core.params import Params


class SimplerParams(Params):
    """Settings of ``rashomon.simpler``."""

    tolerance: float = Field(
        0.05, ge=0, le=1,
        description="How much more loss still counts as equally good, as a share of the loss.",
    )  # fmt: skip
    depth: int = Field(7, ge=1, le=7, description="Depth of the deepest trees of the curve.")
    trees: int = Field(
        100_000, ge=1000, le=1_000_000, description="Trees drawn at random for each depth."
    )
    tree_rows: int = Field(
        1000, ge=50, le=5000, description="Training rows at most that drawn trees are tried on."
    )
    bins: int = Field(
        8, ge=2, le=32, description="Parts into which quantiles cut each number, for trees."
    )
    leaves: int = Field(
        16, ge=2, le=64, description="Rules at most of the small tree that is looked for."
    )
    folds: int = Field(5, ge=2, le=20, description="Parts of the training rows in a validation.")
    repeats: int = Field(2, ge=1, le=20, description="Cross-validations, each with other parts.")
    fold_rows: int = Field(
        2000, ge=50, le=50_000, description="Training rows at most that are cross-validated."
    )


def efforts(_: int) -> Mapping[str, Effort]:
    """Return how hard to try."""
    return {
        "quick": Effort(0, {"trees": 10_000, "depth": 5, "repeats": 1}),
        "standard": Effort(0, {}),
        "thorough": Effort(0, {"trees": 1_000_000, "repeats": 5, "fold_rows": 10_000}),
    }
