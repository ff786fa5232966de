"""What a user may choose of the Shapley estimators."""

from pydantic import Field

from workbench.core.model import Output
from workbench.core.params import Params
from workbench.numerics.links import Link


class ShapleyParams(Params):
    """What is explained, on which scale."""

    output: Output = Field(
        "probability", description="Explain probabilities, or scores (log-odds, logits)."
    )
    link: Link = Field(
        "identity", description="Transform applied to the mean probability of a coalition."
    )


class SampledParams(ShapleyParams):
    """What the sampled estimators add: how much to sample, and when to stop earlier."""

    budget: int | None = Field(
        None,
        ge=4,
        le=2**24,
        description="Coalitions per row at most; by default 2 d + 2,048 for d features.",
    )
    tolerance: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Stop a row when its largest standard error falls below this share of the "
        "range of its attributions.",
    )

    def coalitions(self, n_players: int) -> int:
        """Return the number of inner coalitions per row, capped at all of them."""
        wanted = self.budget or 2 * n_players + 2048
        return min(wanted, 2**n_players - 2) if n_players < 60 else wanted
