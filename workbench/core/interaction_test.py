"""Which interactions of a model are in the data, and which come with training a network."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.interaction_scores import FLOOR
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["data", "spurious", "open", "own", "none"]
# What is said of a pair, by verdict.
VERDICTS: dict[Verdict, str] = {
    "data": "in the data",
    "spurious": "any network shows as much",
    "open": "not settled",
    "own": "in this model alone",
    "none": "of no importance",
}
# Standard errors beyond which a difference of losses is not chance.
BEYOND = 1.96


@dataclass(frozen=True, eq=False)
class InteractionTest(Result):
    r"""What pairs do together in networks trained on labels without interactions, and on real ones.

    A share is the mixed difference of a pair (``InteractionScores``) by the variance of the output,
    on the scale of scores (log-odds, logits, values); of several outputs the mean of their shares.

    Axes: ``s`` pairs; ``a`` networks trained on the real labels; ``b`` networks trained on labels
    that were drawn from an additive model.

    Attributes
    ----------
    pairs
        Positions of the two features of each pair.
    observed
        Shares in the networks that were trained on the real labels.
    simulated
        Shares in networks of the same kind, trained in the same way on labels of the additive
        model: what comes without any interaction in the data. Two in a row had the same labels.
    given
        Shares in the given model.
    band_low, band_high
        Between them, 90 % of networks are expected that are trained without interactions.
    p, q
        Probability that the real networks' share or more comes about without interactions, and
        the same after Benjamini and Hochberg over all pairs.
    shared
        Share of the variance of these logarithms that labels have by chance and not the start of a
        network, with an error to spare; the more, the less several networks say than one.
    level
        Of the pairs that are said to be in the data, this share is wrong on average, at most.
    in_data
        Whether ``q`` is at most ``level``.
    additive_loss, additive_loss_noise
        Loss of the additive model on the rows reported on, and its standard error: cross-entropy,
        or squared error.
    network_losses
        The same of each network that was trained on the real labels.
    given_loss
        The same of the given model.
    network_excess, network_noise
        By how much a network is worse than the additive model on average, and the paired standard
        error of that.
    given_excess, given_noise
        The same of the given model.
    n_train, n_validation
        Rows that networks and additive model were trained on, and that stopped and chose them.
    n_possible
        Pairs that there are; more than were tested where they were screened.
    loss_unit
        Empty for a target without a unit.
    """

    kind: ClassVar[str] = "interaction_test"

    pairs: Int[np.ndarray, "s 2"]
    observed: Float[np.ndarray, "a s"]
    simulated: Float[np.ndarray, "b s"]
    given: Float[np.ndarray, " s"]
    band_low: Float[np.ndarray, " s"]
    band_high: Float[np.ndarray, " s"]
    p: Float[np.ndarray, " s"]
    q: Float[np.ndarray, " s"]
    shared: float
    level: float
    in_data: Bool[np.ndarray, " s"]
    additive_loss: float
    additive_loss_noise: float
    network_losses: Float[np.ndarray, " a"]
    given_loss: float
    network_excess: float
    network_noise: float
    given_excess: float
    given_noise: float
    n_train: int
    n_validation: int
    n_possible: int
    schema: Schema
    output_names: tuple[str, ...]
    loss_unit: str

    def __post_init__(self) -> None:
        s, a, b = len(self.pairs), len(self.observed), len(self.simulated)
        single = ("given", "band_low", "band_high", "p", "q", "in_data")
        self._check_shapes(
            f"A test of {s} pairs with {a} and {b} networks",
            {"pairs": (s, 2), "observed": (a, s), "simulated": (b, s), "network_losses": (a,)}
            | dict.fromkeys(single, (s,)),
        )
        if not (s and a and b):
            raise InvalidInputError("A test needs a pair, and networks of both kinds.")
        if not 0 <= self.pairs.min() <= self.pairs.max() < len(self.schema.features):
            raise InvalidInputError(
                "A pair names a feature that is not among the "
                f"{len(self.schema.features)} there are."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    @cached_property
    def pair_names(self) -> tuple[str, ...]:
        """Names of each pair, joined by "and"."""
        names = self.names
        return tuple(f"{names[i]} and {names[j]}" for i, j in self.pairs.tolist())

    @property
    def typical(self) -> Float[np.ndarray, " s"]:
        """Share of each pair in the networks trained on the real labels: the geometric mean."""
        return _middle(self.observed)

    @property
    def typical_without(self) -> Float[np.ndarray, " s"]:
        """Share of each pair in the networks trained without interactions."""
        return _middle(self.simulated)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What is said of each pair.

        In the ``data``: networks trained on the real labels have more than comes without
        interactions. Of the others, pairs that the given model has above the practical floor:
        ``spurious`` where networks trained without interactions have as much, ``open`` where
        they do not but one trained on the real labels does, ``own`` where none of them do.
        ``none`` of the rest.
        """
        return tuple(
            "data" if self.in_data[i]
            else "none" if self.given[i] < FLOOR
            else "spurious" if self.given[i] <= self.band_high[i]
            else "open" if self.given[i] <= self.observed[:, i].max()
            else "own"
            for i in range(len(self.pairs))
        )  # fmt: skip

    @property
    def order(self) -> Int[np.ndarray, " s"]:
        """Positions of the pairs: those in the data first, each by what the real networks have."""
        found: np.ndarray = np.lexsort((-self.typical, ~self.in_data))
        return found

    @property
    def additive_is_as_good(self) -> bool:
        """Whether networks predict no better than the additive model, by more than chance."""
        return self.network_excess + BEYOND * self.network_noise >= 0

    def to_frame(self) -> "pd.DataFrame":
        """One line per pair, those in the data first.

        Columns: ``feature``, ``other``, ``given`` (share of the given model), ``observed`` (of
        networks trained on the real labels), ``without`` (of networks trained without
        interactions), ``band_low``, ``band_high`` (90 % of such networks), ``times`` (observed
        by without), ``p``, ``q``, ``in_data``, ``verdict``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        names = np.array(self.names, dtype=object)
        observed, without = self.typical, self.typical_without
        frame = pd.DataFrame({
            "feature": names[self.pairs[:, 0]],
            "other": names[self.pairs[:, 1]],
            "given": self.given,
            "observed": observed,
            "without": without,
            "band_low": self.band_low,
            "band_high": self.band_high,
            "times": observed / np.maximum(without, np.finfo(float).tiny),
            "p": self.p,
            "q": self.q,
            "in_data": self.in_data,
            "verdict": [VERDICTS[found] for found in self.verdicts],
        })
        return frame.iloc[self.order].reset_index(drop=True)


def _middle(shares: Float[np.ndarray, "a s"]) -> Float[np.ndarray, " s"]:
    """Geometric mean over networks; 0 where one of them has none."""
    with np.errstate(divide="ignore"):
        found: np.ndarray = np.exp(np.log(shares).mean(0))
    return found
