"""Which of several models no other beats in two things at once, and how sure that is."""

import numpy as np
from jaxtyping import Bool, Float

# Comparisons that are held in memory at once.
CHUNK = 2**24


def pareto(
    gain: Float[np.ndarray, "*b m"], cost: Float[np.ndarray, "*b m"]
) -> Bool[np.ndarray, "*b m"]:
    r"""Tell which models are on the front: no other has as much gain at as little cost, and more.

    .. math:: i \in F \iff \nexists j: g_j \ge g_i, c_j \le c_i, (g_j, c_j) \ne (g_i, c_i)

    Models that are equal in both stay or go together, so that the order of the models decides
    nothing. A model with an undefined number is not on the front and beats none.
    """
    known = np.isfinite(gain) & np.isfinite(cost)
    gain, cost = np.where(known, gain, -np.inf), np.where(known, cost, np.inf)
    # By falling gain, and among equal gains by rising cost: what is on the front costs less than
    # all with more gain, and as little as the least with its own.
    order = np.lexsort((cost, -gain), axis=-1)
    g, c = np.take_along_axis(gain, order, -1), np.take_along_axis(cost, order, -1)
    starts = np.ones(g.shape, dtype=bool)
    starts[..., 1:] = g[..., 1:] != g[..., :-1]
    place = np.where(starts, np.arange(g.shape[-1]), 0)
    first = np.maximum.accumulate(place, axis=-1)  # of those with the same gain
    least = np.minimum.accumulate(c, axis=-1)
    before = np.concatenate([np.full((*c.shape[:-1], 1), np.inf), least], -1)
    found = (c == np.take_along_axis(c, first, -1)) & (c < np.take_along_axis(before, first, -1))
    kept = np.empty_like(found)
    np.put_along_axis(kept, order, found, -1)
    return kept & known


def chance_on_front(
    gain: Float[np.ndarray, "b m"], cost: Float[np.ndarray, "b m"]
) -> Float[np.ndarray, " m"]:
    """Return the share of resamples in which each model is on the front of ``pareto``."""
    share: np.ndarray = pareto(gain, cost).mean(0)
    return share


def chance_to_beat(
    gain: Float[np.ndarray, "b m"],
    cost: Float[np.ndarray, "b m"],
    other_gain: Float[np.ndarray, "b o"],
    other_cost: Float[np.ndarray, "b o"],
) -> Float[np.ndarray, "m o"]:
    """Return the share of resamples in which one model beats another.

    It does with as much gain at no more cost, being better in one of them. Resamples are paired:
    the same rows for all. Those in which a number is undefined count as not beaten.
    """
    b, m = gain.shape
    found = np.zeros((m, other_gain.shape[1]))
    step = max(1, CHUNK // max(1, found.size))
    for start in range(0, b, step):
        part = slice(start, start + step)
        g, h = gain[part, :, None], other_gain[part, None]
        c, d = cost[part, :, None], other_cost[part, None]
        found += ((g >= h) & (c <= d) & ((g > h) | (c < d))).sum(0)
    return found / max(1, b)
