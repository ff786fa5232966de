"""What lessens the disagreement of equally good models: averaging, choosing, and abstaining."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.counter_rng import stream
from workbench.core.decisions import support
from workbench.core.errors import InvalidInputError
from workbench.core.outputs import OfOutputs
from workbench.core.rashomon import EXPLORERS, METRICS
from workbench.core.result import Result, Rows
from workbench.core.schema import Schema, listing

if TYPE_CHECKING:
    import pandas as pd

# Ensembles held against each other; every other judge changes the members of each ensemble.
DRAWN = "drawn"
MEASURED = ("ambiguity", "obscurity", "width")
BOOTSTRAPS, POINTS = 500, 100


class Abstention(NamedTuple):
    """Accuracy on the rows that are decided, when the least certain ones are refused.

    Attributes
    ----------
    coverage
        Share of rows that are decided, ascending to 1.
    by_set, by_confidence
        Accuracy where rows are refused whose decision equally good models support least, and
        where those are that the given model itself supports least.
    difference
        The first minus the second, with its 95 % interval over rows.
    """

    coverage: Float[np.ndarray, " g"]
    by_set: Float[np.ndarray, " g"]
    by_confidence: Float[np.ndarray, " g"]
    difference: Float[np.ndarray, "g 3"]


@dataclass(frozen=True, eq=False)
class Mitigation(OfOutputs, Result):
    """How far averaging near-copies, choosing among trainings and abstaining lessen disagreement.

    An ensemble is the mean output of several admitted near-copies. It stands for the model in
    use; a judge looks for models as good as the ensemble by changing all of its members at once,
    each to where the ensemble's loss reaches the tolerance. ``drawn`` instead holds ensembles of
    a size against each other, which differ less the larger they are by construction.

    Axes: ``j`` judges, ``s`` sizes, ``q`` metrics, ``n`` rows, ``k`` outputs, ``c`` candidates.

    Attributes
    ----------
    tolerance
        In units of the loss.
    builder
        Explorer that found the members, a key of ``EXPLORERS``.
    judges
        ``drawn``, or explorers that ensembles are judged by; those after the second did not take
        part in building.
    sizes
        Members of an ensemble; the first is 1, a single near-copy.
    metrics
        Each of ``MEASURED`` with its 95 % interval over ensembles and rows; NaN where a size was
        not judged.
    reduction
        The share by which it is below that of a single model, likewise, rows being the same.
    sets
        Ensembles (of ``drawn``: sets of ensembles) that the numbers are means over.
    models
        Near-copies of each ensemble, or ensembles of each set, that are held against each other.
    at_boundary
        Share of a judge's near-copies that reach the tolerance; the others stay within it however
        far they are moved.
    excess
        Excess loss of ensembles on admission rows: mean, least, greatest.
    accuracy
        Mean share of rows that ensembles decide rightly; NaN for a regression.
    candidate_*
        Models trained again: loss on admission rows in excess of the best candidate's with its
        paired standard error, accuracy, and ``MEASURED`` under the last judge.
    eligible
        Candidates whose loss is within two paired standard errors of the best one's.
    stability
        Kendall's tau of the eligible candidates' order by each metric with the order over
        resampled rows: mean, and 2.5 and 97.5 % quantiles.
    remark
        Why there are no candidates, or how those that there are are to be read.
    least_support
        Least support of the given model's decision among admitted near-copies; below 0 some
        decides otherwise. NaN for a regression.
    admitted
        How many near-copies that is the least of.
    """

    kind: ClassVar[str] = "mitigation"

    tolerance: float
    builder: str
    judges: tuple[str, ...]
    sizes: Int[np.ndarray, " s"]
    metrics: Float[np.ndarray, "j s 3 3"]
    reduction: Float[np.ndarray, "j s 3 3"]
    sets: Int[np.ndarray, "j s"]
    models: Int[np.ndarray, "j s"]
    at_boundary: Float[np.ndarray, "j s"]
    excess: Float[np.ndarray, "s 3"]
    accuracy: Float[np.ndarray, " s"]
    candidate_names: tuple[str, ...]
    candidate_excess: Float[np.ndarray, " c"]
    candidate_noise: Float[np.ndarray, " c"]
    candidate_accuracy: Float[np.ndarray, " c"]
    candidate_metrics: Float[np.ndarray, "c 3"]
    eligible: Bool[np.ndarray, " c"]
    stability: Float[np.ndarray, "3 3"]
    remark: str
    least_support: Float[np.ndarray, " n"]
    admitted: int
    loss_name: str
    base_loss: float
    admission: str
    n_admission: int
    predictions: Float[np.ndarray, "n k"]
    data: Float[np.ndarray, "n d"]
    ids: Int[np.ndarray, " n"]
    truth: Float[np.ndarray, " n"]
    schema: Schema
    output_names: tuple[str, ...]
    unit: str

    def __post_init__(self) -> None:
        j, s, c, n = len(self.judges), len(self.sizes), len(self.candidate_names), len(self.ids)
        q, d, k = len(MEASURED), len(self.schema.features), len(self.output_names)
        shapes = {
            "metrics": (j, s, q, 3), "reduction": (j, s, q, 3), "sets": (j, s), "models": (j, s),
            "at_boundary": (j, s), "excess": (s, 3), "accuracy": (s,), "candidate_excess": (c,),
            "candidate_noise": (c,), "candidate_accuracy": (c,), "candidate_metrics": (c, q),
            "eligible": (c,), "stability": (q, 3), "least_support": (n,), "predictions": (n, k),
            "data": (n, d), "truth": (n,),
        }  # fmt: skip
        self._check_shapes(f"Mitigation with {j} judges and {s} sizes", shapes)
        if not {self.builder, *self.judges} - {DRAWN} <= set(EXPLORERS):
            raise InvalidInputError("An explorer in the result is not known to this version.")
        if not s or self.sizes[0] != 1 or not (np.diff(self.sizes) > 0).all():
            raise InvalidInputError("Sizes of ensembles have to start at 1 and ascend.")

    def __len__(self) -> int:
        return len(self.predictions)

    def __getitem__(self, rows: Rows) -> "Mitigation":
        """Select rows; a single number keeps the row axis. Metrics stay those of all rows."""
        return self._of_rows(rows, ("predictions", "data", "ids", "truth", "least_support"))

    @property
    def classifies(self) -> bool:
        """Whether the model decides for a class."""
        return self.schema.n_classes > 0

    @property
    def independent(self) -> tuple[str, ...]:
        """Judges that did not take part in building."""
        return tuple(judge for judge in self.judges if judge not in {DRAWN, self.builder})

    @property
    def margins(self) -> Float[np.ndarray, " n"]:
        """Support of the given model's own decision; NaN for a regression."""
        if not self.classifies:
            return np.full(len(self), np.nan)
        return support(self.predictions, self.predictions.argmax(1))

    @property
    def refused(self) -> Bool[np.ndarray, " n"]:
        """Rows for which some admitted near-copy decides otherwise."""
        return self.least_support < 0

    def judge_index(self, judge: str) -> int:
        """Return the position of a judge.

        Raises
        ------
        InvalidInputError
            If it did not take part.
        """
        if judge not in self.judges:
            raise InvalidInputError(
                f"There is no judge {judge!r} here; choose one of {listing(self.judges, 20)}."
            )
        return self.judges.index(judge)

    def metric_index(self, metric: str) -> int:
        """Return the position of a metric.

        Raises
        ------
        InvalidInputError
            If it is not one of ``MEASURED``.
        """
        if metric not in MEASURED:
            raise InvalidInputError(
                f"There is no metric {metric!r} here; choose one of {listing(MEASURED)}."
            )
        return MEASURED.index(metric)

    def best_candidate(self, metric: str = "obscurity") -> int | None:
        """Return the eligible candidate with the least of a metric; None where there is none."""
        values = np.where(
            self.eligible, self.candidate_metrics[:, self.metric_index(metric)], np.nan
        )
        return None if np.isnan(values).all() else int(np.nanargmin(values))

    def abstention(self) -> Abstention:
        """Return accuracy against coverage, from refusing nearly all rows to refusing none.

        Rows of equal support are refused in their order. Intervals are percentiles of 500
        resamples of the rows, orders made anew; all of it is NaN for a regression.
        """
        n = len(self)
        counts = np.unique(np.linspace(1, n, min(n, POINTS)).round().astype(int))
        if not self.classifies:
            nothing = np.full(len(counts), np.nan)
            return Abstention(counts / n, nothing, nothing, np.full((len(counts), 3), np.nan))
        right = (self.predictions.argmax(1) == self.truth).astype(float)

        def curves(rows: Int[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
            by_set, by_confidence = (
                _accuracy(right[rows], key[rows], counts)
                for key in (self.least_support, self.margins)
            )
            return by_set, by_confidence

        by_set, by_confidence = curves(np.arange(n))
        drawn = [curves(rows) for rows in stream(0, n).integers(0, n, (BOOTSTRAPS, n))]
        away = np.array([one - other for one, other in drawn])
        low, high = np.percentile(away, (2.5, 97.5), axis=0)
        difference = np.stack([by_set - by_confidence, low, high], 1)
        return Abstention(counts / n, by_set, by_confidence, difference)

    def to_frame(self) -> "pd.DataFrame":
        """One line per judge, size and metric.

        Columns: ``judge``, ``independent`` (of building), ``size``, ``metric``, ``value`` with
        ``low`` and ``high`` (95 %, over ensembles and rows), ``reduction`` against a single model
        with ``reduction_low`` and ``reduction_high``, ``sets``, ``models``, ``excess`` (loss of
        the ensemble over the given model's), ``accuracy``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        lines = [
            (
                judge, judge in self.independent, size, METRICS[metric], *self.metrics[j, s, q],
                *self.reduction[j, s, q], self.sets[j, s], self.models[j, s], self.excess[s, 0],
                self.accuracy[s],
            )
            for j, judge in enumerate(self.judges)
            for s, size in enumerate(self.sizes)
            for q, metric in enumerate(MEASURED)
        ]  # fmt: skip
        columns = [
            "judge", "independent", "size", "metric", "value", "low", "high", "reduction",
            "reduction_low", "reduction_high", "sets", "models", "excess", "accuracy",
        ]  # fmt: skip
        return pd.DataFrame(lines, columns=columns)

    def candidates_frame(self) -> "pd.DataFrame":
        """One line per candidate, those that can be chosen and disagree least first.

        Columns: ``candidate``, ``excess`` loss over the best one's, ``noise`` (its paired standard
        error), ``eligible``, ``accuracy``, and each of ``MEASURED``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        frame = pd.DataFrame({
            "candidate": list(self.candidate_names), "excess": self.candidate_excess,
            "noise": self.candidate_noise, "eligible": self.eligible,
            "accuracy": self.candidate_accuracy,
        })  # fmt: skip
        for q, metric in enumerate(MEASURED):
            frame[metric] = self.candidate_metrics[:, q]
        by = "obscurity" if self.classifies else "width"
        return frame.sort_values(["eligible", by], ascending=[False, True], ignore_index=True)


def _accuracy(
    right: Float[np.ndarray, " n"], key: Float[np.ndarray, " n"], counts: Int[np.ndarray, " g"]
) -> Float[np.ndarray, " g"]:
    """Return the mean over so many rows with the largest keys."""
    kept = np.cumsum(right[np.argsort(-key, kind="stable")])
    found: np.ndarray = kept[counts - 1] / counts
    return found
