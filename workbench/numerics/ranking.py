"""How well a score tells rows where something happened from the others."""

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from workbench.numerics.intervals import UNKNOWN, area_interval, logit_interval


def area_of(
    scores: Float[np.ndarray, " n"], happened: Bool[np.ndarray, " n"]
) -> tuple[float, float, float]:
    r"""Area under the ROC curve with its 95 % interval; NaN where all rows are alike.

    The chance that a row where it happened has the larger score, a tie counted half. The variance
    is that of the shares of the other rows that each row outranks, summed over both kinds of
    rows; the interval is made on the logit scale, or is a score interval where there is no
    spread.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Comparing the Areas under Two or More Correlated
    Receiver Operating Characteristic Curves.
    """
    one, other = scores[happened], scores[~happened]
    n_one, n_other = len(one), len(other)
    if not n_one or not n_other:
        return np.nan, *UNKNOWN
    ranks = stats.rankdata(scores)
    beaten = (ranks[happened] - stats.rankdata(one)) / n_other
    beating = 1 - (ranks[~happened] - stats.rankdata(other)) / n_one
    area = float(np.clip(beaten.mean(), 0.0, 1.0))
    if min(n_one, n_other) > 1 and 0 < area < 1:
        variance = float(beaten.var(ddof=1) / n_one + beating.var(ddof=1) / n_other)
        if variance > 0:
            return area, *logit_interval(area, float(np.sqrt(variance)))
    return area, *area_interval(area, float(n_one), float(n_other))
