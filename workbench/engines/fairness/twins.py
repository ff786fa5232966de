"""Real rows of another group that are much like a row."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.context import Context
from workbench.core.table import Table
from workbench.engines.fairness.assignments import Assignments
from workbench.numerics.group_support import nearest, positions

TWINS, MOST_ROWS = 0xF11B, 5000


def find_twins(
    rows: Table, assignments: Assignments, neighbours: int, context: Context
) -> tuple[Int[np.ndarray, "n c"], Int[np.ndarray, "n o"]]:
    """Draw for each row and assignment one of the rows that have it and are most like this one.

    Likeness is that of all features but the protected attributes (``positions``). Of groups of
    more than 5,000 rows as many are drawn first.

    Returns
    -------
    Row that stands for each row under each assignment, itself under its own; and as many rows of
    its own group as there are other assignments, which it is as much like. -1 where nobody else
    has the assignment.
    """
    others = [j for j in range(len(rows.schema.features)) if j not in assignments.places]
    X = rows.X[:, others]
    placed = positions(tuple(rows.schema.features[j] for j in others), X, X)
    n, c = len(rows), len(assignments)
    found, alike = np.full((n, c), -1), np.full((n, c - 1), -1)
    for at in range(c):
        rng = context.stream(TWINS, at)
        mine, rest = (np.flatnonzero((assignments.own == at) == is_own) for is_own in (True, False))
        found[mine, at] = mine
        known = np.sort(rng.permutation(mine)[:MOST_ROWS])
        if len(known) and len(rest):
            drawn = rng.random((len(rest), 1))
            found[rest, at] = _drawn(placed, rest, known, neighbours, drawn, context)[:, 0]
        if len(known) > 1:
            drawn = rng.random((len(mine), c - 1))
            alike[mine] = _drawn(placed, mine, known, neighbours, drawn, context)
    return found, alike


def _drawn(
    placed: Float[Tensor, "n p"],
    rows: Int[np.ndarray, " m"],
    known: Int[np.ndarray, " r"],
    neighbours: int,
    uniform: Float[np.ndarray, "m t"],
    context: Context,
) -> Int[np.ndarray, "m t"]:
    """Draw from the nearest of the known rows, never the row itself."""
    itself = np.searchsorted(known, rows)
    itself = np.where(known[np.minimum(itself, len(known) - 1)] == rows, itself, -1)
    # Where some row is known itself, each leaves one out.
    there = len(known) - int((itself >= 0).any())
    k = min(neighbours, there)
    if k < there and placed.shape[1]:
        pick = (uniform * k).astype(np.int64)
        near = nearest(
            placed[torch.from_numpy(rows)], placed[torch.from_numpy(known)], k,
            own=torch.from_numpy(itself), context=context, what="rows placed",
        )  # fmt: skip
        return known[np.take_along_axis(near.numpy(), pick, 1)]
    pick = (uniform * there).astype(np.int64)  # any of them, those after itself moved up by one
    pick += (itself >= 0)[:, None] & (pick >= itself[:, None])
    return known[pick]
