"""What several detectors of interactions say of the pairs of features of one model."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from workbench.core.errors import InvalidInputError
from workbench.core.outputs import find_output
from workbench.core.result import Result
from workbench.core.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

Locality = Literal["global", "mean of local"]
# Pairs in common below which ranks are not held against each other.
FEWEST_PAIRS = 3
# No pair, where a detector finds none.
NOWHERE = -1


class Kind(NamedTuple):
    """A detector as people know it, and what its strengths are: one number, or a mean over rows."""

    title: str
    locality: Locality


KINDS: Mapping[str, Kind] = {
    "mixed-difference": Kind("mixed difference", "global"),
    "loss": Kind("score in the loss (FIS)", "global"),
    "contexts": Kind("contexts (ArchDetect)", "mean of local"),
    "weights": Kind("weights (NID)", "global"),
    "friedman": Kind("Friedman's H²", "global"),
    "friedman-root": Kind("Friedman's root", "global"),
    "integrated-hessians": Kind("integrated Hessians", "mean of local"),
    "cross-hessian": Kind("cross-Hessian", "mean of local"),
    "shapley": Kind("Shapley interactions (k-SII)", "mean of local"),
}


@dataclass(frozen=True, eq=False)
class Detectors(Result):
    """Strengths of pairs of features by several detectors, each in a unit of its own.

    Axes: ``c`` detectors, ``s`` pairs, ``k`` outputs. Strengths of two detectors are not numbers
    of one scale: what can be compared are ranks.

    Attributes
    ----------
    pairs
        Positions of both features.
    detectors
        Their names, as in ``KINDS``.
    strengths
        Never negative; NaN where a detector does not know a pair, exactly 0 below rounding.
    signed
        Effect with its sign, where the detector has one; NaN where not.
    std_errors
        Standard error of the strength from the choice of rows, where known; else NaN.
    seconds, evaluations, gradients
        What each would take alone: time, rows through the network, and rows that slopes went back
        through. Detectors that come out of one run each have the whole of it.
    shared
        Number of the run that a detector came out of; the same where they shared one.
    units
        Of the strengths of each detector; empty for a pure number.
    left_out
        Detectors that were left out, each with the reason.
    mean_predictions
        Mean over the rows of what the model says.
    n_possible
        Pairs that there are; more than those among ``pairs`` where pairs were screened.
    unit
        Of an output.
    smoothing
        By how far the smoothed network, of which Hessians are taken, differs from the given one:
        root mean square, as a share of the spread of the output; None where there was none.
    missed
        How far integrated Hessians miss the difference that they should add up to, as a share of
        it; None where there are none.
    """

    kind: ClassVar[str] = "detectors"

    pairs: Int[np.ndarray, "s 2"]
    detectors: tuple[str, ...]
    strengths: Float[np.ndarray, "c s k"]
    signed: Float[np.ndarray, "c s k"]
    std_errors: Float[np.ndarray, "c s k"]
    seconds: Float[np.ndarray, " c"]
    evaluations: Int[np.ndarray, " c"]
    gradients: Int[np.ndarray, " c"]
    shared: Int[np.ndarray, " c"]
    units: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    mean_predictions: Float[np.ndarray, " k"]
    n_possible: int
    schema: Schema
    output_names: tuple[str, ...]
    unit: str
    smoothing: float | None = None
    missed: float | None = None

    def __post_init__(self) -> None:
        (c, s, k), d = self.strengths.shape, len(self.schema.features)
        self._check_shapes(
            f"A result of {c} detectors, {s} pairs and {k} outputs",
            {
                "pairs": (s, 2), "signed": (c, s, k), "std_errors": (c, s, k), "seconds": (c,),
                "evaluations": (c,), "gradients": (c,), "shared": (c,), "mean_predictions": (k,),
            },
        )  # fmt: skip
        if {len(self.detectors), len(self.units)} != {c} or len(self.output_names) != k or not c:
            raise InvalidInputError(
                f"Strengths by {c} detectors of {k} outputs do not fit their names and units."
            )
        if unknown := [name for name in self.detectors if name not in KINDS]:
            raise InvalidInputError(
                f"There is no detector {unknown[0]!r}; choose among {', '.join(KINDS)}."
            )
        if s and not (self.pairs.min() >= 0 and self.pairs.max() < d):
            raise InvalidInputError(f"A pair names a feature that is not among the {d} there are.")

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, as the user's columns are called."""
        return self.schema.names

    @cached_property
    def pair_names(self) -> tuple[str, ...]:
        """Each pair as ``a and b``."""
        names = self.names
        return tuple(f"{names[i]} and {names[j]}" for i, j in self.pairs.tolist())

    @property
    def titles(self) -> tuple[str, ...]:
        """What people call each detector."""
        return tuple(KINDS[name].title for name in self.detectors)

    @property
    def localities(self) -> tuple[Locality, ...]:
        """Whether each strength is one number of the model or a mean of one for each row."""
        return tuple(KINDS[name].locality for name in self.detectors)

    def output_index(self, output: str | int | None) -> int:
        """Return the position of an output, as ``core.outputs.find_output`` does.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        return find_output(output, self.schema, self.output_names, self.mean_predictions[None])

    def relative(self, output: str | int | None = None) -> Float[np.ndarray, "c s"]:
        """Strengths as shares of the largest of their detector; 0 where it found nothing.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        found = self.strengths[:, :, self.output_index(output)]
        most = np.nan_to_num(found).max(1, initial=0.0)[:, None]
        shares: np.ndarray = found / np.where(most > 0, most, 1)
        return shares

    def ranks(self, output: str | int | None = None) -> Float[np.ndarray, "c s"]:
        """Rank of each pair by each detector, 1 for the strongest; NaN where not known.

        Equally strong pairs share the best of their ranks.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        strengths = self.strengths[:, :, self.output_index(output)]
        ranks: np.ndarray = stats.rankdata(-strengths, "min", axis=1, nan_policy="omit")
        return ranks.astype(np.float64)

    def firsts(self, output: str | int | None = None) -> Int[np.ndarray, " c"]:
        """Position of the strongest pair of each detector; ``NOWHERE`` where it found none.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        strengths = np.nan_to_num(self.strengths[:, :, self.output_index(output)])
        if not strengths.shape[1]:
            return np.full(len(strengths), NOWHERE)
        firsts: np.ndarray = np.where(strengths.max(1) > 0, strengths.argmax(1), NOWHERE)
        return firsts

    def order(self, output: str | int | None = None) -> Int[np.ndarray, " s"]:
        """Return the positions of the pairs by their middle rank over the detectors, best first.

        A rank counts as a share of the pairs that its detector knows; detectors that found nothing
        have no say. The middle one (median), so that one detector that is alone with what it says
        does not decide; pairs with the same come by their mean rank.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        voting = self.firsts(output) != NOWHERE
        if not voting.any():
            return np.arange(len(self.pairs))
        ranks = self.ranks(output)[voting]
        known = np.isfinite(ranks)
        shares = np.where(known, ranks, np.nan) / np.maximum(known.sum(1), 1)[:, None]
        some = known.any(0)
        middle, mean = np.full((2, len(self.pairs)), np.inf)
        middle[some] = np.nanmedian(shares[:, some], axis=0)
        mean[some] = np.nanmean(shares[:, some], axis=0)
        order: np.ndarray = np.lexsort((mean, middle))
        return order

    def correlations(self, output: str | int | None = None) -> Float[np.ndarray, "c c"]:
        """Spearman's correlation of the strengths of each two detectors over pairs both know.

        NaN below three such pairs, or where one of them has the same strength for all.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        strengths = self.strengths[:, :, self.output_index(output)]
        c = len(strengths)
        found = np.full((c, c), np.nan)
        for i in range(c):
            for j in range(i + 1):
                both = np.isfinite(strengths[i]) & np.isfinite(strengths[j])
                one, other = (stats.rankdata(strengths[at, both]) for at in (i, j))
                if both.sum() >= FEWEST_PAIRS and np.ptp(one) > 0 and np.ptp(other) > 0:
                    found[i, j] = found[j, i] = np.corrcoef(one, other)[0, 1]
        return found

    def overlaps(self, k: int = 5, output: str | int | None = None) -> Float[np.ndarray, "c c"]:
        """Share of the ``k`` strongest pairs of one detector that are so of the other as well.

        Over the pairs that both know; of fewer than ``k`` of them with a strength, as many as both
        have. NaN where that is none, or all that both know.

        Raises
        ------
        InvalidInputError
            If there is no such output, or ``k`` is below 1.
        """
        if k < 1:
            raise InvalidInputError(f"An overlap is of at least 1 pair, got {k}.")
        strengths = self.strengths[:, :, self.output_index(output)]
        c = len(strengths)
        found = np.full((c, c), np.nan)
        for i in range(c):
            for j in range(i + 1):
                both = np.flatnonzero(np.isfinite(strengths[i]) & np.isfinite(strengths[j]))
                n = min(k, *(int((strengths[at, both] > 0).sum()) for at in (i, j)))
                if 0 < n < len(both):
                    one, other = (
                        set(np.argsort(-strengths[at, both], kind="stable")[:n]) for at in (i, j)
                    )
                    found[i, j] = found[j, i] = len(one & other) / n
        return found

    def top(self, k: int = 10, output: str | int | None = None) -> "pd.DataFrame":
        """Return the ``k`` pairs of the best middle rank, and their rank by each detector.

        Columns: ``pair``, then one for each detector by its name; NaN where it does not know the
        pair or found nothing.

        Raises
        ------
        InvalidInputError
            If there is no such output.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        chosen = self.order(output)[:k]
        ranks = np.where((self.firsts(output) == NOWHERE)[:, None], np.nan, self.ranks(output))
        names = self.pair_names
        return pd.DataFrame({
            "pair": [names[at] for at in chosen],
            **{name: ranks[at, chosen] for at, name in enumerate(self.detectors)},
        })

    def costs(self) -> "pd.DataFrame":
        """One line per detector: what it would take alone.

        Columns: ``detector``, ``title``, ``seconds``, ``evaluations``, ``gradients``, ``shared``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        return pd.DataFrame({
            "detector": list(self.detectors), "title": list(self.titles), "seconds": self.seconds,
            "evaluations": self.evaluations, "gradients": self.gradients, "shared": self.shared,
        })  # fmt: skip

    def to_frame(self) -> "pd.DataFrame":
        """One line per output, detector and pair.

        Columns: ``output``, ``detector``, ``title``, ``feature``, ``other``, ``strength``,
        ``relative`` (to the strongest of the detector), ``rank``, ``signed``, ``std_error`` (NaN
        where unknown), ``unit``, ``locality``, ``seconds``, ``evaluations``, ``gradients`` (of the
        detector).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        c, s, k = self.strengths.shape
        names = np.array(self.names, dtype=object)

        def by_detector(values: "tuple[str, ...] | np.ndarray") -> np.ndarray:
            return np.tile(np.repeat(np.array(values, dtype=object), s), k)

        def flat(array: np.ndarray) -> np.ndarray:
            return array.transpose(2, 0, 1).reshape(-1)

        relative, ranks = (
            np.stack([of(output) for output in range(k)]).reshape(-1)
            for of in (self.relative, self.ranks)
        )
        frame = pd.DataFrame({
            "output": np.repeat(np.array(self.output_names, dtype=object), c * s),
            "detector": by_detector(self.detectors),
            "title": by_detector(self.titles),
            "feature": np.tile(names[self.pairs[:, 0]], c * k),
            "other": np.tile(names[self.pairs[:, 1]], c * k),
            "strength": flat(self.strengths),
            "relative": relative,
            "rank": ranks,
            "signed": flat(self.signed),
            "std_error": flat(self.std_errors),
            "unit": by_detector(self.units),
            "locality": by_detector(self.localities),
        })
        cost = {name: getattr(self, name) for name in ("seconds", "evaluations", "gradients")}
        return frame.assign(**{
            name: np.tile(np.repeat(values, s), k) for name, values in cost.items()
        })
