"""Is a positive quantity larger than where there is nothing to find? A test from a few draws."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

# A share of the variance below which sizes are not told apart.
LEAST = 1e-6
# Of what is expected without an effect, the band holds this share.
BAND = 0.9
# Networks that are trained on the same drawn labels.
STARTS = 2


class NullBand(NamedTuple):
    """Where single values lie without an effect, and how probable those observed are then.

    Attributes
    ----------
    shared
        Share of the variance that comes from the data and not from the start of a network.
    """

    low: Float[np.ndarray, " s"]
    high: Float[np.ndarray, " s"]
    p: Float[np.ndarray, " s"]
    q: Float[np.ndarray, " s"]
    shared: float


def null_band(
    observed: Float[np.ndarray, "a s"], null: Float[np.ndarray, "l 2 s"], n_tests: int
) -> NullBand:
    r"""Compare positive quantities with draws of them under the null hypothesis.

    All :math:`a` observed values come from the same data, and so do two and two of the null ones,
    from :math:`l` drawn sets of data. Their logarithms :math:`u` and :math:`v` have what the data
    have by chance in common, a share :math:`\rho` of their variance :math:`s^2`. So

    .. math:: t = \frac{\bar u - \bar v}{s \sqrt{\rho (1 + 1/l) + (1 - \rho)(1/a + 1/(2l))}}

    is held against Student's distribution. With the mean squares between and within the sets of
    data, :math:`s^2 = (M_b + M_w) / 2` for each quantity, which has
    :math:`4 / ((1 + \rho)^2 / (l - 1) + (1 - \rho)^2 / l)` degrees of freedom (Satterthwaite).
    :math:`\rho`, from all quantities together, is taken one jackknife standard error larger than
    estimated: at 1, the mean of all observed values is as uncertain as a single one.

    The share of draws that exceed the observed value would not do: its least value
    :math:`1/(2l + 1)` is 0.048 for 20 draws, and passes no correction for as few as two pairs.

    ``q`` is ``p`` after Benjamini and Hochberg over ``n_tests``, those that were left out as if
    they had found nothing. So it does not matter that they were left out for what they looked like.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the False Discovery Rate.
    """
    sets, a = len(null), len(observed)
    u, v = np.log(observed + LEAST), np.log(null + LEAST)
    between, within = _mean_squares(v)
    rho = _careful_share(v)
    degrees = 4 / ((1 + rho) ** 2 / (sets - 1) + (1 - rho) ** 2 / sets)
    # Where no draw differs from another, such as of linear networks, rounding is not a finding.
    spread, centre = np.maximum(np.sqrt((between + within) / 2), LEAST), v.mean((0, 1))
    of_mean = rho / sets + (1 - rho) / (STARTS * sets)
    half = stats.t.ppf(0.5 + BAND / 2, degrees) * spread * np.sqrt(1 + of_mean)
    off = np.sqrt(rho + (1 - rho) / a + of_mean)
    p = stats.t.sf((u.mean(0) - centre) / (spread * off), degrees)
    every = stats.false_discovery_control(np.append(p, np.ones(n_tests - len(p))))
    return NullBand(
        low=np.maximum(np.exp(centre - half) - LEAST, 0.0),
        high=np.exp(centre + half) - LEAST,
        p=p,
        q=every[: len(p)],
        shared=rho,
    )


def _mean_squares(
    v: Float[np.ndarray, "l 2 s"],
) -> tuple[Float[np.ndarray, " s"], Float[np.ndarray, " s"]]:
    """Return the mean squares between sets of data and within them."""
    between: np.ndarray = STARTS * v.mean(1).var(0, ddof=1)
    within: np.ndarray = v.var(1, ddof=1).mean(0)
    return between, within


def _share(v: Float[np.ndarray, "l 2 s"]) -> float:
    """Estimate which share of the variance the data have in common, over all quantities."""
    between, within = (float(part.sum()) for part in _mean_squares(v))
    total = between + within
    return (between - within) / total if total > 0 else 1.0


def _careful_share(v: Float[np.ndarray, "l 2 s"]) -> float:
    """Add a jackknife standard error over the sets of data; from 0 to 1."""
    sets = len(v)
    left_out = np.array([_share(np.delete(v, at, 0)) for at in range(sets)])
    noise = np.sqrt((sets - 1) * left_out.var())
    return float(np.clip(_share(v) + noise, 0.0, 1.0))
