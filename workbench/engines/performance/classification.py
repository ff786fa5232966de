"""Metrics of a classifier: what it gets right, for whom, and how true its probabilities are."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.context import Context
from workbench.core.performance import AREAS, CLASS_METRICS
from workbench.core.schema import Schema, listing
from workbench.engines.performance import curves
from workbench.engines.performance.calibration import Calibration, calibrate
from workbench.engines.performance.measures import Measures
from workbench.engines.performance.params import EvaluateParams
from workbench.engines.performance.resampling import bootstrap, ratio, sums_by_cell
from workbench.numerics.intervals import (
    UNKNOWN,
    Interval,
    mean_interval,
    mean_of_independent,
    wilson,
)

HISTOGRAM_BINS = 20
ADDRESS = 2


@dataclass(frozen=True)
class Labelled:
    """Predictions and truth of the rows, with what all metrics of them need."""

    probabilities: Float[np.ndarray, "n k"]
    truth: Int[np.ndarray, " n"]
    predicted: Int[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"]
    schema: Schema

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in the order of their codes."""
        return self.schema.classes

    def table(self, values: Float[np.ndarray, " n"] | None) -> Float[np.ndarray, "k k"]:
        """Sum over the rows by true and by predicted class; count them without values."""
        k = len(self.classes)
        cells = np.bincount(self.truth * k + self.predicted, values, k * k)
        return cells.reshape(k, k).astype(np.float64)


def predicted_classes(
    probabilities: Float[np.ndarray, "n k"], schema: Schema, threshold: float
) -> Int[np.ndarray, " n"]:
    """Class of each row: of two by the threshold, of more the most probable."""
    if schema.task != "binary":
        found: np.ndarray = probabilities.argmax(1)
        return found
    positive = schema.favourable_output
    return np.where(probabilities[:, positive] >= threshold, positive, 1 - positive)


def classification(rows: Labelled, params: EvaluateParams, context: Context) -> dict[str, Any]:
    """Return the fields of a ``Performance`` for these rows."""
    measures = Measures(len(rows.truth))
    counts, weights = rows.table(None), rows.table(rows.weights)
    squares = rows.table(np.square(rows.weights))
    by_class = _class_metrics(rows, weights, squares, measures, params.level)
    _add_shares(rows, weights, squares, by_class, measures, params.level)
    _add_losses(rows, measures, params.level)
    shown = range(len(rows.classes))
    if rows.schema.task == "binary":
        shown = range(rows.schema.favourable_output, rows.schema.favourable_output + 1)
    drawn = _curves(rows, shown, measures, params.level)
    if rows.schema.task == "binary":
        for j, name in enumerate(CLASS_METRICS):
            _repeat(measures, name, rows.classes[shown[0]], by_class[shown[0], j])
    else:
        _add_macro_f1(rows, by_class, measures, params.level, context)
    of, probabilities, happened = _calibrated(rows)
    found = calibrate(
        probabilities, happened, rows.weights, context, n_bins=params.bins, level=params.level
    )
    _add_calibration(found, measures)
    heights, edges = np.histogram(probabilities, HISTOGRAM_BINS, (0.0, 1.0))
    return measures.fields() | drawn | {
        "confusion": counts.astype(np.int64),
        "confusion_shares": weights / rows.weights.sum(),
        "class_metrics": by_class,
        "calibration": found.bins,
        "calibration_n": found.n.astype(np.int64),
        "calibration_noise": found.noise,
        "calibration_of": of,
        "histogram_edges": edges,
        "histogram_counts": heights.astype(np.int64),
    }  # fmt: skip


def _class_metrics(
    rows: Labelled,
    weights: Float[np.ndarray, "k k"],
    squares: Float[np.ndarray, "k k"],
    measures: Measures,
    level: float,
) -> Float[np.ndarray, "k 3 3"]:
    r"""Precision, recall and F1 of each class, with Wilson's intervals.

    F1 is :math:`2J/(1+J)` with :math:`J` the share of right ones among the rows that are of the
    class or called so, and rises with it; its bounds are those of :math:`J`, carried over.

    References
    ----------
    Lam, Gopal and Qian (2023), Confidence Intervals for the F1 Score: A Comparison of Four
    Methods, for the interval of F1 (indirect).
    """
    k = len(rows.classes)
    found = np.full((k, 3, 3), np.nan)
    for c, label in enumerate(rows.classes):
        called, real = np.zeros((k, k), dtype=bool), np.zeros((k, k), dtype=bool)
        called[:, c] = real[c] = True
        reasons = (f"no row is called {label}", f"no row is {label}",
                   f"no row is {label} or called so")  # fmt: skip
        for j, (cells, reason) in enumerate(zip((called, real, called | real), reasons,
                                                strict=True)):  # fmt: skip
            total, square = weights[cells].sum(), squares[cells].sum()
            if total <= 0:
                measures.undefined[f"{CLASS_METRICS[j]} of {label}"] = reason
                continue
            share, n = weights[c, c] / total, total**2 / square
            found[c, j] = share, *wilson(share * n, n, level)
        found[c, 2] = 2 * found[c, 2] / (1 + found[c, 2])
    return found


def _add_shares(
    rows: Labelled,
    weights: Float[np.ndarray, "k k"],
    squares: Float[np.ndarray, "k k"],
    by_class: Float[np.ndarray, "k 3 3"],
    measures: Measures,
    level: float,
) -> None:
    total = weights.sum()
    n = float(total**2 / squares.sum())
    right = float(np.trace(weights) / total)
    measures.add("accuracy", right, wilson(right * n, n, level), "Wilson")
    commonest = float(weights.sum(1).max() / total)
    bounds = wilson(commonest * n, n, level)
    measures.add("share of the commonest class", commonest, bounds, "Wilson")
    recall = by_class[:, CLASS_METRICS.index("recall")]
    if missing := _missing(rows, recall[:, 0]):
        measures.skip("balanced accuracy", missing)
        return
    intervals: list[Interval] = [(float(low), float(high)) for low, high in recall[:, 1:]]
    values = [float(value) for value in recall[:, 0]]
    bounds = mean_of_independent(values, intervals, low=0.0, high=1.0)
    mean = float(np.mean(values))
    measures.add("balanced accuracy", mean, bounds, "Wilson, combined in squares")


def _missing(rows: Labelled, values: Float[np.ndarray, " k"]) -> str:
    none = [label for label, value in zip(rows.classes, values, strict=True) if math.isnan(value)]
    return f"no row is {listing(none, 3)}" if none else ""


def _add_losses(rows: Labelled, measures: Measures, level: float) -> None:
    """Log-loss and Brier score: means over the rows, so Student's interval holds."""
    own = rows.probabilities[np.arange(len(rows.truth)), rows.truth]
    tiny = np.finfo(np.float64).eps
    losses = -np.log(np.clip(own, tiny, 1 - tiny))
    if rows.schema.task == "binary":
        squares = np.square(1 - own)
    else:
        squares = np.square(rows.probabilities).sum(1) - 2 * own + 1
    for name, values in (("log-loss", losses), ("Brier score", squares)):
        mean, low, high = mean_interval(values, rows.weights, level)
        measures.add(name, mean, (max(0.0, low) if low == low else low, high), "Student")  # noqa: PLR0124 - NaN stays


def _curves(rows: Labelled, shown: range, measures: Measures, level: float) -> dict[str, Any]:
    """ROC and precision-recall curves and their areas, each class against the others."""
    n = len(rows.truth)
    areas = np.full((len(shown), 2, 3), np.nan)
    roc, pr = [], []
    # The macro area is the mean of the areas, and a row moves it by the mean of its influences.
    influence: Float[np.ndarray, " n"] | None = np.zeros(n)
    for i, c in enumerate(shown):
        is_class = rows.truth == c
        reason = _one_sided(rows, is_class, rows.classes[c])
        if reason:
            _undefined_curve(measures, rows.classes[c], reason, several=len(shown) > 1)
            roc.append(np.empty((0, 3)))
            pr.append(np.empty((0, 3)))
            continue
        ranking = curves.rank(rows.probabilities[:, c], is_class, rows.weights)
        roc.append(curves.roc_curve(ranking))
        pr.append(curves.pr_curve(ranking))
        area, shares = curves.placements(ranking, is_class)
        own = curves.area_influence(area, shares, is_class, rows.weights)
        influence = None if own is None or influence is None else influence + own / len(shown)
        variance = None if own is None else float(np.square(own).sum())
        bounds, how = curves.area_bounds(area, variance, is_class, rows.weights, level)
        areas[i, 0] = area, *bounds
        precision = curves.average_precision(ranking)
        around = curves.average_precision_interval(precision, rows.weights[is_class], level)
        areas[i, 1] = precision, *around
        if len(shown) == 1:
            measures.add(AREAS[0], area, bounds, how)
            measures.add(AREAS[1], precision, around, "Wilson")
    if len(shown) > 1:
        _add_macro_area(rows, areas[:, 0, 0], influence, measures, level)
    return {
        "curve_names": tuple(rows.classes[c] for c in shown),
        "areas": areas,
        "roc": np.concatenate(roc),
        "roc_starts": np.cumsum([0, *(len(points) for points in roc)]),
        "pr": np.concatenate(pr),
        "pr_starts": np.cumsum([0, *(len(points) for points in pr)]),
    }


def _one_sided(rows: Labelled, is_class: Bool[np.ndarray, " n"], label: str) -> str:
    if rows.weights[is_class].sum() <= 0:
        return f"no row is {label}"
    return f"every row is {label}" if rows.weights[~is_class].sum() <= 0 else ""


def _undefined_curve(measures: Measures, label: str, reason: str, *, several: bool) -> None:
    for name in AREAS:
        if several:
            measures.undefined[f"{name} of {label}"] = reason
        else:
            measures.skip(name, reason)


def _add_macro_area(
    rows: Labelled,
    areas: Float[np.ndarray, " k"],
    influence: Float[np.ndarray, " n"] | None,
    measures: Measures,
    level: float,
) -> None:
    """Mean of the areas of each class against the others, with DeLong's variance of the mean."""
    name = "mean ROC AUC"
    if np.isnan(areas).any():
        names = [label for label, area in zip(rows.classes, areas, strict=True) if np.isnan(area)]
        reasons = [measures.undefined[f"{AREAS[0]} of {label}"] for label in names]
        measures.skip(name, listing(reasons, 3))
        return
    mean = float(areas.mean())
    bounds: Interval = UNKNOWN
    if influence is not None:
        weight = [rows.weights[rows.truth == c] for c in range(len(rows.classes))]
        rarest = min(range(len(weight)), key=lambda c: len(weight[c]))
        variance = float(np.square(influence).sum())
        bounds, how = curves.area_bounds(mean, variance, rows.truth == rarest, rows.weights, level)
        measures.add(name, mean, bounds, how)
        return
    measures.add(name, mean, bounds, "none")


def _repeat(measures: Measures, name: str, label: str, numbers: Float[np.ndarray, " 3"]) -> None:
    """List a metric of the positive class among those of the model."""
    value, low, high = (float(number) for number in numbers)
    if math.isnan(value):
        measures.skip(name, measures.undefined[f"{name} of {label}"])
    else:
        measures.add(name, value, (low, high), "Wilson")


def _add_macro_f1(
    rows: Labelled,
    by_class: Float[np.ndarray, "k 3 3"],
    measures: Measures,
    level: float,
    context: Context,
) -> None:
    name, k = "mean F1", len(rows.classes)
    scores = by_class[:, CLASS_METRICS.index("F1"), 0]
    if missing := _missing(rows, scores):
        measures.skip(name, missing)
        return
    cell = rows.truth * k + rows.predicted

    def means(drawn: Int[np.ndarray, "r m"]) -> Float[np.ndarray, " r"]:
        table = sums_by_cell(drawn, cell, rows.weights, k * k).reshape(-1, k, k)
        right = np.diagonal(table, axis1=1, axis2=2)
        return np.nanmean(ratio(2 * right, table.sum(1) + table.sum(2)), axis=1)

    mean = float(scores.mean())
    if mean >= 1:  # no resample holds an error, so the classes' own bounds are averaged
        low = float(by_class[:, CLASS_METRICS.index("F1"), 1].mean())
        measures.add(name, mean, (low, 1.0), "Wilson, averaged")
        return
    bounds = bootstrap(mean, means, len(cell), context, address=ADDRESS, level=level, cells=k * k)
    measures.add(name, mean, (max(0.0, bounds[0]), min(1.0, bounds[1])), "bootstrap")


def _calibrated(
    rows: Labelled,
) -> tuple[str, Float[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Whose probability is compared with what is observed.

    Of two classes that of the class with a curve; of more that of the class predicted, as Guo et
    al. (2017), On Calibration of Modern Neural Networks, do.
    """
    if rows.schema.task == "binary":
        c = rows.schema.favourable_output
        return rows.classes[c], rows.probabilities[:, c], rows.truth == c
    top = rows.probabilities.max(1)
    return "the class predicted", top, rows.truth == rows.predicted


def _add_calibration(found: Calibration, measures: Measures) -> None:
    measures.add("calibration error", found.error, found.error_bounds, "bootstrap, mirrored")
