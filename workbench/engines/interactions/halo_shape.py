"""Which joint models make up a halo: how the tolerance is shared out, and in which directions."""

import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

OCTANTS = (-1, 1)


class Shape(NamedTuple):
    """Joint models of a set of features.

    Attributes
    ----------
    fractions
        Shares of the tolerance that occur, ascending.
    steps
        For each joint model and feature, which of them it has.
    signs
        Whether its mask is below 1 (-1) or above (1).
    """

    fractions: Float[np.ndarray, " b"]
    steps: Int[np.ndarray, "v o"]
    signs: Int[np.ndarray, "v o"]

    @property
    def shares(self) -> Float[np.ndarray, "v o"]:
        """Share of the tolerance of each feature."""
        return self.fractions[self.steps]


def tenths(budgets: int) -> Float[np.ndarray, " b"]:
    """Return the shares of the tolerance from 0 to 1 in so many steps."""
    return np.arange(budgets + 1) / budgets


def shape_of(order: int, budgets: int, angles: int, *, with_zeros: bool) -> Shape:
    """Lay out the joint models of pairs or triples.

    Parameters
    ----------
    budgets
        Steps that the tolerance is shared out in.
    angles
        For pairs, how many directions at even angles there are in a quadrant; 0 for one for each
        way to share out the steps.
    with_zeros
        For triples, whether a feature may get no share.

    Examples
    --------
    >>> len(shape_of(2, 10, 0, with_zeros=False).steps)
    36
    >>> [len(shape_of(3, 10, 0, with_zeros=zeros).steps) // 8 for zeros in (False, True)]
    [36, 63]
    """
    ways: list[tuple[int, ...]]
    if order == 2 and angles:
        angle = (np.arange(angles) + 0.5) * (np.pi / 2) / angles
        fractions = np.sort(np.cos(angle) / (np.cos(angle) + np.sin(angle)))
        ways = [(at, angles - 1 - at) for at in range(angles)]
    else:
        fractions, least = tenths(budgets), 0 if with_zeros and order == 3 else 1
        counted = itertools.product(range(least, budgets), repeat=order)
        ways = [way for way in counted if sum(way) == budgets]
    quadrants = list(itertools.product(OCTANTS, repeat=order))
    steps = np.array([way for way in ways for _ in quadrants], dtype=np.int64)
    signs = np.array([signs for _ in ways for signs in quadrants], dtype=np.int64)
    shape = Shape(fractions, steps, signs)
    if order == 3:
        return shape
    x, y = (shape.shares * signs).T
    around = np.argsort(np.arctan2(y, x), kind="stable")
    return Shape(fractions, steps[around], signs[around])
