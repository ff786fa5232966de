"""How good a model is on labelled rows, and how sure that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.result import Result
from workbench.core.schema import Schema, listing

if TYPE_CHECKING:
    import pandas as pd

CLASS_METRICS = ("precision", "recall", "F1")
AREAS = ("ROC AUC", "average precision")
Curve = Literal["roc", "pr"]


class Measure(NamedTuple):
    """A number with its interval; NaN with a reason in ``note`` where it is not defined."""

    name: str
    value: float
    low: float
    high: float
    interval: str
    n: int
    of: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class Performance(Result):
    """Metrics of a model on labelled rows, with what figures of them are drawn from.

    What is not defined, such as the recall of a class without rows, is NaN with a reason in
    ``undefined``, never 0. A share counts each row by its weight where the table has weights.

    Attributes
    ----------
    level
        Of every interval.
    threshold
        Of two classes the favourable (else the last) is predicted from this probability on.
    trained_on
        Name of the table that the model was trained on, as its card says.
    weighted
        Whether rows count by the weights of the table.
    effective_rows
        Rows of equal weight that tell as much; the number of rows where they are not weighted.
    metrics
        Value, low and high of each of ``metric_names``.
    metric_n
        Rows that the metric rests on.
    undefined
        For a metric, or ``metric of class``, that is NaN: the reason.
    confusion
        Rows by true and by predicted class.
    confusion_shares
        The same as shares of all rows, each by its weight.
    class_metrics
        By class: value, low and high of precision, recall and F1.
    curve_names
        Classes with curves: of two classes the one that ``threshold`` is about, of more each
        against the others.
    areas
        By curve: value, low and high of the area under the ROC curve and of average precision.
    roc, pr
        Points of all curves one after another: false and true positive rate, or recall and
        precision, and the lowest probability that is called positive there (infinite at the
        start of a ROC curve). Reduced to at most 512 points a curve.
    roc_starts, pr_starts
        Where each curve starts, and the end of the last.
    calibration
        By bin of about equal numbers of rows: mean predicted, observed share, low and high.
    calibration_noise
        Standard deviation of an observed share if the probabilities were right.
    calibration_of
        Whose probability it is.
    histogram_edges, histogram_counts
        Of that probability; for a regression of the residuals.
    residuals
        By group of about equal numbers of rows with similar predictions: mean predicted, and the
        5, 25, 50, 75 and 95 % quantiles of truth minus prediction.
    sample
        Truth and prediction of up to 2,000 rows, drawn at random.
    """

    kind: ClassVar[str] = "performance"

    schema: Schema
    output_names: tuple[str, ...]
    level: float
    threshold: float
    trained_on: str
    weighted: bool
    effective_rows: float
    metric_names: tuple[str, ...]
    metrics: Float[np.ndarray, "m 3"]
    metric_n: Int[np.ndarray, " m"]
    metric_intervals: tuple[str, ...]
    undefined: dict[str, str]
    histogram_edges: Float[np.ndarray, " h1"]
    histogram_counts: Int[np.ndarray, " h"]
    confusion: Int[np.ndarray, "k k"] | None = None
    confusion_shares: Float[np.ndarray, "k k"] | None = None
    class_metrics: Float[np.ndarray, "k 3 3"] | None = None
    curve_names: tuple[str, ...] = ()
    areas: Float[np.ndarray, "c 2 3"] | None = None
    roc: Float[np.ndarray, "p 3"] | None = None
    roc_starts: Int[np.ndarray, " c1"] | None = None
    pr: Float[np.ndarray, "q 3"] | None = None
    pr_starts: Int[np.ndarray, " c1"] | None = None
    calibration: Float[np.ndarray, "b 4"] | None = None
    calibration_n: Int[np.ndarray, " b"] | None = None
    calibration_noise: Float[np.ndarray, " b"] | None = None
    calibration_of: str = ""
    residuals: Float[np.ndarray, "g 6"] | None = None
    residual_n: Int[np.ndarray, " g"] | None = None
    sample: Float[np.ndarray, "s 2"] | None = None
    sample_ids: Int[np.ndarray, " s"] | None = None

    def __post_init__(self) -> None:
        m = len(self.metric_names)
        if not m == len(self.metrics) == len(self.metric_n) == len(self.metric_intervals):
            raise InvalidInputError("The metrics of a performance do not fit their names.")
        if len(self.histogram_edges) != len(self.histogram_counts) + 1:
            raise InvalidInputError("The histogram of a performance does not fit its edges.")
        classes = [part for part in (self.confusion, self.confusion_shares, self.class_metrics)
                   if part is not None]  # fmt: skip
        if (self.confusion is None) != (self.task == "regression") or any(
            len(part) != len(self.output_names) for part in classes
        ):
            raise InvalidInputError("A performance does not fit the classes of its schema.")
        for points, starts in ((self.roc, self.roc_starts), (self.pr, self.pr_starts)):
            ends = np.zeros(1, int) if starts is None else starts
            length = 0 if points is None else len(points)
            fits = len(ends) == len(self.curve_names) + 1 and ends[0] == 0 and ends[-1] == length
            if not fits or (np.diff(ends) < 0).any():
                raise InvalidInputError("The curves of a performance do not fit their names.")

    def __len__(self) -> int:
        return self.provenance.n_rows

    @property
    def task(self) -> str:
        """``binary``, ``multiclass`` or ``regression``."""
        return self.schema.task or "regression"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes; none for a regression."""
        return self.output_names if self.task != "regression" else ()

    @property
    def supports(self) -> Int[np.ndarray, " k"]:
        """Rows of each true class.

        Raises
        ------
        InvalidInputError
            If there are no classes.
        """
        if self.confusion is None:
            raise InvalidInputError("A regression has no classes to count.")
        supports: np.ndarray = self.confusion.sum(1)
        return supports

    @property
    def row_shares(self) -> Float[np.ndarray, "k k"]:
        """By true class, the shares that are predicted as each class; NaN without rows.

        Raises
        ------
        InvalidInputError
            If there are no classes.
        """
        if self.confusion_shares is None:
            raise InvalidInputError("A regression has no classes to count.")
        total = self.confusion_shares.sum(1, keepdims=True)
        shares = np.full_like(self.confusion_shares, np.nan)
        np.divide(self.confusion_shares, total, out=shares, where=total > 0)
        return shares

    def metric(self, name: str) -> Measure:
        """Return an overall metric.

        Raises
        ------
        InvalidInputError
            If there is none of that name.
        """
        if name not in self.metric_names:
            raise InvalidInputError(
                f"There is no metric {name!r}; choose one of {listing(self.metric_names, 20)}."
            )
        i = self.metric_names.index(name)
        value, low, high = (float(number) for number in self.metrics[i])
        how, n = self.metric_intervals[i], int(self.metric_n[i])
        return Measure(name, value, low, high, how, n, note=self.undefined.get(name, ""))

    def measures(self) -> Iterator[Measure]:
        """Every number with an interval: the overall metrics, then those of the classes."""
        for name in self.metric_names:
            yield self.metric(name)
        if self.class_metrics is not None:
            for i, label in enumerate(self.classes):
                for j, name in enumerate(CLASS_METRICS):
                    yield self._of_class(name, label, self.class_metrics[i, j], "Wilson", i)
        if self.areas is not None and len(self.curve_names) > 1:
            for i, label in enumerate(self.curve_names):
                for j, (name, how) in enumerate(zip(AREAS, ("DeLong", "Wilson"), strict=True)):
                    yield self._of_class(name, label, self.areas[i, j], how, i)

    def _of_class(
        self, name: str, label: str, numbers: Float[np.ndarray, " 3"], how: str, i: int
    ) -> Measure:
        value, low, high = (float(number) for number in numbers)
        note = self.undefined.get(f"{name} of {label}", "")
        return Measure(name, value, low, high, how, int(self.supports[i]), label, note)

    def curve(self, which: Curve, i: int) -> Float[np.ndarray, "p 3"]:
        """Points of one curve of ``curve_names``; none where it is not defined.

        Raises
        ------
        InvalidInputError
            If there is no such curve.
        """
        points = self.roc if which == "roc" else self.pr
        starts = self.roc_starts if which == "roc" else self.pr_starts
        if points is None or starts is None or not 0 <= i < len(self.curve_names):
            raise InvalidInputError(
                f"There is no curve {i}; this result has {len(self.curve_names)}."
            )
        return points[starts[i] : starts[i + 1]]

    def to_frame(self) -> "pd.DataFrame":
        """One line per number with an interval.

        Columns: ``metric``, ``class`` (empty for all rows together), ``value``, ``low``,
        ``high``, ``interval`` (how it was made), ``rows`` (of the class where one is named) and
        ``note`` (why a value is not defined).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        columns = ("metric", "value", "low", "high", "interval", "rows", "class", "note")
        frame = pd.DataFrame([tuple(line) for line in self.measures()], columns=list(columns))
        return frame[["metric", "class", "value", "low", "high", "interval", "rows", "note"]]
