"""What a user may choose when pairs of features are scored."""

from typing import Literal

from pydantic import Field

from workbench.core.model import Output
from workbench.core.params import Params


class ScoresParams(Params):
    """Settings of ``interactions.scores``."""

    detector: Literal["mixed-difference", "both"] = Field(
        "mixed-difference",
        description="Score what features do together in the outputs (mixed-difference), or in the "
        "loss as well (both), which needs labelled rows and finds less.",
    )
    output: Output = Field(
        "score", description="Look at probabilities, or scores (log-odds, logits)."
    )
    permutations: int = Field(
        8, ge=1, le=200, description="How often each row takes features from another row."
    )
    max_rows: int = Field(
        1000, ge=2, le=20_000,
        description="Rows at most; of more, that many are drawn at random.",
    )  # fmt: skip
    order: Literal[2, 3] = Field(
        2, description="Pairs of features, or triples as well: the 500 that may be strongest."
    )
    compare: bool = Field(
        False,
        description="Score by two other detectors as well: in the contexts of each row and of the "
        "typical row (ArchDetect), and by the weights of the network (NID).",
    )
