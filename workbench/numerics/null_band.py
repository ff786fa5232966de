"""Is a positive quantity larger than where there is nothing to find? A test from a few draws."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

# A share of the variance below which sizes are not told apart.
LEAST = 1e-6
# Of what is expected without an effect, the band holds this share.
BAND = 0.9


class NullBand(NamedTuple):
    """Where values lie without an effect, and how probable those observed are then."""

    low: Float[np.ndarray, " s"]
    high: Float[np.ndarray, " s"]
    p: Float[np.ndarray, " s"]
    q: Float[np.ndarray, " s"]


def null_band(
    observed: Float[np.ndarray, "a s"], null: Float[np.ndarray, "b s"], n_tests: int
) -> NullBand:
    r"""Compare positive quantities with draws of them under the null hypothesis.

    With logarithms :math:`u` (observed) and :math:`v` (null),

    .. math:: t = \frac{\bar u - \bar v}{s_v \sqrt{1 + 1/b}}

    is held against Student's distribution with :math:`b - 1` degrees of freedom, which makes no
    use of the number of observed values: they come from the same data, so what the data have by
    chance is in all of them, and their mean is as uncertain as a single draw at worst. For a
    single observed value the test is exact where logarithms are normal; for a mean it errs on the
    careful side.

    The share of draws that exceed the observed value would not do: its least value
    :math:`1/(b + 1)` is 0.048 for 20 draws, and passes no correction for as few as two pairs.

    ``q`` is ``p`` after Benjamini and Hochberg over ``n_tests``, those that were left out as if
    they had found nothing. So it does not matter that they were left out for what they looked like.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the False Discovery Rate.
    """
    b = len(null)
    u, v = np.log(observed + LEAST), np.log(null + LEAST)
    centre, spread = v.mean(0), v.std(0, ddof=1) * np.sqrt(1 + 1 / b)
    # Where no draw differs from another, such as of linear networks, rounding is not a finding.
    spread = np.maximum(spread, LEAST)
    half = stats.t.ppf(0.5 + BAND / 2, b - 1) * spread
    p = stats.t.sf((u.mean(0) - centre) / spread, b - 1)
    return NullBand(
        low=np.maximum(np.exp(centre - half) - LEAST, 0),
        high=np.exp(centre + half) - LEAST,
        p=p,
        q=stats.false_discovery_control(np.append(p, np.ones(n_tests - len(p))))[: len(p)],
    )
