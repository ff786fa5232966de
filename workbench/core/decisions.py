"""Decisions of several models about the same rows: which change, and what the changes do."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

LEVEL = 0.95
PAIR_BYTES = 2**26


class Shares(NamedTuple):
    """Shares and their 95 % intervals, element by element."""

    value: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]


class Effects(NamedTuple):
    """Shares of rows whose decision changes, by what the change does, for each model.

    ``fixes`` were wrong and become right, ``breaks`` were right and become wrong; ``neutral`` are
    wrong before and after, in another way.
    """

    fixes: Float[np.ndarray, " m"]
    breaks: Float[np.ndarray, " m"]
    neutral: Float[np.ndarray, " m"]


def support(
    scores: Float[np.ndarray, "*m n k"], chosen: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "*m n"]:
    r"""Half the lead of each row's chosen class over its strongest rival.

    .. math:: g(x) = \tfrac12 \bigl(p_b(x) - \max_{c \ne b} p_c(x)\bigr)

    Of two classes it is the distance of a probability from one half; it is negative where a model
    decides otherwise.
    """
    is_chosen = np.arange(scores.shape[-1]) == chosen[:, None]
    own = np.where(is_chosen, scores, 0.0).sum(-1)
    rival = np.where(is_chosen, -np.inf, scores).max(-1)
    lead: np.ndarray = (own - rival) / 2
    return lead


def smoothed_churn(
    margins: Float[np.ndarray, "m n"], base: Float[np.ndarray, " n"], gamma: float
) -> Float[np.ndarray, " m"]:
    r"""Churn against a base with decisions that turn over a margin instead of at once.

    .. math:: C_\gamma = \frac1n \sum_i \tfrac12
              \bigl| \mathrm{clip}(g_m(x_i) / \gamma) - \mathrm{clip}(g_0(x_i) / \gamma) \bigr|

    with :math:`\mathrm{clip}` to [-1, 1] and :math:`g` the ``support`` of the base's decision. A
    row counts in full where it moves from one side of the band of half-width :math:`\gamma` to
    the other, and a nudge within the band counts as much as it is.

    References
    ----------
    Milani Fard, Cormier, Canini and Gupta (2016), Launch and Iterate: Reducing Prediction Churn,
    Sec. 3, for churn with a margin.
    """
    before, after = np.clip(base / gamma, -1, 1), np.clip(margins / gamma, -1, 1)
    smooth: np.ndarray = np.abs(after - before).mean(1) / 2
    return smooth


def pairwise_churn(decisions: Int[np.ndarray, "m n"]) -> Float[np.ndarray, "m m"]:
    r"""Share of rows that each two models decide differently, by one matrix product.

    .. math:: C = 1 - \frac1n Z Z^\top, \quad Z \in \{0, 1\}^{m \times nk}

    with a one in each row and class that a model chooses; symmetric, 0 on the diagonal.
    """
    m, n = decisions.shape
    if not m:
        return np.zeros((0, 0))
    classes = np.unique(decisions)
    step = max(1, PAIR_BYTES // (4 * m * len(classes)))
    agree = np.zeros((m, m))
    for start in range(0, n, step):
        part = decisions[:, start : start + step]
        chosen = (part[:, :, None] == classes).reshape(m, -1).astype(np.float32)
        agree += chosen @ chosen.T
    return 1 - agree / n


def effects_of(
    decisions: Int[np.ndarray, "m n"], base: Int[np.ndarray, " n"], truth: Int[np.ndarray, " n"]
) -> Effects:
    """Split the churn of each model into fixes, breaks and what is wrong either way."""
    flips, right, was_right = decisions != base, decisions == truth, base == truth
    fixes, breaks = flips & right, flips & was_right
    return Effects(fixes.mean(1), breaks.mean(1), (flips & ~fixes & ~breaks).mean(1))


def shares_of(happened: Bool[np.ndarray, "m n"]) -> Shares:
    """Share of models for which something happened, by row, with Wilson's interval.

    References
    ----------
    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.
    """
    m, z = len(happened), float(stats.norm.ppf(0.5 + LEVEL / 2))
    share = happened.mean(0)
    centre = share + z * z / (2 * m)
    half = z * np.sqrt(share * (1 - share) / m + (z / (2 * m)) ** 2)
    scale = 1 + z * z / m
    low, high = (centre - half) / scale, (centre + half) / scale
    return Shares(share, np.clip(low, 0.0, share), np.clip(high, share, 1.0))
