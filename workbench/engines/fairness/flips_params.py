"""What may be chosen of attribute flips."""

from pydantic import Field

from workbench.core.flips import Mode
from workbench.engines.group_params import GroupParams
from workbench.numerics.paired_shares import rows_needed


class FlipsParams(GroupParams):
    """Settings of ``fairness.flips``."""

    mode: Mode = Field(
        "rows",
        description="Whom to ask of: the rows; inputs drawn uniformly from all that the schema "
        "allows; or rows against a conditional draw, a real row of the other group that is much "
        "like it.",
    )
    samples: int = Field(
        5000, ge=100, le=1_000_000, description="Inputs to draw, of the mode uniform."
    )
    margin: float | None = Field(
        None, ge=0.002, le=0.2,
        description="Take as many rows or inputs as make the interval of a share of all of them "
        "at most this wide to each side, whatever is found; empty takes all rows, or the samples.",
    )  # fmt: skip
    neighbours: int = Field(
        5,
        ge=1,
        le=100_000,
        description="Of the mode conditional: from how many rows of the other group, the nearest "
        "ones, one is drawn; with as many as there are, any of them.",
    )

    def asked(self, n_rows: int) -> int:
        """Return of how many rows or inputs the question is asked; known before any answer."""
        if self.mode == "uniform":
            return self.samples if self.margin is None else rows_needed(self.margin)
        return n_rows if self.margin is None else min(n_rows, rows_needed(self.margin))
