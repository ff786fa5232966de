"""Sets of features and their scores in the numbers that figures and sentences show."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from workbench.core.errors import InvalidInputError
from workbench.core.interaction_cloud import Cloud
from workbench.core.interaction_scores import FLOOR, LEVEL, REFERENCE, TOP
from workbench.core.results import InteractionScores
from workbench.core.schema import listing
from workbench.plots import words
from workbench.plots.layout import shortened
from workbench.plots.theme import Palette, escaped

By = Literal["mixed-difference", "loss"]
WAYS: tuple[By, ...] = get_args(By)
PAIR, TRIPLE = 2, 3
SIZES = {PAIR: "pair", TRIPLE: "triple"}
# Standard errors beyond which a direction is said.
SURE = 2
# Letters of a name in a label: features stand below each other, so that bars have room.
LETTERS = 20
# Per cent below which a share is not written out.
LEAST = 1e-4
# A click chooses a pair, which stays as visible as the others.
ALL_ALIKE = {"marker": {"opacity": 1}}
HALF = float(stats.norm.ppf(0.5 + LEVEL / 2))


@dataclass(frozen=True)
class ScoredSets:
    """Sets of one size, strongest in the given model first.

    Axes: ``m`` models, the given one first; ``s`` sets.

    Attributes
    ----------
    places
        Positions among the sets of the result.
    values
        Per cent of the variance of the output, or scores in the loss.
    half
        Half widths of 95 % intervals in the given model.
    directions
        1 where the features strengthen each other for sure, -1 where they weaken each other, else
        0; of scores in the loss their sign where it is sure.
    floor
        Value below which a set is of no practical importance; None of scores in the loss.
    """

    result: InteractionScores
    which: int
    by: By
    size: int
    places: Int[np.ndarray, " s"]
    values: Float[np.ndarray, "m s"]
    half: Float[np.ndarray, " s"]
    directions: Int[np.ndarray, " s"]
    floor: float | None

    def __len__(self) -> int:
        return len(self.places)

    @property
    def own(self) -> Float[np.ndarray, " s"]:
        """Values in the given model."""
        own: np.ndarray = self.values[REFERENCE]
        return own

    @property
    def n_models(self) -> int:
        """How many models were asked, the given one included."""
        return len(self.values)

    @property
    def low(self) -> Float[np.ndarray, " s"]:
        """Lower ends of 95 % intervals; a share of a variance is never below 0."""
        low: np.ndarray = self.own - self.half
        return low if self.by == "loss" else np.maximum(low, 0.0)

    @property
    def high(self) -> Float[np.ndarray, " s"]:
        """Upper ends of 95 % intervals."""
        high: np.ndarray = self.own + self.half
        return high

    @property
    def matters(self) -> Bool[np.ndarray, " s"]:
        """Whether the interval of a set lies above the floor; in the loss, on one side of 0."""
        matters: np.ndarray = (
            np.abs(self.own) > self.half if self.floor is None else self.low > self.floor
        )
        return matters

    @property
    def measured(self) -> str:
        """What the values are, for an axis and for a sentence."""
        what = words.quantity(self.result, self.which)
        if self.by == "loss":
            unit = f" in {self.result.loss_unit}" if self.result.loss_unit else ""
            return f"score in the loss{unit}"
        return f"share of the variance of {what}"

    def show(self, value: float) -> str:
        """Write a value with its unit."""
        if self.by == "loss":
            return f"{words.signed(value, self.decimals)} {self.result.loss_unit}".strip()
        if 0 < value < LEAST:
            return f"less than {LEAST:.4f} %"
        return f"{value:.{_digits(value)}f} %" if value else "0 %"

    @property
    def decimals(self) -> int:
        """Decimals that tell the values apart."""
        return words.decimals_for(float(np.abs(self.values).max(initial=0.0)))

    def interval(self, at: int) -> str:
        """Write the 95 % interval of a set, without its unit."""
        return self._between(float(self.low[at]), float(self.high[at]))

    def span(self, at: int) -> str:
        """Write the least and the greatest value of a set over the models."""
        values = self.values[:, at]
        unit = self.result.loss_unit if self.by == "loss" else "%"
        return f"{self._between(float(values.min()), float(values.max()))} {unit}".strip()

    def _between(self, low: float, high: float) -> str:
        if self.by == "loss":
            return " to ".join(words.signed(end, self.decimals) for end in (low, high))
        digits = _digits(max(high, LEAST))
        return f"{low:.{digits}f} to {high:.{digits}f}"

    def name(self, at: int) -> str:
        """Name the features of a set."""
        return " and ".join(self.result.set_names[self.places[at]])

    def label(self, at: int) -> str:
        """Name the features of a set below each other, as a figure writes them."""
        names = self.result.set_names[self.places[at]]
        return "<br>and ".join(escaped(shortened(name, LETTERS)) for name in names)

    def direction(self, at: int) -> str:
        """Say what the features of a set do to each other; empty where it is not sure."""
        way = int(self.directions[at])
        if not way:
            return ""
        if self.by == "loss":
            return "more loss together than one by one" if way > 0 else (
                "less loss together than one by one"
            )  # fmt: skip
        return "strengthen each other" if way > 0 else "weaken each other"

    def way(self, at: int) -> str:
        """Say in a word or two what the features of a set do to each other, or why not."""
        unknown = self.by != "loss" and np.isnan(
            self.result.signed[REFERENCE, self.places[at], self.which]
        )
        return self.direction(at) or ("no order" if unknown else "not sure")

    def colour(self, at: int, colours: Palette) -> str:
        """Colour of a set by its direction; that of sizes where it is not sure."""
        return {1: colours.positive, -1: colours.negative}.get(
            int(self.directions[at]), colours.size
        )

    def told(self, at: int, *lines: str) -> str:
        """Write what a mouse finds of a set."""
        said = [
            f"<b>{escaped(self.name(at))}</b>", self.show(float(self.own[at])),
            f"95 %: {self.interval(at)}", self.direction(at),
            f"{self.n_models:,} models: {self.span(at)}" if self.n_models > 1 else "", *lines,
        ]  # fmt: skip
        return "<br>".join(line for line in said if line)

    def cloud(self, top: int = TOP) -> Cloud:
        """Return how the scores spread over the models, set by set in the same order."""
        return self.result.cloud(self.which, by=self.by, order=self.size, top=top)


def scored_sets(
    result: InteractionScores,
    output: str | int | None = None,
    *,
    by: By = "mixed-difference",
    size: int = PAIR,
) -> ScoredSets:
    """Return the sets of one size with the scores of an output, or those in the loss.

    Raises
    ------
    InvalidInputError
        If there is no such output, or no such scores.
    """
    if by not in WAYS:
        raise InvalidInputError(f"Figures show no scores by {by!r}; choose one of {listing(WAYS)}.")
    which = result.output_index(output)
    places = result.order_of(which, by=by, order=size)
    if by == "loss":
        assert result.losses is not None  # noqa: S101 - the order was found
        assert result.losses_std_errors is not None  # noqa: S101 - as are the scores
        values, errors = result.losses[:, places], result.losses_std_errors[REFERENCE, places]
        signs, floor = np.sign(values[REFERENCE]), None
        sure = np.abs(values[REFERENCE]) > HALF * errors
    else:
        variance = float(result.variances[REFERENCE, which])
        values = 100 * result.shares[:, places, which]
        errors = result.mixed_std_errors[REFERENCE, places, which]
        errors = 100 * errors / variance if variance > 0 else np.zeros(len(places))
        means = result.signed[REFERENCE, places, which]
        floor, signs = 100 * FLOOR, np.sign(np.nan_to_num(means))
        sure = np.abs(means) > SURE * result.signed_std_errors[REFERENCE, places, which]
    return ScoredSets(
        result, which, by, size, places, values, HALF * errors,
        np.where(sure, signs, 0).astype(np.int64), floor,
    )  # fmt: skip


def ways_of(result: InteractionScores) -> list[By]:
    """Return the scores that a result can be drawn by."""
    return [by for by in WAYS if by in result.detectors]


def _digits(share: float) -> int:
    """Return how many decimals a share in per cent is written with."""
    if share >= 1:
        return 1
    return 2 if share >= 0.01 else words.decimals_for(share) - 1
