"""How much two explanations of the same rows say the same: strongest features, order, signs."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats


def shared_top(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n d"], *, top: int
) -> Float[np.ndarray, " n"]:
    r"""Share of the strongest features that two explanations have in common, for each row.

    With :math:`T_a` the ``top`` features that are largest in absolute value,

    .. math:: |T_a \cap T_b| / |T_a|.

    Features of which either says nothing (NaN) are left out of both; where fewer than ``top``
    remain, all of them count, and where none does the share is NaN. Of two features of one size
    the earlier one is the stronger.

    References
    ----------
    Krishna, Han, Gu, Wu, Jabbari and Lakkaraju (2024), The Disagreement Problem in Explainable
    Machine Learning, Sec. 3.2: feature agreement.

    Examples
    --------
    >>> shared_top(np.array([[3.0, -2.0, 1.0]]), np.array([[0.0, 5.0, 4.0]]), top=2)
    array([0.5])
    """
    one, other = _tops(first, second, top)
    return _share(one.within & other.within, one.size)


def shared_ranks(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n d"], *, top: int
) -> Float[np.ndarray, " n"]:
    """Share of the strongest features that have the same place in both, for each row.

    References
    ----------
    Krishna et al. (2024), Sec. 3.2: rank agreement.

    Examples
    --------
    >>> shared_ranks(np.array([[3.0, -2.0, 1.0]]), np.array([[5.0, 0.5, 4.0]]), top=2)
    array([0.5])
    """
    one, other = _tops(first, second, top)
    return _share(one.within & other.within & (one.place == other.place), one.size)


def shared_signs(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n d"], *, top: int
) -> Float[np.ndarray, " n"]:
    """Share of the strongest features that are in both and point the same way, for each row.

    References
    ----------
    Krishna et al. (2024), Sec. 3.2: sign agreement.

    Examples
    --------
    >>> shared_signs(np.array([[3.0, -2.0, 1.0]]), np.array([[5.0, 4.0, 0.5]]), top=2)
    array([0.5])
    """
    one, other = _tops(first, second, top)
    alike = np.sign(first) == np.sign(second)
    return _share(one.within & other.within & alike, one.size)


def shared_signed_ranks(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n d"], *, top: int
) -> Float[np.ndarray, " n"]:
    """Share of the strongest features with the same place and the same sign, for each row.

    References
    ----------
    Krishna et al. (2024), Sec. 3.2: signed rank agreement.

    Examples
    --------
    >>> shared_signed_ranks(np.array([[3.0, -2.0, 1.0]]), np.array([[5.0, 4.0, 0.5]]), top=2)
    array([0.5])
    """
    one, other = _tops(first, second, top)
    alike = (np.sign(first) == np.sign(second)) & (one.place == other.place)
    return _share(one.within & other.within & alike, one.size)


def rank_correlation(
    first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n d"]
) -> Float[np.ndarray, " n"]:
    r"""Spearman's correlation of the values, signs included, for each row.

    .. math:: \rho = \frac{\sum_j (r_j - \bar r)(s_j - \bar s)}
                          {\sqrt{\sum_j (r_j - \bar r)^2 \sum_j (s_j - \bar s)^2}}

    over ranks :math:`r, s` of the features of which both say something; equal values share their
    mean rank. NaN where either has one value for all.

    References
    ----------
    Spearman (1904), The Proof and Measurement of Association between Two Things.

    Examples
    --------
    >>> rank_correlation(np.array([[1.0, 2.0, 3.0, 9.0]]), np.array([[1.0, 3.0, 2.0, np.nan]]))
    array([0.5])
    """
    known = np.isfinite(first) & np.isfinite(second)
    one, other = (_centred_ranks(values, known) for values in (first, second))
    size = np.sqrt(np.square(one).sum(1) * np.square(other).sum(1))
    return (one * other).sum(1) / np.where(size > 0, size, np.nan)


def agreement_of(
    values: Float[np.ndarray, "n m d"], measure: str, *, top: int
) -> Float[np.ndarray, "m m"]:
    """Mean agreement of each two of ``m`` explanations over the rows where it is defined.

    Parameters
    ----------
    measure
        A key of ``AGREEMENTS``.
    top
        How many features are the strongest; the rank correlation is over all.

    Returns
    -------
    Symmetric; NaN for two explanations that have nothing to compare in any row.
    """
    m = values.shape[1]
    found = np.full((m, m), np.nan)
    for i in range(m):
        for j in range(i, m):
            by_row = AGREEMENTS[measure].measured(values[:, i], values[:, j], top)
            defined = by_row[np.isfinite(by_row)]
            if len(defined):
                found[i, j] = found[j, i] = defined.mean()
    return found


class Agreement(NamedTuple):
    """A way to hold two explanations against each other, and what it measures in words."""

    words: str
    measured: Callable[[np.ndarray, np.ndarray, int], np.ndarray]


AGREEMENTS: Mapping[str, Agreement] = {
    "top": Agreement("strongest features shared", lambda a, b, top: shared_top(a, b, top=top)),
    "rank": Agreement("rank correlation of the values", lambda a, b, _: rank_correlation(a, b)),
    "sign": Agreement(
        "strongest features shared, with the same sign",
        lambda a, b, top: shared_signs(a, b, top=top),
    ),
    "same-rank": Agreement(
        "strongest features in the same place", lambda a, b, top: shared_ranks(a, b, top=top)
    ),
    "signed-rank": Agreement(
        "strongest features in the same place, with the same sign",
        lambda a, b, top: shared_signed_ranks(a, b, top=top),
    ),
}


class _Top(NamedTuple):
    """The strongest features of each row: which they are, each one's place, and how many."""

    within: Bool[np.ndarray, "n d"]
    place: Int[np.ndarray, "n d"]
    size: Int[np.ndarray, " n"]


def _tops(first: np.ndarray, second: np.ndarray, top: int) -> tuple[_Top, _Top]:
    known = np.isfinite(first) & np.isfinite(second)
    count = np.minimum(top, known.sum(1))

    def top_of(values: np.ndarray) -> _Top:
        order = np.argsort(-np.where(known, np.abs(values), -1.0), axis=1, kind="stable")
        place = np.argsort(order, axis=1, kind="stable")
        return _Top(place < count[:, None], place, count)

    return top_of(first), top_of(second)


def _share(alike: Bool[np.ndarray, "n d"], count: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return alike.sum(1) / np.where(count > 0, count, np.nan)


def _centred_ranks(
    values: Float[np.ndarray, "n d"], known: Bool[np.ndarray, "n d"]
) -> Float[np.ndarray, "n d"]:
    """Ranks less their mean; 0 where a feature is left out."""
    ranks = stats.rankdata(np.where(known, values, np.inf), axis=1)  # those left out come last
    count = known.sum(1, keepdims=True)
    return np.where(known, ranks - (count + 1) / 2, 0.0)
