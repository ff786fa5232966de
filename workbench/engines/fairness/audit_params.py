"""What a user may choose of an audit."""

from pydantic import Field

from workbench.core.fairness import ENOUGH
from workbench.engines.fairness.params import GroupParams


class AuditParams(GroupParams):
    """Settings of ``fairness.audit``."""

    depth: int = Field(
        2, ge=1, le=8,
        description="How many attributes are crossed at most: 1 compares by one attribute at a "
        "time, 2 by pairs of them as well.",
    )  # fmt: skip
    threshold: float | None = Field(
        None, gt=0, lt=1,
        description="Probability of the favourable class from which a decision is favourable; "
        "without one, the class that the model finds most likely.",
    )  # fmt: skip
    weights: bool = Field(
        True, description="Count rows by the table's sampling weights, where it has them."
    )
    resamples: int = Field(
        2000, ge=200, le=20_000,
        description="Bootstrap samples behind intervals of gaps, and random groups behind what "
        "chance alone shows.",
    )  # fmt: skip
    least_rows: int = Field(
        ENOUGH, ge=1,
        description="Rows that a rate of a group has to be a share of, so that gaps take the "
        "group in; 1 takes all groups in, as fairlearn does.",
    )  # fmt: skip
    neighbours: int = Field(
        5, ge=1, le=100, description="Neighbours that a person's decision is compared with."
    )
    neighbour_rows: int = Field(
        2000, ge=2, le=20_000,
        description="People whose neighbours are looked for; more are sampled.",
    )  # fmt: skip
