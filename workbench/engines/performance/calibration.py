"""How far predicted probabilities are from what is observed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.context import Context
from workbench.engines.performance.resampling import bootstrap, ratio, sums_by_cell
from workbench.numerics.intervals import chance, effective_rows, wilson

ADDRESS = 1


@dataclass(frozen=True)
class Calibration:
    """Bins of rows with similar probabilities, as ``Performance`` holds them."""

    bins: Float[np.ndarray, "b 4"]
    n: Int[np.ndarray, " b"]
    noise: Float[np.ndarray, " b"]
    error: float
    error_bounds: tuple[float, float]


def bins_of(values: Float[np.ndarray, " n"], n_bins: int) -> Int[np.ndarray, " n"]:
    """Return each row's bin; bins hold about equal numbers of rows, and equal values share one."""
    edges = np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1])
    _, place = np.unique(np.searchsorted(edges, values), return_inverse=True)
    return place


def calibrate(
    probabilities: Float[np.ndarray, " n"],
    happened: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    context: Context,
    *,
    n_bins: int,
    level: float,
) -> Calibration:
    r"""Compare probabilities with shares in bins of equal mass.

    The expected calibration error is :math:`\sum_b \frac{W_b}{W} |\bar y_b - \bar p_b|`.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), Obtaining Well Calibrated Probabilities Using Bayesian
    Binning; Nixon et al. (2019), Measuring Calibration in Deep Learning, for bins of equal mass.
    """
    place = bins_of(probabilities, n_bins)
    n = np.bincount(place)
    weight = np.bincount(place, weights)
    # Rows of a bin may all have weight zero; they say nothing of it.
    kept = weight > 0
    total = np.where(kept, weight, 1.0)
    predicted = np.bincount(place, weights * probabilities) / total
    observed = np.bincount(place, weights * happened) / total
    by_chance = np.bincount(place, np.square(weights) * probabilities * (1 - probabilities))
    bounds = [
        wilson(share * size, size, level)
        for share, size in zip(
            observed[kept],
            (effective_rows(weights[place == b]) for b in np.flatnonzero(kept)),
            strict=True,
        )
    ]
    low, high = np.array(bounds).T
    missed = weights * (happened - probabilities)
    error = float(np.abs(np.bincount(place, missed)).sum() / weights.sum())

    def errors(rows: Int[np.ndarray, "r m"]) -> Float[np.ndarray, " r"]:
        sums = sums_by_cell(rows, place, missed, len(n))
        return ratio(np.abs(sums).sum(1), weights[rows].sum(1))

    below, above = bootstrap(
        error, errors, len(weights), context, address=ADDRESS, level=level, kind="basic",
        cells=len(n),
    )  # fmt: skip
    noise = np.sqrt(by_chance[kept]) / weight[kept]
    # Noise alone makes the error positive; where it may be all there is, so may be an error of 0.
    if chance((observed - predicted)[kept], noise) > 1 - level:
        below = 0.0
    return Calibration(
        bins=np.stack([predicted[kept], observed[kept], low, high], axis=1),
        n=n[kept],
        noise=noise,
        error=error,
        # The error is biased upwards, so mirrored bounds may lie below it; they are stretched to
        # hold it, which makes them rather too wide than too narrow.
        error_bounds=(max(0.0, min(below, error)), min(1.0, max(above, error))),
    )
