"""Whether means of several groups differ by more than chance."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy import stats


def welch_p(groups: Sequence[Float[np.ndarray, "_ d"]]) -> Float[np.ndarray, " d"]:
    r"""P-value of each column: the groups have one mean, whatever their variances.

    With :math:`w_g = n_g / s_g^2`, :math:`W = \sum_g w_g`, :math:`\bar y = \sum_g w_g \bar y_g / W`
    and :math:`\Lambda = \sum_g (1 - w_g / W)^2 / (n_g - 1)`,

    .. math:: F = \frac{\sum_g w_g (\bar y_g - \bar y)^2 / (k - 1)}
                       {1 + 2 (k - 2) \Lambda / (k^2 - 1)}

    is compared with the F distribution of :math:`k - 1` and :math:`(k^2 - 1) / (3 \Lambda)`
    degrees of freedom. Variances below rounding, a part in :math:`10^{18}` of the largest square,
    count as that, so equal constants have a p-value of 1 and different ones of about 0.

    Parameters
    ----------
    groups
        At least two, each of at least two rows.

    References
    ----------
    Welch (1951), On the comparison of several mean values: an alternative approach.
    """
    k = len(groups)
    n = np.array([len(group) for group in groups])[:, None]
    means = np.stack([group.mean(0) for group in groups])
    variances = np.stack([group.var(0, ddof=1) for group in groups])
    largest = np.max([np.square(group).max(0) for group in groups], axis=0)
    floor = np.where(largest > 0, 1e-18 * largest, 1.0)
    weights = n / np.maximum(variances, floor)
    total = weights.sum(0)
    centre = (weights * means).sum(0) / total
    lack = ((1 - weights / total) ** 2 / (n - 1)).sum(0)
    between = (weights * (means - centre) ** 2).sum(0) / (k - 1)
    ratio = between / (1 + 2 * (k - 2) * lack / (k**2 - 1))
    p: np.ndarray = stats.f.sf(ratio, k - 1, (k**2 - 1) / (3 * lack))
    return p


def holm(p: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """Adjust p-values for their number, so that one false alarm is as rare as each one says.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    steps = p[order] * (len(p) - np.arange(len(p)))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
