"""Intervals for figures computed from a sample of rows."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

LEVEL = 0.95
Interval = tuple[float, float]
UNKNOWN: Interval = (math.nan, math.nan)


def wilson(successes: float | int, n: float | int, level: float = LEVEL) -> Interval:
    r"""Score interval of a proportion; ``n`` may be a number of effective rows.

    .. math:: \frac{\hat p + z^2/2n \pm z \sqrt{\hat p (1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}

    References
    ----------
    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(9, 10)]
    [0.596, 0.982]
    """
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = min(1.0, max(0.0, successes / n))
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def effective_rows(weights: Float[np.ndarray, " n"]) -> float:
    r"""Rows of equal weight that tell as much: :math:`(\sum w)^2 / \sum w^2`; 0 without weight.

    References
    ----------
    Kish (1965), Survey Sampling, Sec. 11.7.

    Examples
    --------
    >>> effective_rows(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def weighted_variance(
    values: Float[np.ndarray, " n"], mean: float, weights: Float[np.ndarray, " n"]
) -> float:
    r"""Variance of a weighted mean.

    .. math:: \frac{n}{n-1} \frac{\sum_i w_i^2 (x_i - \bar x)^2}{(\sum_i w_i)^2}

    NaN for a single row. The weights are taken as fixed, the mean as a ratio.

    References
    ----------
    Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, Sec. 5.7.
    """
    n = int(np.count_nonzero(weights))
    if n < 2:
        return math.nan
    spread = float(np.square(weights * (values - mean)).sum())
    return n / (n - 1) * spread / float(weights.sum()) ** 2


def mean_interval(
    values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], level: float = LEVEL
) -> tuple[float, float, float]:
    """Mean of the rows and Student's interval; without bounds for a single row.

    Examples
    --------
    >>> [round(x, 3) for x in mean_interval(np.array([1.0, 2.0, 3.0]), np.ones(3))]
    [2.0, -0.484, 4.484]
    """
    mean = float(np.average(values, weights=weights))
    variance = weighted_variance(values, mean, weights)
    if math.isnan(variance):
        return mean, *UNKNOWN
    half = float(stats.t.ppf(0.5 + level / 2, effective_rows(weights) - 1)) * math.sqrt(variance)
    return mean, mean - half, mean + half


def logit_interval(share: float, std_error: float, level: float = LEVEL) -> Interval:
    r"""Return :math:`\mathrm{logit}^{-1}(\mathrm{logit}(p) \pm z\, s / (p (1 - p)))`.

    The interval is normal on the logit scale, so it stays between 0 and 1; ``share`` is neither.
    """
    z = float(stats.norm.ppf(0.5 + level / 2))
    centre, half = math.log(share / (1 - share)), z * std_error / (share * (1 - share))
    low, high = (1 / (1 + math.exp(min(700.0, -x))) for x in (centre - half, centre + half))
    return low, high


def area_interval(area: float, n_one: float, n_other: float, level: float = LEVEL) -> Interval:
    r"""Score interval of an area under the ROC curve, also for an area of 0 or 1.

    The bounds are where :math:`|A - a| = z \sqrt{V(a)}`, with :math:`s = (m + n)/2 - 1` and

    .. math:: V(a) = \frac{a(1-a)}{mn}
              \left(1 + s\,\frac{1-a}{2-a} + s\,\frac{a}{1+a}\right).

    References
    ----------
    Newcombe (2006), Confidence Intervals for an Effect Size Measure Based on the Mann-Whitney
    Statistic, Part 2, method 5.
    """
    z = float(stats.norm.ppf(0.5 + level / 2))
    s = max(0.0, (n_one + n_other) / 2 - 1)

    def lower(area: float) -> float:
        def beyond(a: float) -> float:
            shape = (1 + s * (1 - a) / (2 - a) + s * a / (1 + a)) / (n_one * n_other)
            if area >= 1:  # both sides have the factor 1 - a, whose root is not meant
                return 1 - a - z * z * a * shape
            return (area - a) ** 2 - z * z * a * (1 - a) * shape

        return 0.0 if area <= 0 else float(optimize.brentq(beyond, 0.0, area))

    # The variance is the same at a and 1 - a.
    return lower(area), 1 - lower(1 - area)


def mean_of_independent(
    values: Sequence[float], intervals: Sequence[Interval], *, low: float, high: float
) -> Interval:
    r"""Interval of a mean of independent estimates from their own intervals.

    .. math:: \bar p - \frac1k \sqrt{\sum_i (p_i - l_i)^2},\quad
              \bar p + \frac1k \sqrt{\sum_i (u_i - p_i)^2}

    References
    ----------
    Zou and Donner (2008), Construction of Confidence Limits about Effect Measures.
    """
    mean = sum(values) / len(values)
    pairs = list(zip(values, intervals, strict=True))
    below = math.sqrt(sum((value - bounds[0]) ** 2 for value, bounds in pairs)) / len(pairs)
    above = math.sqrt(sum((bounds[1] - value) ** 2 for value, bounds in pairs)) / len(pairs)
    return max(low, mean - below), min(high, mean + above)


def chance(deviations: Float[np.ndarray, " b"], noise: Float[np.ndarray, " b"]) -> float:
    r"""Return the chance of deviations at least as large, if they are noise alone.

    By :math:`\sum_b (d_b / s_b)^2`, which then follows a chi-squared distribution with as many
    degrees of freedom; a deviation without noise cannot be chance.

    Examples
    --------
    >>> round(chance(np.array([1.96]), np.array([1.0])), 3)
    0.05
    """
    quiet = noise <= 0
    if (np.abs(deviations[quiet]) > 1e-9).any():
        return 0.0
    squares = np.square(deviations[~quiet] / noise[~quiet])
    return float(stats.chi2.sf(squares.sum(), max(1, len(squares))))
