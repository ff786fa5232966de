"""Shares of the same rows under several conditions, and how far they are apart at most."""

import math
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from workbench.numerics.rates import exact_bounds

# Half of the width that the exact interval of a share may have, whatever is found, is greatest at
# this share.
HARDEST = 0.5


def greatest_gap(held: Bool[np.ndarray, "n c"], level: float = 0.95) -> Float[np.ndarray, " 3"]:
    r"""Difference of the greatest and the least share of ``c`` columns over the same rows.

    Of two columns, with :math:`p_{10}` and :math:`p_{01}` the shares of rows where only the one or
    only the other holds,

    .. math:: D = p_{10} - p_{01}, \quad
       L = D - \sqrt{a^2 + b^2 - 2 \rho a b}, \quad a = p_{10} - l_{10}, \; b = u_{01} - p_{01},

    and likewise the upper end, from exact limits :math:`l, u` of both, so that rows that agree
    everywhere do not make the interval a point. :math:`\rho` is the correlation of two shares of
    one sample, :math:`-\sqrt{p_{10} p_{01} / ((1 - p_{10}) (1 - p_{01}))}`. Every pair of columns
    gets a share of the error (Bonferroni), so that with at least ``level`` all hold at once, and
    with them :math:`\max L \le \max D \le \max U`: the columns need not be known beforehand.

    Returns
    -------
    Value, lower and upper end; NaN of fewer than two columns or no rows.

    References
    ----------
    Zou and Donner (2008), Construction of Confidence Limits About Effect Measures: A General
    Approach (the limits of a difference); Clopper and Pearson (1934).
    """
    n, c = held.shape
    if n == 0 or c < 2:
        return np.full(3, np.nan)
    pairs = np.array(list(combinations(range(c), 2)))
    marks = held.astype(np.float64)
    both = marks.T @ marks  # (c, c)
    sums = np.diag(both)
    only = sums[pairs] - both[pairs[:, 0], pairs[:, 1]][:, None]  # (pairs, 2)
    low, high = exact_bounds(only, np.full(only.shape, n), 1 - (1 - level) / len(pairs))
    p = only / n
    gap = p[:, 0] - p[:, 1]
    below, above = p - low, high - p
    odds = p.prod(1) / np.maximum((1 - p).prod(1), np.finfo(float).tiny)
    rho = -np.sqrt(np.minimum(1.0, odds))
    ends = np.stack([
        gap - _added(below[:, 0], above[:, 1], rho), gap + _added(above[:, 0], below[:, 1], rho),
    ])  # fmt: skip
    lower = max(0.0, float(np.max([ends[0].max(), (-ends[1]).max()])))
    upper = min(1.0, float(np.max([ends[1].max(), (-ends[0]).max()])))
    return np.array([float(np.abs(gap).max()), lower, upper])


def _added(
    one: Float[np.ndarray, " m"], other: Float[np.ndarray, " m"], rho: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    found: np.ndarray = np.sqrt(one**2 + other**2 - 2 * rho * one * other)
    return found


def rows_needed(margin: float, level: float = 0.95) -> int:
    r"""How many rows make the exact interval of a share at most ``margin`` wide to each side.

    Whatever the share turns out to be. The number is known before the first row is looked at, so
    that nothing stops early because nothing was seen yet: with it, no flip at all still means up
    to :math:`1 - (\alpha/2)^{1/n} \approx 3.7/n`, which is below the margin.

    Examples
    --------
    >>> rows_needed(0.02)
    2451
    """
    z = float(stats.norm.ppf(0.5 + level / 2))
    n = max(2, int(z * z * HARDEST * (1 - HARDEST) / margin**2))
    while _widest(n, level) > margin:
        n += max(1, int(n * (_widest(n, level) / margin - 1)))
    return n


def _widest(n: int, level: float) -> float:
    """Return the greatest distance of an end of the interval from the share that was found."""
    # The skewness of the binomial moves the widest by z/3 roots of n from the middle.
    near = int(2 * math.sqrt(n)) + 10
    k = np.arange(max(0, n // 2 - near), min(n, n // 2 + near) + 1)
    low, high = exact_bounds(k.astype(np.float64), np.full(len(k), n), level)
    return float(max((k / n - low).max(), (high - k / n).max()))


def quantile_bounds(
    values: Float[np.ndarray, " n"], share: float, level: float = 0.95
) -> Float[np.ndarray, " 3"]:
    r"""Quantile of a sample, between order statistics that hold it with at least ``level``.

    The number of rows below the true quantile is binomial, whatever the values are like:
    :math:`P(X_{(j)} \le q \le X_{(k)}) \ge` ``level`` for :math:`j, k` its quantiles. With too few
    rows for an end, it is NaN.

    References
    ----------
    Conover (1999), Practical Nonparametric Statistics, Sec. 3.2.
    """
    n = len(values)
    if n == 0:
        return np.full(3, np.nan)
    ordered = np.sort(values)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    first, last = np.asarray(stats.binom.ppf(tails, n, share)).astype(int)
    return np.array([
        np.quantile(ordered, share),
        ordered[first - 1] if first >= 1 else np.nan,
        ordered[last] if last < n else np.nan,
    ])
