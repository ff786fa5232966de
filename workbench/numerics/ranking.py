"""How well a score tells rows where something happened from the others."""

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from workbench.numerics.intervals import UNKNOWN, area_interval, logit_interval


def area(scores: Float[np.ndarray, " n"], happened: Bool[np.ndarray, " n"]) -> float:
    """Area under the ROC curve; NaN where all rows are alike.

    The chance that a row where it happened has the larger score, a tie counted half.
    """
    n_one = int(happened.sum())
    n_other = len(happened) - n_one
    if not n_one or not n_other:
        return np.nan
    ranks = float(stats.rankdata(scores)[happened].sum())
    return (ranks - n_one * (n_one + 1) / 2) / (n_one * n_other)


def area_of(
    scores: Float[np.ndarray, " n"], happened: Bool[np.ndarray, " n"]
) -> tuple[float, float, float]:
    r"""Area under the ROC curve, as ``area``, with its 95 % interval.

    The variance is that of the shares of the other rows that each row outranks, summed over both
    kinds of rows; the interval is made on the logit scale, or is a score interval where there is
    no spread.

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
    found = area(scores, happened)
    if min(n_one, n_other) > 1 and 0 < found < 1:
        variance = float(beaten.var(ddof=1) / n_one + beating.var(ddof=1) / n_other)
        if variance > 0:
            return found, *logit_interval(found, float(np.sqrt(variance)))
    return found, *area_interval(found, float(n_one), float(n_other))
