"""How unequally equally good models treat groups, and which of them does it least."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import GAPS
from workbench.core.rashomon import EXPLORERS
from workbench.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

GIVEN, DIRECTED = "given", "directed"
# Who found a model, besides those who look for equally good ones.
FINDERS: Mapping[str, str] = {
    GIVEN: "The given model",
    DIRECTED: "Trained on towards a smaller gap",
    **EXPLORERS,
}
VALIDATION, REPORTED = 0, 1
SPLITS = ("validation rows", "rows reported on")
NONE = -1


@dataclass(frozen=True, eq=False)
class FairnessFront(Result):
    r"""Accuracy and gaps between groups of models about as good as a given one.

    Axes: ``m`` models, the given one first; ``s`` the validation rows, which choose, and the rows
    reported on, which confirm; ``g`` groups; ``q`` gaps (order of ``GAPS``); ``d`` features; ``v``
    and ``u`` the given model and, if there is one, the alternative. A last axis of 3 holds value
    and 95 % interval, from resamples of rows that are the same for all models. NaN means undefined.

    Attributes
    ----------
    by
        The columns that make the groups.
    groups, favourable
        Names of the groups, and the class that people hope for.
    gap
        The gap in question, a key of ``GAPS``; the search aimed at it.
    eps
        How much accuracy an alternative may lose, by the validation rows.
    tolerance
        How much more loss near-copies may have; those that aim at the gap are bound by ``eps``.
    finders
        Who found each model, a key of ``FINDERS``.
    numbers, strengths, stretches
        From what each is made again, with the seed.
    digests
        Of the weights of each model.
    excess, noise
        By how much its loss on the admission rows exceeds the given model's, with the paired
        standard error.
    counts
        Rows by group, truth and decision, favourable being 1.
    accuracy, gaps
        Share of decisions for or against the favourable class that are right; gaps between groups.
    accuracy_change, change
        The same less the given model's, with paired intervals; of a gap its distance from where
        all groups are alike, so that less is fairer for every gap.
    covariance
        Of accuracy and gap: variance of the one, covariance, variance of the other.
    beats
        Share of resamples in which a model is at least as accurate as the given one at a gap no
        larger, and better in one of them.
    front, chance
        Whether no other model is as accurate with a gap as small, ties being kept; and in what
        share of resamples that is so.
    chosen
        Of each gap, the model within ``eps`` with the least gap on the validation rows; ``NONE``
        where it is no smaller than the given model's.
    ends
        Of each gap, the models within ``eps`` with the least and the greatest on the validation
        rows; ``NONE`` where the gap is undefined.
    width
        How far their gaps lie apart, paired.
    overlap
        Rows reported on that the search has seen; on them nothing is confirmed.
    draws
        Resamples.
    compared
        The two groups that ``causes`` compare: the worse and the better off under the given model.
    features
        Names of the features of the model.
    importance, causes
        Mean absolute Shapley value of a feature for the favourable class, and its mean in the
        first of the groups less that in the second: these add up to the gap of mean scores.
    importance_change, causes_change
        The alternative's less the given model's, row by row; empty without an alternative.
    n_explained
        Rows that they are means over.
    read
        The columns of ``by`` that the models read themselves.
    held
        Gaps among the rows reported on if these columns told nothing: everybody is given each of
        their values in turn, as often as it is met. NaN where no model reads them.
    swayed
        Share of these rows that are decided otherwise for some of these values.
    """

    kind: ClassVar[str] = "fairness_front"

    by: tuple[str, ...]
    groups: tuple[str, ...]
    favourable: str
    gap: str
    eps: float
    tolerance: float
    finders: tuple[str, ...]
    numbers: Int[np.ndarray, " m"]
    strengths: Float[np.ndarray, " m"]
    stretches: Float[np.ndarray, " m"]
    digests: tuple[str, ...]
    excess: Float[np.ndarray, " m"]
    noise: Float[np.ndarray, " m"]
    counts: Float[np.ndarray, "m s g 2 2"]
    accuracy: Float[np.ndarray, "m s 3"]
    gaps: Float[np.ndarray, "m s q 3"]
    accuracy_change: Float[np.ndarray, "m s 3"]
    change: Float[np.ndarray, "m s q 3"]
    covariance: Float[np.ndarray, "m s q 3"]
    beats: Float[np.ndarray, "m s q"]
    front: Bool[np.ndarray, "m s q"]
    chance: Float[np.ndarray, "m s q"]
    chosen: Int[np.ndarray, " q"]
    ends: Int[np.ndarray, "q 2"]
    width: Float[np.ndarray, "q s 3"]
    overlap: int
    draws: int
    compared: tuple[str, ...]
    features: tuple[str, ...]
    importance: Float[np.ndarray, "v d 3"]
    causes: Float[np.ndarray, "v d 3"]
    importance_change: Float[np.ndarray, "w d 3"]
    causes_change: Float[np.ndarray, "w d 3"]
    n_explained: int
    read: tuple[str, ...] = ()
    held: Float[np.ndarray, "u q"] = field(default_factory=lambda: np.zeros((0, len(GAPS))))
    swayed: Float[np.ndarray, " u"] = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        m, g, q, d = len(self.finders), len(self.groups), len(GAPS), len(self.features)
        v = len(self.importance)
        each = dict.fromkeys(("numbers", "strengths", "stretches", "excess", "noise"), (m,))
        both = dict.fromkeys(("beats", "front", "chance"), (m, 2, q))
        pairs = dict.fromkeys(("accuracy", "accuracy_change"), (m, 2, 3))
        of_gaps = dict.fromkeys(("gaps", "change", "covariance"), (m, 2, q, 3))
        self._check_shapes(
            f"A front of {m} models and {g} groups",
            {
                "counts": (m, 2, g, 2, 2), "chosen": (q,), "ends": (q, 2), "width": (q, 2, 3),
                "importance": (v, d, 3), "causes": (v, d, 3),
                "importance_change": (max(0, v - 1), d, 3),
                "causes_change": (max(0, v - 1), d, 3), "held": (len(self.swayed), q),
                **each, **both, **pairs, **of_gaps,
            },
        )  # fmt: skip
        if not m or self.finders[0] != GIVEN or not set(self.finders) <= FINDERS.keys():
            raise InvalidInputError("The models of a front start with the given one.")
        places = {*self.chosen.tolist(), *self.ends.ravel().tolist()}
        if self.gap not in GAPS or not NONE <= min(places) <= max(places) < m:
            raise InvalidInputError("A front names a gap or a model that it has not.")

    def __len__(self) -> int:
        return len(self.finders)

    @property
    def at(self) -> int:
        """Position of the gap in question."""
        return list(GAPS).index(self.gap)

    def gap_index(self, name: str | None) -> int:
        """Return the position of a gap, by default of the one in question.

        Raises
        ------
        InvalidInputError
            If there is none of that name.
        """
        if name is None:
            return self.at
        if name not in GAPS:
            raise InvalidInputError(f"There is no gap {name!r}; choose one of {', '.join(GAPS)}.")
        return list(GAPS).index(name)

    @cached_property
    def within(self) -> Bool[np.ndarray, " m"]:
        """Whether a model loses at most ``eps`` of accuracy on the validation rows."""
        found: np.ndarray = within_eps(self.accuracy[:, VALIDATION, 0], self.eps)
        return found

    def confirmed(self, q: int) -> bool:
        """Tell whether the rows reported on confirm that the chosen model has a smaller gap.

        They do if the search has seen none of them and the whole 95 % interval of the change is
        below 0. No correction is due: they had no say in the choice.
        """
        m = int(self.chosen[q])
        return m != NONE and not self.overlap and bool(self.change[m, REPORTED, q, 2] < 0)

    def through(self, q: int) -> float:
        """Return how much of the change of a gap is gone once the columns tell nothing.

        NaN where that was not asked, the gap is undefined, or there is no alternative.
        """
        if len(self.swayed) < 2 or self.chosen[q] != self.chosen[self.at]:
            return float("nan")
        away = np.abs(self.held[:, q] - list(GAPS.values())[q].none)
        whole = self.change[self.chosen[q], REPORTED, q, 0]
        return float(whole - (away[1] - away[0]))

    def name(self, m: int) -> str:
        """Name a model."""
        finder = FINDERS[self.finders[m]]
        return finder if m == 0 else f"{finder}, number {self.numbers[m]}"

    def to_frame(self) -> "pd.DataFrame":
        """Return one line for each model, gap and set of rows.

        Columns: model, finder, number, strength, stretch, excess, within, rows, accuracy (with
        low, high), gap, value (with low, high), change (with low, high), on_front,
        chance_on_front, beats_given, chosen.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = [
            (
                m, self.finders[m], self.numbers[m], self.strengths[m], self.stretches[m],
                self.excess[m], bool(self.within[m]), rows, *self.accuracy[m, s], gap,
                *self.gaps[m, s, q], *self.change[m, s, q], bool(self.front[m, s, q]),
                self.chance[m, s, q], self.beats[m, s, q], bool(self.chosen[q] == m),
            )
            for m in range(len(self))
            for s, rows in enumerate(SPLITS)
            for q, gap in enumerate(GAPS)
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=[
            "model", "finder", "number", "strength", "stretch", "excess", "within", "rows",
            "accuracy", "accuracy_low", "accuracy_high", "gap", "value", "low", "high", "change",
            "change_low", "change_high", "on_front", "chance_on_front", "beats_given", "chosen",
        ])  # fmt: skip


def within_eps(accuracy: Float[np.ndarray, " m"], eps: float) -> Bool[np.ndarray, " m"]:
    """Tell which models lose at most ``eps`` of the first one's accuracy, rounding aside."""
    found: np.ndarray = accuracy >= accuracy[0] - eps - 1e-12
    return found
