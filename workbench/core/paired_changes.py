"""How a share changes when the same rows are decided twice, and how sure that is."""

import numpy as np
from jaxtyping import Float, Int

# The 97.5 % quantile of the normal distribution.
Z = 1.959963984540054


def changes_by(
    change: Float[np.ndarray, " n"], group: Int[np.ndarray, " n"], n_groups: int
) -> Float[np.ndarray, "g 3"]:
    r"""Mean change of each group with its 95 % interval; NaN for a group without rows.

    With :math:`d_i` the row's decision after less that before, and one row more that gains and
    one more that loses,

    .. math:: \frac{\sum_i d_i}{n + 2} \pm z \sqrt{\frac{1}{n + 2}
              \Bigl(\frac{2 + \sum_i d_i^2}{n + 2} - \bigl(\tfrac{\sum_i d_i}{n+2}\bigr)^2\Bigr)}.

    For decisions of 0 and 1 it rests on the rows that change, as McNemar's test does. It is never
    a point, so that "nobody changes" does not pass for certain.

    References
    ----------
    Bonett and Price (2012), Adjusted Wald Confidence Interval for a Difference of Binomial
    Proportions Based on Paired Data.

    Examples
    --------
    >>> changes_by(np.array([1.0, 1.0, 0.0, -1.0]), np.zeros(4, int), 1).round(3)
    array([[ 0.25 , -0.551,  0.885]])
    """
    n = np.bincount(group, minlength=n_groups).astype(float)
    total = np.bincount(group, change, n_groups)
    squares = np.bincount(group, change**2, n_groups)
    centre = total / (n + 2)
    half = Z * np.sqrt(((squares + 2) / (n + 2) - centre**2) / (n + 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
    found = np.stack([mean, np.maximum(centre - half, -1), np.minimum(centre + half, 1)], -1)
    found[n == 0] = np.nan
    return found
