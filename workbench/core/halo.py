"""Models that read two or three features on other scales, around the edge of what is as good."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from workbench.core.errors import InvalidInputError
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
DIRECTIONS = ("down", "up")


class Spread(NamedTuple):
    """Score of a set in the given model, and its least and greatest over models as good."""

    reference: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Halo(Result):
    r"""What models say of sets of features that weigh these features otherwise.

    A member of the *input-scaling family* is :math:`f(m \cdot x)`: the given model with every
    feature multiplied by a mask of its own. For each feature alone the search finds the mask at
    which the loss has risen by a share of the tolerance; joint models take such masks for all
    features of a set at once, with shares that add up to the whole tolerance. Where features do
    nothing together, the loss of a joint model rises by just the tolerance.

    The family depends on where each feature has its 0: what is shifted, with a model that makes up
    for it, has another family.

    Axes: ``s`` sets; ``v`` joint models of a set, in the order of their angle for pairs; ``o``
    features of a set, two or three; ``d`` features; ``b`` budgets, from 0 to the whole tolerance.

    Attributes
    ----------
    sets
        Positions of the features of each set.
    shares
        Of the tolerance that each feature of a joint model may use up alone, the same for all
        sets; they add up to 1.
    signs
        Whether the mask of a feature is below 1 (-1) or above (1), likewise.
    masks
        Of each joint model; NaN where a feature has no boundary, and then all numbers of the model
        are NaN.
    excess, excess_std_errors
        Loss of a joint model above that of the given one, and the error of that difference from
        the choice of rows.
    scores, scores_std_errors
        Score in the loss of a set in each joint model: the rise of the loss when all features of
        the set are taken from other rows, less the rises for each alone.
    reference_scores, reference_scores_std_errors
        The same in the given model.
    reference_loss
        Of the given model on these rows.
    tolerance
        By how much the loss of a model that counts as equally good may exceed it.
    budgets
        Shares of the tolerance for which boundaries of single features are known.
    boundaries
        Mask of each feature alone, down and up, at which the loss has risen by each budget;
        infinite where it never does, NaN where the feature does not matter or cannot be scaled.
    main_effects
        Rise of the loss when the feature is taken from other rows, in the model at each boundary;
        NaN for features of no set.
    loss_unit
        Of a loss; empty for a target without a unit.
    """

    kind: ClassVar[str] = "halo"

    sets: Int[np.ndarray, "s o"]
    shares: Float[np.ndarray, "v o"]
    signs: Int[np.ndarray, "v o"]
    masks: Float[np.ndarray, "s v o"]
    excess: Float[np.ndarray, "s v"]
    excess_std_errors: Float[np.ndarray, "s v"]
    scores: Float[np.ndarray, "s v"]
    scores_std_errors: Float[np.ndarray, "s v"]
    reference_scores: Float[np.ndarray, " s"]
    reference_scores_std_errors: Float[np.ndarray, " s"]
    reference_loss: float
    tolerance: float
    budgets: Float[np.ndarray, " b"]
    boundaries: Float[np.ndarray, "d 2 b"]
    main_effects: Float[np.ndarray, "d 2 b"]
    schema: Schema
    loss_unit: str

    def __post_init__(self) -> None:
        (s, v, o), d, b = self.masks.shape, len(self.schema.features), len(self.budgets)
        self._check_shapes(
            f"A halo of {s} sets of {o} features in {v} joint models",
            {
                "sets": (s, o), "shares": (v, o), "signs": (v, o), "excess": (s, v),
                "excess_std_errors": (s, v), "scores": (s, v), "scores_std_errors": (s, v),
                "reference_scores": (s,), "reference_scores_std_errors": (s,),
                "boundaries": (d, 2, b), "main_effects": (d, 2, b),
            },
        )  # fmt: skip
        if o not in {2, 3} or not s or not v:
            raise InvalidInputError(
                f"A halo is about sets of two or three features, got {s} sets of {o}."
            )
        if not (self.sets.min() >= 0 and self.sets.max() < d):
            raise InvalidInputError(f"A set names a feature that is not among the {d} there are.")
        if not (np.isfinite(self.tolerance) and self.tolerance > 0):
            raise InvalidInputError(f"A tolerance is above 0, got {self.tolerance}.")

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    @property
    def order(self) -> int:
        """How many features a set has."""
        return self.sets.shape[1]

    @cached_property
    def set_names(self) -> tuple[tuple[str, ...], ...]:
        """Names of the features of each set."""
        names = self.names
        return tuple(tuple(names[i] for i in one) for one in self.sets.tolist())

    @property
    def known(self) -> Bool[np.ndarray, "s v"]:
        """Joint models whose masks are known."""
        known: np.ndarray = np.isfinite(self.masks).all(2)
        return known

    @property
    def members(self) -> Bool[np.ndarray, "s v"]:
        """Joint models that are equally good: their own loss is within the tolerance."""
        members: np.ndarray = self.known & (self.excess <= self.tolerance)
        return members

    @property
    def outside(self) -> float:
        """Share of the known joint models that are not equally good; NaN where none is known."""
        known = int(self.known.sum())
        return 1 - int(self.members.sum()) / known if known else float("nan")

    @property
    def directions(self) -> Float[np.ndarray, "v o"]:
        """Where each joint model lies, as seen from the given one: vectors of length 1."""
        signed: np.ndarray = self.shares * self.signs
        return signed / np.linalg.norm(signed, axis=1, keepdims=True)

    def place(self, *features: str) -> int:
        """Return the position of the set of these features, in any order.

        Raises
        ------
        DataError
            If there is no such feature.
        InvalidInputError
            If the set was not looked at.
        """
        wanted = sorted(self.schema.index(name) for name in features)
        for place, one in enumerate(self.sets):
            if sorted(one.tolist()) == wanted:
                return place
        raise InvalidInputError(
            f"The set {', '.join(features)} was not looked at; choose one of 'set_names', or run "
            "again with these features as 'pair'."
        )

    def spread(self, place: int) -> Spread:
        """Return the range of a set's score over the models of the family that are as good.

        The given model is one of them.
        """
        own = float(self.reference_scores[place])
        found = np.append(self.scores[place, self.members[place]], own)
        return Spread(own, float(found.min()), float(found.max()))

    def to_frame(self) -> "pd.DataFrame":
        """One line per set and joint model.

        Columns: ``feature``, ``other``, ``third`` (empty for a pair); for each of them ``share``,
        ``direction`` and ``mask``, with ``_other`` and ``_third`` behind the name; ``excess``,
        ``excess_std_error``, ``tolerances`` (the excess as a multiple of the tolerance),
        ``member`` (whether the model is equally good), ``score``, ``score_std_error``,
        ``score_low``, ``score_high`` (95 %), ``reference_score``, ``loss_unit``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        s, v, _ = self.masks.shape
        columns: dict[str, object] = {}
        names = np.array(self.set_names, dtype=object)
        for at, name in enumerate(("feature", "other", "third")):
            columns[name] = np.repeat(names[:, at], v) if at < self.order else ""
        for at, end in enumerate(("", "_other", "_third")[: self.order]):
            said = np.array(DIRECTIONS, dtype=object)[(self.signs[:, at] > 0).astype(int)]
            columns[f"share{end}"] = np.tile(self.shares[:, at], s)
            columns[f"direction{end}"] = np.tile(said, s)
            columns[f"mask{end}"] = self.masks[:, :, at].ravel()
        half = float(stats.norm.ppf(0.5 + LEVEL / 2)) * self.scores_std_errors
        return pd.DataFrame({
            **columns,
            "excess": self.excess.ravel(),
            "excess_std_error": self.excess_std_errors.ravel(),
            "tolerances": self.excess.ravel() / self.tolerance,
            "member": self.members.ravel(),
            "score": self.scores.ravel(),
            "score_std_error": self.scores_std_errors.ravel(),
            "score_low": (self.scores - half).ravel(),
            "score_high": (self.scores + half).ravel(),
            "reference_score": np.repeat(self.reference_scores, v),
            "loss_unit": self.loss_unit,
        })
