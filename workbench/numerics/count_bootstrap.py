"""What chance alone does to statistics of counts; the cost does not grow with the rows."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from scipy import special

from workbench.numerics.chunks import slices
from workbench.numerics.intervals import LEVEL

# Counts of groups by cell to a statistic; the first axes are replicates.
Statistic = Callable[[Float[np.ndarray, "*m g c"]], Float[np.ndarray, "*m q"]]
# Elements of replicates that are held at once.
BLOCK = 4_000_000


def resampled(
    counts: Float[np.ndarray, "g c"], resamples: int, random: np.random.Generator
) -> Float[np.ndarray, "b g c"]:
    """Draw rows of each group anew with replacement, by their counts alone.

    A group keeps its size, rounded where counts are not whole. A group without rows stays so.
    """
    sizes = counts.sum(-1)
    shares = counts / np.where(sizes > 0, sizes, 1.0)[:, None]
    shares[sizes <= 0, 0] = 1.0
    drawn = random.multinomial(
        np.rint(sizes).astype(np.int64), shares, size=(resamples, len(counts))
    )
    return drawn.astype(np.float64)


def replicates(
    statistic: Statistic,
    counts: Float[np.ndarray, "g c"],
    resamples: int,
    random: np.random.Generator,
) -> Float[np.ndarray, "b q"]:
    """Return the statistic of resampled counts, a few replicates at a time."""
    step = max(1, BLOCK // counts.size)
    return np.concatenate([
        statistic(resampled(counts, part.stop - part.start, random))
        for part in slices(resamples, step)
    ])  # fmt: skip


def without_one(
    statistic: Statistic, counts: Float[np.ndarray, "g c"]
) -> Float[np.ndarray, "g c q"]:
    """Return the statistic without one row of each cell; without effect where the cell is empty.

    Rows of a cell are alike, so this is the whole jackknife.
    """
    g, c = counts.shape
    places = np.arange(g * c)
    found = []
    for part in slices(g * c, max(1, BLOCK // counts.size)):
        own = places[part]
        left = np.repeat(counts[None], len(own), 0)
        taken = left.reshape(len(own), -1)[np.arange(len(own)), own]
        left.reshape(len(own), -1)[np.arange(len(own)), own] = np.maximum(0.0, taken - 1)
        found.append(statistic(left))
    return np.concatenate(found).reshape(g, c, -1)


def acceleration(
    left_out: Float[np.ndarray, "g c q"], counts: Float[np.ndarray, "g c"]
) -> Float[np.ndarray, " q"]:
    r"""Skewness of the influence of single rows, group by group.

    With :math:`l_{gi} = (n_g - 1) (\bar\theta_{g\cdot} - \theta_{-gi})`,

    .. math:: a = \frac{\sum_{gi} l_{gi}^3 / n_g^3}{6 (\sum_{gi} l_{gi}^2 / n_g^2)^{3/2}}

    0 where no row has an influence, or a statistic is undefined without one.

    References
    ----------
    Davison and Hinkley (1997), Bootstrap Methods and their Application, Sec. 5.3.
    """
    sizes = counts.sum(-1)
    n = np.maximum(sizes, 1.0)[:, None, None]
    rows = counts[..., None]
    filled = np.where(np.isfinite(left_out) | (rows <= 0), left_out, np.nan)
    filled = np.where(rows > 0, filled, 0.0)
    mean = (rows * filled).sum(1, keepdims=True) / n
    influence = (n - 1) * (mean - filled)
    cubes = (rows * influence**3 / n**3).sum((0, 1))
    squares = (rows * influence**2 / n**2).sum((0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = cubes / (6 * squares**1.5)
    return np.where(np.isfinite(found), found, 0.0)


def bca_bounds(
    value: Float[np.ndarray, " q"],
    drawn: Float[np.ndarray, "b q"],
    accelerated: Float[np.ndarray, " q"] | float = 0.0,
    level: float = LEVEL,
) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    r"""Bootstrap interval that is corrected for bias and for a spread that grows with the value.

    With :math:`z_0` the normal quantile of the share of replicates below the value (ties count
    half), the bounds are the quantiles of the replicates at

    .. math:: \Phi\left(z_0 + \frac{z_0 \pm z}{1 - a (z_0 \pm z)}\right).

    Replicates without a value are left out; NaN where more than half of them are, or the value
    itself is.

    References
    ----------
    Efron (1987), Better Bootstrap Confidence Intervals, Sec. 3.
    """
    known = np.isfinite(drawn)
    n = known.sum(0)
    # Replicates add up in another order than the value: equal ones may differ by rounding.
    near = 1e-12 * np.maximum(1.0, np.abs(value))
    with np.errstate(invalid="ignore"):
        below = (drawn < value - near).sum(0) + 0.5 * (np.abs(drawn - value) <= near).sum(0)
    # Never wholly above or below: that is what so many replicates can tell.
    share = np.clip(below / np.maximum(n, 1), 0.5 / np.maximum(n, 1), 1 - 0.5 / np.maximum(n, 1))
    z0, z = special.ndtri(share), special.ndtri(0.5 + level / 2)
    places = []
    for side in (-z, z):
        moved = z0 + side
        scale = np.maximum(1e-6, 1 - accelerated * moved)
        places.append(special.ndtr(z0 + moved / scale))
    ordered = np.sort(np.where(known, drawn, np.inf), axis=0)
    bounds = [_quantile(ordered, place, n) for place in places]
    unknown = (2 * n < len(drawn)) | ~np.isfinite(value)
    low, high = (np.where(unknown, np.nan, bound) for bound in bounds)
    return low, high


def _quantile(
    ordered: Float[np.ndarray, "b q"], place: Float[np.ndarray, " q"], n: Int[np.ndarray, " q"]
) -> Float[np.ndarray, " q"]:
    """Return one quantile of the first ``n`` of each column, between neighbours in proportion."""
    at = np.clip(place, 0.0, 1.0) * np.maximum(n - 1, 0)
    under = np.floor(at).astype(np.int64)
    over = np.minimum(under + 1, np.maximum(n - 1, 0))
    columns = np.arange(ordered.shape[1])
    low, high = ordered[under, columns], ordered[over, columns]
    with np.errstate(invalid="ignore"):
        return np.where(low == high, low, low + (at - under) * (high - low))


def bca_interval(
    statistic: Statistic,
    counts: Float[np.ndarray, "g c"],
    resamples: int,
    random: np.random.Generator,
    level: float = LEVEL,
) -> Float[np.ndarray, "q 3"]:
    """Return a statistic of counts with its BCa interval; groups keep their sizes."""
    value = statistic(counts)
    drawn = replicates(statistic, counts, resamples, random)
    skew = acceleration(without_one(statistic, counts), counts)
    return np.stack([value, *bca_bounds(value, drawn, skew, level)], -1)


def reassigned(
    counts: Int[np.ndarray, "g c"], draws: int, random: np.random.Generator
) -> Float[np.ndarray, "b g c"]:
    """Deal the rows out to the groups at random; groups and cells keep their totals.

    Group after group takes its rows from those that are left, cell after cell, which are
    hypergeometric draws: the same as permuting rows, at a cost that does not grow with them.
    """
    g, c = counts.shape
    sizes = counts.sum(1)
    left = np.repeat(counts.sum(0)[None], draws, 0)  # (b, c)
    dealt = np.zeros((draws, g, c), dtype=np.int64)
    for group in np.flatnonzero(sizes):
        wanted = np.full(draws, sizes[group])
        others = left.sum(1)
        for cell in range(c - 1):
            others -= left[:, cell]
            dealt[:, group, cell] = random.hypergeometric(left[:, cell], others, wanted)
            wanted -= dealt[:, group, cell]
        dealt[:, group, c - 1] = wanted
        left -= dealt[:, group]
    return dealt.astype(np.float64)
