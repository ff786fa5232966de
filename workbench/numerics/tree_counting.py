r"""How many trees make how many mistakes, counted without looking at each of them.

A tree of depth :math:`D` is a statement and two trees of depth :math:`D - 1`, one for the rows of
which it is true and one for the others, and mistakes add up. So the shares :math:`p_D(S, e)` of all
labelled trees that get :math:`e` of the rows :math:`S` wrong follow from those of the parts,

.. math:: p_D(S, e) = \frac1m \sum_j \sum_{a + b = e}
          p_{D-1}(S \cap j, a)\, p_{D-1}(S \setminus j, b),

and those of depth 1 from counts of pairs of statements, which are one product of matrices. All
numbers are positive and added up as they are, so that the smallest share keeps its digits.
"""

import numpy as np
from jaxtyping import Bool, Float, Int, Integer

COUNTED = 2  # depth of trees whose counts of pairs are made at once


def error_shares(
    holds: Bool[np.ndarray, "n m"], classes: Int[np.ndarray, " n"], n_classes: int, depth: int,
    most: int,
) -> Float[np.ndarray, " e"]:  # fmt: skip
    """Return the shares of all labelled trees of a depth that get 0, 1, ... ``most`` rows wrong.

    Takes about ``(2 m) ** (depth - 2)`` times ``(2 m n_classes) ** 2 + m (most + 1) ** 2`` steps.

    Parameters
    ----------
    depth
        At least 1.
    """
    counts = np.bincount(classes, minlength=n_classes)
    if depth == 1:
        true = np.stack([holds[classes == c].sum(0) for c in range(n_classes)])  # (k, m)
        return _shares_of_stumps(true[:, None], counts[:, None], most)[0]
    if depth == COUNTED:
        yes, no = _shares_below(holds, classes, counts, most)
    else:
        yes, no = (
            np.stack([
                error_shares(holds[side], classes[side], n_classes, depth - 1, most)
                for side in sides
            ])
            for sides in (holds.T, ~holds.T)
        )
    return added(yes, no)


def _shares_below(
    holds: Bool[np.ndarray, "n m"], classes: Int[np.ndarray, " n"],
    counts: Int[np.ndarray, " k"], most: int,
) -> tuple[Float[np.ndarray, "m e"], Float[np.ndarray, "m e"]]:  # fmt: skip
    """Shares of trees of depth 1 on the rows of which each statement is true, and on the others."""
    both = np.stack([
        np.matmul(own.T, own).astype(np.int64)
        for own in (holds[classes == c].astype(np.float32) for c in range(len(counts)))
    ])  # (k, m, m)
    one = np.diagonal(both, axis1=1, axis2=2)  # (k, m)
    return (
        _shares_of_stumps(both, one, most),
        _shares_of_stumps(one[:, None, :] - both, counts[:, None] - one, most),
    )


def _shares_of_stumps(
    true: Integer[np.ndarray, "k s m"], counts: Integer[np.ndarray, "k s"], most: int
) -> Float[np.ndarray, "s e"]:
    """Shares of trees of depth 1 by mistakes, for some sets of rows given by counts of classes."""
    k, s, m = true.shape
    false = counts[:, :, None] - true
    wrong = [part.sum(0) - part for part in (true, false)]  # for each label, (k, s, m)
    places = np.arange(s)[:, None] * (most + 2)
    found = np.zeros(s * (most + 2))
    for yes in wrong[0]:
        for no in wrong[1]:
            where = places + np.minimum(yes + no, most + 1)
            found += np.bincount(where.ravel(), minlength=len(found))
    return found.reshape(s, most + 2)[:, :-1] / (m * k * k)


def added(
    one: Float[np.ndarray, "m e"], other: Float[np.ndarray, "m e"]
) -> Float[np.ndarray, " e"]:
    """Shares of sums of two independent numbers, on average over the lines."""
    m, e = one.shape
    pairs = np.matmul(one.T, other) / m  # (a, b)
    # Each line one place further right than the one before, so that columns are sums a + b.
    skewed = np.pad(pairs, ((0, 0), (0, e))).ravel()[: e * (2 * e - 1)].reshape(e, 2 * e - 1)
    found: np.ndarray = skewed.sum(0)[:e]
    return found
