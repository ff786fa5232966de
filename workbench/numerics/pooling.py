"""Rates of groups, drawn together as far as chance explains that they differ."""

import numpy as np
from jaxtyping import Float
from scipy import special

from workbench.numerics.intervals import LEVEL

# Strengths that are averaged over, as multiples of the typical group.
STRENGTHS = np.logspace(-3, 5, 81)


def pooled_rates(
    k: Float[np.ndarray, " g"], n: Float[np.ndarray, " g"], level: float = LEVEL
) -> Float[np.ndarray, "g 3"]:
    r"""Shares ``k`` of ``n`` of groups whose true rates are alike to an unknown degree.

    The true rates follow :math:`\mathrm{Beta}(\mu M, (1 - \mu) M)`: a strength :math:`M` of many
    rows makes them one, of none leaves each to itself. Given :math:`M` the rate of a group is

    .. math:: \frac{k_g + \mu_M M}{n_g + M},

    with :math:`\mu_M` the mean of the groups, each weighted by what it tells of it. This is
    averaged over :math:`M` by the marginal likelihood of the counts, times a prior under which the
    share of the common rate in a group of median size is uniform. The interval is that of the
    beta distribution with the mean and the variance of the posterior.

    Last axis: value, lower and upper bound; NaN for a group without rows.

    References
    ----------
    Morris (1983), Parametric Empirical Bayes Inference; Christiansen and Morris (1997),
    Hierarchical Poisson Regression Modeling, for the prior; Griffiths (1973), Maximum Likelihood
    Estimation for the Beta-Binomial Distribution.
    """
    seen = n > 0
    if not seen.any():
        return np.full((len(n), 3), np.nan)
    typical = float(np.median(n[seen]))
    strength = typical * STRENGTHS[:, None]  # (m, 1)
    centre, noise = _common(k, n, strength)
    one, other = centre * strength, (1 - centre) * strength
    evidence = special.betaln(k + one, n - k + other) - special.betaln(one, other)
    # Of a rate that is not fixed but fitted, the likelihood is spread over its noise.
    log_weight = evidence[:, seen].sum(1) + 0.5 * np.log(noise[:, 0])
    log_weight += np.log(STRENGTHS) - 2 * np.log1p(STRENGTHS)
    weight = special.softmax(log_weight)[:, None]
    mean = (k + one) / (n + strength)
    # Its own noise, that of the common rate, and that of the strength.
    within = mean * (1 - mean) / (n + strength + 1) + (strength / (n + strength)) ** 2 * noise
    value = (weight * mean).sum(0)
    variance = (weight * (within + (mean - value) ** 2)).sum(0)
    total = np.maximum(value * (1 - value) / variance - 1, 1e-9)
    tails = ((1 - level) / 2, (1 + level) / 2)
    bounds = [special.betaincinv(value * total, (1 - value) * total, tail) for tail in tails]
    return np.where(seen[:, None], np.stack([value, *bounds], -1), np.nan)


def _common(
    k: Float[np.ndarray, " g"], n: Float[np.ndarray, " g"], strength: Float[np.ndarray, "m 1"]
) -> tuple[Float[np.ndarray, "m 1"], Float[np.ndarray, "m 1"]]:
    """Return the common rate for each strength, and its variance."""
    # The share of a group varies around the common rate as if it had so many rows.
    rows = n * (strength + 1) / (n + strength)
    total = rows.sum(1, keepdims=True)
    share = k / np.where(n > 0, n, 1.0)
    # Half a row of each kind keeps it off the ends, where nothing would vary.
    centre = ((rows * share).sum(1, keepdims=True) + 0.5) / (total + 1)
    return centre, centre * (1 - centre) / (total + 1)
