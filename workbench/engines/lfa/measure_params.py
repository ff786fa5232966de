"""What may be chosen where explanations are measured."""

from pydantic import Field

from workbench.engines.lfa.params import NeighbourhoodParams


class MeasureParams(NeighbourhoodParams):
    """How explanations are made, as for the matrix, and what they are put through."""

    repeats: int = Field(
        100, ge=10, le=10_000,
        description="Random subsets of features that are removed, and random moves of a row.",
    )  # fmt: skip
    top: float = Field(
        0.25, gt=0, le=1,
        description="Share of the features, rounded up, that count as the strongest ones of a row.",
    )  # fmt: skip
    copies: int = Field(
        4, ge=0, le=100,
        description="Copies of each row that are explained as well, to see how stable the "
        "explanation is; 0 leaves the three measures of stability out.",
    )  # fmt: skip
    radius: float = Field(
        0.05, gt=0, le=10,
        description="How far at most a number of a copy is from the row's, in standard deviations.",
    )  # fmt: skip
    networks: int = Field(
        2, ge=0, le=20,
        description="Copies of the network with random parameters whose explanations are "
        "compared; 0 leaves this check out.",
    )  # fmt: skip
