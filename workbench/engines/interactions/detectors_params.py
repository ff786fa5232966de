"""What a user may choose when detectors of interactions are put side by side."""

from typing import Any

from pydantic import Field, field_validator

from workbench.core.detectors import KINDS
from workbench.core.model import Output
from workbench.core.params import Params


class DetectorsParams(Params):
    """Settings of ``interactions.detectors``."""

    detectors: tuple[str, ...] = Field(
        (), description="Detectors, by name with commas between; by default all that can serve."
    )
    output: Output = Field(
        "score", description="Look at probabilities, or scores (log-odds, logits)."
    )
    permutations: int = Field(
        8, ge=1, le=200,
        description="How often each row takes features from another row (mixed-difference, loss).",
    )  # fmt: skip
    max_rows: int = Field(
        1000, ge=2, le=20_000,
        description="Rows at most; of more, that many are drawn at random.",
    )  # fmt: skip
    friedman_rows: int = Field(
        100, ge=2, le=2000,
        description="Rows at most of Friedman's H, which takes their square for each pair.",
    )  # fmt: skip
    local_rows: int = Field(
        50, ge=2, le=2000,
        description="Rows at most that integrated Hessians are taken for.",
    )  # fmt: skip
    nodes: int = Field(
        32, ge=2, le=256, description="Points on the way from the typical row to each row."
    )
    beta: float = Field(
        30.0, gt=0, le=1e4,
        description="How sharp rounded rectifiers are, for Hessians: larger is closer to the "
        "network, and needs more nodes.",
    )  # fmt: skip
    shapley_rows: int = Field(
        20, ge=2, le=2000, description="Rows at most that Shapley interactions are taken for."
    )
    shapley_background: int = Field(
        30, ge=2, le=2000, description="Rows at most that stand in for unknown features there."
    )
    shapley_budget: int = Field(
        512, ge=64, le=2**20,
        description="Coalitions per row there at most, for models of more than 16 features; fewer "
        "features have all of theirs evaluated.",
    )  # fmt: skip
    most: int = Field(
        20_000_000, ge=1,
        description="Passes of rows through the network that a detector may take; one that could "
        "take more is left out.",
    )  # fmt: skip

    @field_validator("detectors", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        """Take apart what a command line hands over as one text."""
        if isinstance(given, str):
            return tuple(part.strip() for part in given.split(",") if part.strip())
        return given

    @field_validator("detectors")
    @classmethod
    def _are_known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for name in given:
            if name not in KINDS:
                raise ValueError(f"{name} is no detector, choose among {', '.join(KINDS)}")
        if len(set(given)) < len(given):
            raise ValueError("a detector is named twice")
        return given

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of the detectors asked for, in their usual order."""
        return tuple(name for name in KINDS if not self.detectors or name in self.detectors)
