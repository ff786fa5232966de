"""Whether an alternative could be anybody: who is like this, and what goes together."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from workbench.core.context import Context
from workbench.core.flips import SELDOM
from workbench.core.table import Table
from workbench.engines.fairness.assignments import Assignments
from workbench.engines.fairness.flips_params import FlipsParams
from workbench.numerics.group_support import (
    REFERENCE,
    balanced_rows,
    positions,
    support_of,
    together,
)

REFERENCES, KEPT_PAIRS = 0xF11C, 20


@dataclass(frozen=True, eq=False)
class Support:
    """How likely the alternatives of each row are; fields as in ``AttributeFlips``."""

    support: Float[np.ndarray, "n c"]
    seldom: Bool[np.ndarray, "n c"]
    pairs: tuple[tuple[str, str], ...]
    pair_flips: Int[np.ndarray, " u"]
    pair_seen: Int[np.ndarray, " u"]
    pair_expected: Float[np.ndarray, " u"]


def supported(
    rows: Table, data: Assignments, asked: Table, assignments: Assignments, params: FlipsParams,
    context: Context,
) -> Support:  # fmt: skip
    """Hold alternatives of the rows that are asked of against the rows of the table.

    Parameters
    ----------
    data
        Assignments of the rows of the table; ``assignments`` are those of the rows asked of.
    """
    shape = len(asked), len(assignments)
    if params.mode == "conditional":  # they are real rows
        nothing = np.zeros(0, dtype=np.int64)
        return Support(
            np.full(shape, np.nan), np.zeros(shape, dtype=bool), (), nothing, nothing,
            np.zeros(0),
        )  # fmt: skip
    return Support(
        _nearby(rows, data, asked, context), *_going_together(rows, data, asked, assignments)
    )


def _nearby(
    rows: Table, data: Assignments, asked: Table, context: Context
) -> Float[np.ndarray, "n c"]:
    others = [j for j in range(len(rows.schema.features)) if j not in data.places]
    features = tuple(rows.schema.features[j] for j in others)
    drawn = balanced_rows(data.own, len(data), REFERENCE, context.stream(REFERENCES))
    known, given = rows.X[:, others], asked.X[:, others]
    own = None
    if asked.X is rows.X:  # a row is no neighbour of itself
        own = torch.full((len(rows),), -1)
        own[torch.from_numpy(drawn)] = torch.arange(len(drawn))
    return support_of(
        positions(features, known, given), positions(features, known, known[drawn]),
        data.own[drawn], len(data), own=own, context=context,
    )  # fmt: skip


def _going_together(
    rows: Table, data: Assignments, asked: Table, assignments: Assignments
) -> tuple[
    Bool[np.ndarray, "n c"], tuple[tuple[str, str], ...], Int[np.ndarray, " u"],
    Int[np.ndarray, " u"], Float[np.ndarray, " u"],
]:  # fmt: skip
    n, c = len(asked), len(assignments)
    alternative = assignments.own[:, None] != np.arange(c)
    seldom = np.zeros((n, c), dtype=bool)
    met = []
    for at, name in enumerate(data.attributes):
        n_levels, level = len(data.levels[at]), data.levels_of[:, at]  # (c,)
        own = assignments.level_of(at)
        for place, feature in enumerate(rows.schema.features):
            if not feature.categories or place in data.places:
                continue
            n_values = len(feature.categories)
            found = together(
                data.level_of(at), n_levels, _codes(rows, place), n_values, share=SELDOM
            )
            if not found.seldom.any():
                continue
            value = _codes(asked, place)
            # What a row has already is no fault of the alternative.
            new = (level != own[:, None]) & alternative & (value >= 0)[:, None]
            hit = new & found.seldom[level][:, value].T
            seldom |= hit
            for one, other in np.argwhere(found.seldom):
                there = int((hit & (level == one) & (value == other)[:, None]).sum())
                met.append((
                    there, f"{name} {data.levels[at][one]}",
                    f"{feature.name} {feature.categories[other]}",
                    int(found.seen[one, other]), float(found.expected[one, other]),
                ))  # fmt: skip
    met = sorted((one for one in met if one[0]), key=lambda one: (-one[0], one[1:3]))[:KEPT_PAIRS]
    return (
        seldom,
        tuple((one[1], one[2]) for one in met),
        np.array([one[0] for one in met], dtype=np.int64),
        np.array([one[3] for one in met], dtype=np.int64),
        np.array([one[4] for one in met], dtype=np.float64),
    )


def _codes(table: Table, place: int) -> Int[np.ndarray, " n"]:
    column = table.X[:, place].numpy()
    return np.where(np.isnan(column), -1, column).astype(np.int64)
