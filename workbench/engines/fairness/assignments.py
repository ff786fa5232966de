"""What protected attributes can be set to, and which of these a row has."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.grouping import MISSING
from workbench.core.model import Model
from workbench.core.schema import Feature, listing
from workbench.core.table import Table
from workbench.engines.fairness.flips_params import FlipsParams
from workbench.engines.groups import find_groups

# Rows times assignments: their scores are kept.
MOST_ANSWERS = 20_000_000


@dataclass(frozen=True, eq=False)
class Assignments:
    """Every combination of the levels that protected attributes can be set to.

    Attributes
    ----------
    places
        Position of each attribute among the model's features; -1 of one that lies aside.
    values
        Of each level of each attribute: what a row is given.
    levels_of
        Level of each attribute, by assignment.
    own
        Assignment of each row; -1 where it is none of them.
    group, group_levels
        Group of each row, rows with a missing value included.
    left_out
        Levels that nobody has, so that there is no value to set.
    """

    attributes: tuple[str, ...]
    places: tuple[int, ...]
    levels: tuple[tuple[str, ...], ...]
    values: tuple[np.ndarray, ...]
    levels_of: Int[np.ndarray, "c a"]
    own: Int[np.ndarray, " n"]
    group: Int[np.ndarray, " n"]
    group_levels: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.levels_of)

    def level_of(self, attribute: int) -> Int[np.ndarray, " n"]:
        """Return the level of one attribute by row; -1 where the row's assignment is unknown."""
        return np.where(self.own >= 0, self.levels_of[self.own, attribute], -1)


def find_assignments(model: Model, rows: Table, params: FlipsParams) -> Assignments:
    """Find what the attributes that are asked for can be set to.

    A category can be set to each of its categories, also to those that no row has; a number with
    bins to the median of the rows in each bin, and one of two values to both. Nothing is set to
    *missing*.

    Raises
    ------
    InvalidInputError
        If there are no such columns, the model does not read one, or there is nothing to set.
    """
    rows = _readable(model, rows, params)
    grouping = find_groups(rows, params, one_will_do=True)
    every = tuple(range(len(grouping.attributes)))
    values, levels, codes, left_out = [], [], [], []
    for at, name in enumerate(grouping.attributes):
        feature, column = _column(rows, name)
        found, known = _values(feature, column, grouping.codes[:, at], grouping.levels[at])
        kept = np.flatnonzero(np.isfinite(found))
        new = np.full(len(grouping.levels[at]), -1)
        new[kept] = np.arange(len(kept))
        left_out += [
            f"{name} {grouping.levels[at][i]}" for i in range(known) if not np.isfinite(found[i])
        ]
        values.append(found[kept])
        levels.append(tuple(grouping.levels[at][i] for i in kept))
        codes.append(new[grouping.codes[:, at]])
    levels_of = np.array(list(product(*(range(len(some)) for some in levels))), dtype=np.int64)
    _check(grouping.attributes, rows, len(levels_of), params.asked(len(rows)))
    level = np.stack(codes, 1)
    inside = (level >= 0).all(1)
    sizes = tuple(len(some) for some in levels)
    own = np.where(inside, np.ravel_multi_index(tuple(np.maximum(level, 0).T), sizes), -1)
    names = model.schema.names
    return Assignments(
        attributes=grouping.attributes,
        places=tuple(names.index(name) if name in names else -1 for name in grouping.attributes),
        levels=tuple(levels),
        values=tuple(values),
        levels_of=levels_of.reshape(-1, len(every)),
        own=own.astype(np.int64),
        group=grouping.cell_of(every),
        group_levels=grouping.cells(every),
        left_out=tuple(left_out),
    )


def _readable(model: Model, rows: Table, params: FlipsParams) -> Table:
    """Refuse columns whose flip is nothing by construction; a conditional draw reads any column."""
    if params.mode == "conditional" or rows.aside is None:
        return rows
    beside = set(rows.aside.schema.names)
    if unread := [name for name in (part.strip() for part in params.by.split(","))
                  if name in beside]:  # fmt: skip
        raise InvalidInputError(
            f"Model {model.name} does not read {listing(unread)}, so that setting it changes no "
            "decision: the share of flips is 0 by construction. What stands in for it shows where "
            "rows are held against real ones of the other group: set mode to conditional."
        )
    return replace(rows, aside=None)


def _column(rows: Table, name: str) -> tuple[Feature, Float[np.ndarray, " n"]]:
    table = rows
    if name not in rows.schema.names and rows.aside is not None:
        table = rows.aside
    place = table.schema.index(name)
    return table.schema.features[place], table.X[:, place].numpy()


def _values(
    feature: Feature,
    column: Float[np.ndarray, " n"],
    codes: Int[np.ndarray, " n"],
    levels: tuple[str, ...],
) -> tuple[Float[np.ndarray, " l"], int]:
    """Return what a row is given for each level, and how many of the levels are not *missing*."""
    if feature.categories:
        found = np.full(len(levels), np.nan)
        found[: len(feature.categories)] = np.arange(len(feature.categories))
        return found, len(feature.categories)
    known = len(levels) - (levels[-1] == MISSING)
    found = np.full(len(levels), np.nan)
    for level in range(known):
        inside = column[codes == level]
        if len(inside):
            middle = float(np.median(inside))
            found[level] = round(middle) if feature.integer else middle
    return found, known


def _check(attributes: tuple[str, ...], rows: Table, n_assignments: int, n: int) -> None:
    if n_assignments < 2:
        raise InvalidInputError(
            f"There is nothing to set {listing(attributes)} to: the rows of {rows.name!r} have "
            "one value alone; choose more rows or another column."
        )
    if n_assignments * n > MOST_ANSWERS:
        raise InvalidInputError(
            f"{n:,} rows under {n_assignments:,} assignments of {listing(attributes)} are "
            f"more than {MOST_ANSWERS:,} answers; name fewer columns, fewer bins, or set a margin."
        )
