"""Accumulated local effects from the differences of outputs across intervals."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Effects(NamedTuple):
    """Effects at the ends of intervals, and their standard errors."""

    values: Float[np.ndarray, "g k"]
    errors: Float[np.ndarray, "g k"]


def accumulate(
    totals: Float[np.ndarray, "s k"],
    squares: Float[np.ndarray, "s k"],
    counts: Int[np.ndarray, " s"],
    ways: Float[np.ndarray, " s"],
) -> Effects:
    r"""Add up mean differences interval by interval, so that the rows' mean effect is 0.

    With :math:`\delta_s` the mean over the :math:`n_s` rows of interval :math:`s` of the output at
    its upper end minus that at its lower end, and all else as in the row, the effect at the
    :math:`g`-th end is

    .. math:: \sum_s (1[s \le g] - w_s)\, \delta_s, \quad
              w_s = \sum_{t > s} n_t / n + a_s / n,

    whose mean over rows is 0 where effects run straight between ends: :math:`a_s` is how far rows
    are on their way across interval :math:`s`, from 0 to 1 each, in all. (The publication has each
    row half way, which many rows of one value are not.) Its variance is
    :math:`\sum_s (1[s \le g] - w_s)^2 \sigma^2_s / n_s` with the differences' variance within the
    interval; of an interval with a single row, the pooled one.

    Parameters
    ----------
    totals, squares
        Sums over the rows of an interval of the differences and of their squares.
    ways
        Sums over the rows of an interval of how far they are across it.

    Returns
    -------
    One line more than there are intervals; errors are NaN where no interval holds two rows.

    References
    ----------
    Apley and Zhu (2020), Visualizing the effects of predictor variables in black box supervised
    learning models: the estimator of a main effect.
    """
    s, k = totals.shape
    if not s:
        return Effects(np.zeros((1, k)), np.zeros((1, k)))
    rows = np.maximum(counts, 1)[:, None]
    means = totals / rows
    around = np.maximum(squares - rows * means**2, 0.0)
    beyond = counts[::-1].cumsum()[::-1] - counts + ways
    reached = np.arange(s + 1)[:, None] > np.arange(s)
    weights = reached - beyond / max(int(counts.sum()), 1)  # (g, s)
    return Effects(weights @ means, np.sqrt(weights**2 @ (_variances(around, counts) / rows)))


def _variances(
    around: Float[np.ndarray, "s k"], counts: Int[np.ndarray, " s"]
) -> Float[np.ndarray, "s k"]:
    """Return the variance within each interval, by the squared distances to its mean."""
    freedom = np.maximum(counts - 1, 0)[:, None]
    if not freedom.any():
        return np.full(around.shape, np.nan)
    pooled = around.sum(0) / freedom.sum()
    return np.where(freedom > 0, around / np.maximum(freedom, 1), pooled)


def accumulate_pair(
    totals: Float[np.ndarray, "s t k"], counts: Int[np.ndarray, "s t"]
) -> Float[np.ndarray, "g h k"]:
    r"""Add up mean second differences cell by cell, and take away what each feature does alone.

    With :math:`\Delta_{st}` the mean over a cell's rows of
    :math:`f(x_s, y_t) - f(x_{s-1}, y_t) - f(x_s, y_{t-1}) + f(x_{s-1}, y_{t-1})`, the sum
    :math:`h` over cells up to a point loses its own first-order effects, accumulated with the
    rows' counts as weights, and then its mean over rows (each at the middle of its cell). A cell
    without rows takes the mean of the nearest one that has some, by number of intervals.

    References
    ----------
    Apley and Zhu (2020), as above: the estimator of a second-order effect.
    """
    s, t, k = totals.shape
    surface = np.zeros((s + 1, t + 1, k))
    if not counts.any():
        return surface
    means = totals / np.maximum(counts, 1)[..., None]
    filled = means[tuple(_nearest_filled(counts))]
    surface[1:, 1:] = filled.cumsum(0).cumsum(1)
    along = _alone(surface, counts)
    across = _alone(surface.swapaxes(0, 1), counts.T)
    surface = surface - along[:, None] - across[None]
    middle = (surface[1:, 1:] + surface[:-1, 1:] + surface[1:, :-1] + surface[:-1, :-1]) / 4
    return surface - np.einsum("st,stk->k", counts, middle) / counts.sum()


def _alone(
    surface: Float[np.ndarray, "g h k"], counts: Int[np.ndarray, "s t"]
) -> Float[np.ndarray, "g k"]:
    """Accumulate the mean rise along the first axis; 0 across intervals without rows."""
    rises = np.diff(surface, axis=0)
    middle = (rises[:, 1:] + rises[:, :-1]) / 2  # (s, t, k)
    rows = np.maximum(counts.sum(1), 1)[:, None]
    means = np.einsum("st,stk->sk", counts, middle) / rows
    return np.concatenate([np.zeros((1, surface.shape[-1])), means.cumsum(0)])


def _nearest_filled(counts: Int[np.ndarray, "s t"]) -> Int[np.ndarray, "2 s t"]:
    """Return for each cell the place of the nearest one with rows; its own if it has any."""
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - for this alone

    _, places = distance_transform_edt(counts == 0, return_indices=True)
    return np.asarray(places, dtype=np.int64)
