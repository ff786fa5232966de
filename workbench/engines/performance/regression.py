"""Metrics of a regression, and where its errors are."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.context import Context
from workbench.engines.performance.calibration import bins_of
from workbench.engines.performance.measures import Measures
from workbench.engines.performance.params import EvaluateParams
from workbench.engines.performance.resampling import bootstrap, ratio
from workbench.numerics.intervals import mean_interval

HISTOGRAM_BINS = 40
SAMPLE_ROWS = 2000
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
RMSE_ADDRESS, R2_ADDRESS, SAMPLE_ADDRESS = 3, 4, 5


def regression(
    predicted: Float[np.ndarray, " n"],
    truth: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    ids: Int[np.ndarray, " n"],
    params: EvaluateParams,
    context: Context,
) -> dict[str, Any]:
    """Return the fields of a ``Performance`` for these rows."""
    measures = Measures(len(truth))
    residuals = truth - predicted
    _add_root_mean_square(residuals, weights, measures, params.level, context)
    mean, low, high = mean_interval(np.abs(residuals), weights, params.level)
    floor = math.nan if math.isnan(low) else max(0.0, low)
    measures.add("mean absolute error", mean, (floor, high), "Student")
    mean, low, high = mean_interval(-residuals, weights, params.level)
    measures.add("mean error", mean, (low, high), "Student")
    _add_r_squared(residuals, truth, weights, measures, params.level, context)
    heights, edges = np.histogram(residuals, HISTOGRAM_BINS)
    groups, sizes = _by_prediction(predicted, residuals, weights, params.bins)
    chosen = np.arange(len(truth))
    if len(truth) > SAMPLE_ROWS:
        chosen = np.sort(context.stream(SAMPLE_ADDRESS).permutation(len(truth))[:SAMPLE_ROWS])
    return measures.fields() | {
        "residuals": groups,
        "residual_n": sizes,
        "histogram_edges": edges.astype(np.float64),
        "histogram_counts": heights.astype(np.int64),
        "sample": np.stack([truth, predicted], axis=1)[chosen],
        "sample_ids": ids[chosen],
    }


def _add_root_mean_square(
    residuals: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    measures: Measures,
    level: float,
    context: Context,
) -> None:
    squares = weights * np.square(residuals)
    value = math.sqrt(squares.sum() / weights.sum())

    def roots(rows: Int[np.ndarray, "r m"]) -> Float[np.ndarray, " r"]:
        return np.sqrt(ratio(squares[rows].sum(1), weights[rows].sum(1)))

    bounds = (math.nan, math.nan)
    if len(weights) > 1:
        low, high = bootstrap(
            value, roots, len(weights), context, address=RMSE_ADDRESS, level=level
        )
        bounds = max(0.0, low), high
    measures.add("root mean squared error", value, bounds, "bootstrap")


def _add_r_squared(
    residuals: Float[np.ndarray, " n"],
    truth: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    measures: Measures,
    level: float,
    context: Context,
) -> None:
    r"""Add :math:`1 - \sum w (y - \hat y)^2 / \sum w (y - \bar y)^2`."""
    name = "R squared"
    centred = truth - np.average(truth, weights=weights)
    spread = float((weights * np.square(centred)).sum())
    if len(truth) < 2 or spread <= 0:
        measures.skip(name, "the target does not vary over the rows")
        return
    parts = weights * np.square(residuals), weights * centred, weights * np.square(centred)

    def shares(rows: Int[np.ndarray, "r m"]) -> Float[np.ndarray, " r"]:
        left, first, second = (part[rows].sum(1) for part in parts)
        around = second - ratio(np.square(first), weights[rows].sum(1))
        return 1 - ratio(left, around)

    value = 1 - float(parts[0].sum()) / spread
    bounds = bootstrap(value, shares, len(truth), context, address=R2_ADDRESS, level=level)
    measures.add(name, value, (bounds[0], min(1.0, bounds[1])), "bootstrap")


def _by_prediction(
    predicted: Float[np.ndarray, " n"],
    residuals: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    n_bins: int,
) -> tuple[Float[np.ndarray, "g 6"], Int[np.ndarray, " g"]]:
    """Quantiles of the residuals among rows with similar predictions."""
    place = bins_of(predicted, n_bins)
    order = np.argsort(place, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    groups = [rows for rows in groups if weights[rows].sum() > 0]
    equal = bool((weights == weights[0]).all())

    def quantiles(rows: Int[np.ndarray, " m"]) -> Float[np.ndarray, " q"]:
        if equal:
            found: np.ndarray = np.quantile(residuals[rows], QUANTILES)
        else:
            found = np.quantile(
                residuals[rows], QUANTILES, weights=weights[rows], method="inverted_cdf"
            )
        return found

    means = [float(np.average(predicted[rows], weights=weights[rows])) for rows in groups]
    table = np.column_stack([means, np.stack([quantiles(rows) for rows in groups])])
    return table, np.array([len(rows) for rows in groups], dtype=np.int64)
