"""Intervals of shares, of their differences and of their ratios, for whole arrays at once."""

import numpy as np
from jaxtyping import Float
from scipy import special, stats

from workbench.numerics.intervals import LEVEL

Bounds = tuple[Float[np.ndarray, "*m"], Float[np.ndarray, "*m"]]
# Anything that NumPy makes an array of numbers of.
Numbers = Float[np.ndarray, "*m"] | np.ndarray | float | int


def wilson_bounds(k: Numbers, n: Numbers, level: float = LEVEL) -> Bounds:
    r"""Score interval of shares ``k`` of ``n``; ``n`` may be a number of effective rows.

    .. math:: \frac{\hat p + z^2/2n \pm z \sqrt{\hat p (1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}

    NaN where ``n`` is 0.

    References
    ----------
    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    Examples
    --------
    >>> [bound.round(3).tolist() for bound in wilson_bounds(np.array([9, 0]), np.array([10, 10]))]
    [[0.596, 0.0], [0.982, 0.278]]
    """
    k, n = _counted(k, n)
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = np.clip(k / n, 0.0, 1.0)
    centre = share + z * z / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the bound is the share itself, which rounding would miss.
    low = np.where(share > 0, np.maximum(0.0, (centre - half) / scale), 0.0 * n)
    high = np.where(share < 1, np.minimum(1.0, (centre + half) / scale), 1.0 + 0.0 * n)
    return low, high


def jeffreys_bounds(k: Numbers, n: Numbers, level: float = LEVEL) -> Bounds:
    r"""Equal-tailed interval of :math:`\mathrm{Beta}(k + 1/2, n - k + 1/2)`.

    The lower bound of no successes is 0, the upper one of nothing but successes is 1; NaN where
    ``n`` is 0.

    References
    ----------
    Brown, Cai and DasGupta (2001), Interval Estimation for a Binomial Proportion, Sec. 4.1.3.

    Examples
    --------
    >>> [bound.round(3).tolist() for bound in jeffreys_bounds(np.array([0]), np.array([10]))]
    [[0.0], [0.217]]
    """
    k, n = _counted(k, n)
    tail = (1 - level) / 2
    low = special.betaincinv(k + 0.5, n - k + 0.5, tail)
    high = special.betaincinv(k + 0.5, n - k + 0.5, 1 - tail)
    return np.where(k > 0, low, 0.0 * n), np.where(k < n, high, 1.0 + 0.0 * n)


def exact_bounds(k: Numbers, n: Numbers, level: float = LEVEL) -> Bounds:
    r"""Interval of shares that never covers less often than it says.

    The bounds are the shares under which a tail as far out as ``k`` has half of the remaining
    probability; NaN where ``n`` is 0.

    References
    ----------
    Clopper and Pearson (1934), The Use of Confidence or Fiducial Limits.

    Examples
    --------
    >>> [bound.round(4).tolist() for bound in exact_bounds(np.array([0, 100]), np.array([100]))]
    [[0.0, 0.9638], [0.0362, 1.0]]
    """
    k, n = _counted(k, n)
    tail = (1 - level) / 2
    inside_low, inside_high = k > 0, k < n
    low = special.betaincinv(np.where(inside_low, k, 1.0), n - k + 1, tail)
    high = special.betaincinv(k + 1, np.where(inside_high, n - k, 1.0), 1 - tail)
    return np.where(inside_low, low, 0.0 * n), np.where(inside_high, high, 1.0 + 0.0 * n)


def with_bounds(value: Float[np.ndarray, "*m"], bounds: Bounds) -> Float[np.ndarray, "*m 3"]:
    """Return value, lower and upper bound along a last axis."""
    return np.stack([value, *bounds], -1)


def mover_difference(
    one: Float[np.ndarray, "*m 3"], other: Float[np.ndarray, "*k 3"]
) -> Float[np.ndarray, "*n 3"]:
    r"""Difference of independent estimates from their own intervals.

    .. math:: d - \sqrt{(p_1 - l_1)^2 + (u_2 - p_2)^2},\quad
              d + \sqrt{(u_1 - p_1)^2 + (p_2 - l_2)^2}

    The last axis holds value, lower and upper bound, here and in what is returned.

    References
    ----------
    Zou and Donner (2008), Construction of Confidence Limits about Effect Measures; of Wilson's
    limits, Newcombe (1998), Interval Estimation for the Difference, method 10.
    """
    (p1, l1, u1), (p2, l2, u2) = (np.moveaxis(given, -1, 0) for given in (one, other))
    difference = p1 - p2
    low = difference - np.hypot(p1 - l1, u2 - p2)
    high = difference + np.hypot(u1 - p1, p2 - l2)
    return np.stack([difference, low, high], -1)


def mover_ratio(
    one: Float[np.ndarray, "*m 3"], other: Float[np.ndarray, "*k 3"]
) -> Float[np.ndarray, "*n 3"]:
    r"""Ratio of independent estimates that are not negative, from their own intervals.

    With :math:`c = p_1 p_2`, the bounds are

    .. math:: \frac{l_1 (2 p_1 - l_1)}{c + \sqrt{c^2 - l_1 u_2 (2 p_1 - l_1)(2 p_2 - u_2)}},\quad
              \frac{c + \sqrt{c^2 - u_1 l_2 (2 p_1 - u_1)(2 p_2 - l_2)}}{l_2 (2 p_2 - l_2)}.

    NaN where the denominator is estimated as 0.

    References
    ----------
    Donner and Zou (2012), Closed-Form Confidence Intervals for Functions of the Normal Mean and
    Standard Deviation, Sec. 3; the lower bound is multiplied out, so that it holds for
    :math:`u_2 > 2 p_2` as well.
    """
    (p1, l1, u1), (p2, l2, u2) = (np.moveaxis(given, -1, 0) for given in (one, other))
    both = p1 * p2
    with np.errstate(invalid="ignore", divide="ignore"):
        # Rounding may leave the roots just below 0.
        below = np.maximum(0.0, both**2 - l1 * u2 * (2 * p1 - l1) * (2 * p2 - u2))
        above = np.maximum(0.0, both**2 - u1 * l2 * (2 * p1 - u1) * (2 * p2 - l2))
        low = np.where(l1 > 0, l1 * (2 * p1 - l1) / (both + np.sqrt(below)), 0.0 * both)
        high = (both + np.sqrt(above)) / (l2 * (2 * p2 - l2))
        found = np.stack([p1 / p2, low, high], -1)
    return np.where((p2 > 0)[..., None], found, np.nan)


def _counted(k: Numbers, n: Numbers) -> tuple[Float[np.ndarray, "*m"], Float[np.ndarray, "*m"]]:
    """Return both as arrays of one shape, NaN where nothing was counted."""
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    nothing = ~(n > 0)
    return np.where(nothing, np.nan, k), np.where(nothing, np.nan, n)
