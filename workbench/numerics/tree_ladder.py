r"""How rare good trees are where none of a million drawn at random is good.

Trees are led from bad to good over a ladder of levels. At each level the worst are replaced by
copies of the others, which then wander: a statement is drawn anew, and kept if the tree stays
within the level. The share of good trees is the product of the shares that survived each level,

.. math:: P(e \le g) = P(e \le l_1) \prod_i P(e \le l_{i+1} \mid e \le l_i),

so that a share of :math:`10^{-40}` takes a hundred levels and not :math:`10^{40}` trees.

References
----------
Au and Beck (2001), Estimation of Small Failure Probabilities in High Dimensions by Subset
Simulation. Cérou, Del Moral, Furon and Guyader (2012), Sequential Monte Carlo for Rare Event
Estimation.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Integer

from workbench.numerics.tree_sampling import Leaves, Packed, leaves_of

# Of the trees of a level, those that lead to the next.
KEPT = 0.3
STEPS = 12


class Climbed(NamedTuple):
    """Where a ladder led.

    Attributes
    ----------
    log_share
        Natural logarithm of the share of trees, labels apart, that are good. Where the ladder
        ended below them, of those at the last level that was reached, which is more.
    splits, leaves
        Good trees, alike but not independent; none where the ladder ended below.
    best
        Mistakes of the best tree that was seen.
    evaluations
        Trees that were looked at.
    """

    log_share: float
    splits: Integer[np.ndarray, "t s"]
    leaves: Leaves
    best: int
    evaluations: int


def climb(
    rows: Packed, splits: Integer[np.ndarray, "t s"], log_share: float, best: int,
    goal: Callable[[int], int], random: np.random.Generator, watch: Callable[[], None],
    *, steps: int = STEPS, limit: int = 10**9,
) -> Climbed:  # fmt: skip
    """Lead trees up to the good ones.

    Parameters
    ----------
    splits
        Trees that are a sample of a share of all trees, with the logarithm of this share.
    best
        Mistakes of the best tree that is known.
    goal
        How many mistakes a good tree may make, given those of the best.
    watch
        Called at each level; raises to stop.
    steps
        Statements of each tree that are drawn anew at each level.
    limit
        Trees to look at, after which the ladder ends at the next level.
    """
    leaves = leaves_of(rows, splits)
    errors, tried, n = leaves.errors, len(splits), len(splits)
    while True:
        watch()
        best = min(best, int(errors.min()))
        last = goal(best)
        level = max(last, _next_level(errors))
        alive = np.flatnonzero(errors <= level)
        if not len(alive) or tried >= limit:
            return Climbed(log_share, splits[:0], _taken(leaves, alive[:0]), best, tried)
        log_share += math.log(len(alive) / n)
        if level == last:
            return Climbed(log_share, splits[alive], _taken(leaves, alive), best, tried)
        chosen = np.concatenate([alive, random.choice(alive, n - len(alive))])
        splits, leaves = splits[chosen], _taken(leaves, chosen)
        for _ in range(steps):
            splits, leaves = _wander(rows, splits, leaves, level, random)
        errors, tried = leaves.errors, tried + steps * n


def _next_level(errors: Int[np.ndarray, " t"]) -> int:
    """Mistakes that about ``KEPT`` of the trees do not exceed, and surely not all of them."""
    level = int(np.sort(errors)[int(KEPT * (len(errors) - 1))])
    return min(level, int(errors.max()) - 1)


def _wander(
    rows: Packed, splits: Integer[np.ndarray, "t s"], leaves: Leaves, level: int,
    random: np.random.Generator,
) -> tuple[Integer[np.ndarray, "t s"], Leaves]:  # fmt: skip
    """Draw one statement of each tree anew, and keep it where the tree stays within the level."""
    t, s = splits.shape
    moved = splits.copy()
    moved[np.arange(t), random.integers(0, s, t)] = random.integers(0, rows.words.shape[1], t)
    found = leaves_of(rows, moved)
    kept = found.errors <= level
    return np.where(kept[:, None], moved, splits), Leaves(
        np.where(kept, found.counts, leaves.counts),
        np.where(kept, found.patterns, leaves.patterns),
    )


def _taken(leaves: Leaves, chosen: Int[np.ndarray, " c"]) -> Leaves:
    return Leaves(leaves.counts[:, :, chosen], leaves.patterns[chosen])
