"""From columns of a table to groups of people."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.grouping import MISSING, Grouping
from workbench.core.schema import Feature, listing
from workbench.core.table import Table
from workbench.engines.group_params import GroupingParams

MOST_LEVELS = 50
MOST_CELLS = 2000


def find_groups(rows: Table, params: GroupingParams, *, one_will_do: bool = False) -> Grouping:
    """Sort rows by the protected attributes that are asked for.

    Columns that the model does not read (``Table.aside``) serve as well as those that it reads.
    Of columns that nobody named, those by which all rows are of one group are left out.
    A row without a value is of the group *missing*: nobody is left out. A category without rows
    keeps its place, and its rates are undefined.

    Parameters
    ----------
    one_will_do
        Whether rows may all be of one group: there is nothing to compare, but each of them may
        still be imagined in another.

    Raises
    ------
    InvalidInputError
        If there is no such column, a number has no bins, bins do not fit, there are no protected
        columns, or all rows are of one group.
    """
    columns = _columns(rows)
    edges = _edges(params.bins, columns)
    names = _names(params.by, columns, edges)
    found = [_levels(*columns[name], edges.get(name), rows.name) for name in names]
    single = [name for name, (_, codes) in zip(names, found, strict=True) if _is_one(codes)]
    if single and not one_will_do:
        if params.by.strip() or len(single) == len(names):
            raise InvalidInputError(
                f"All rows of {rows.name!r} are of one group by {listing(single)}; there is "
                "nothing to compare. Choose more rows, or group by other columns."
            )
        kept = [at for at, name in enumerate(names) if name not in single]
        names, found = [names[at] for at in kept], [found[at] for at in kept]
    grouping = Grouping(
        tuple(names), tuple(levels for levels, _ in found),
        np.stack([codes for _, codes in found], 1),
    )  # fmt: skip
    cells = int(np.prod([len(levels) for levels in grouping.levels]))
    if cells > MOST_CELLS:
        raise InvalidInputError(
            f"Crossing {listing(names)} makes {cells:,} groups, more than {MOST_CELLS:,}; name "
            "fewer columns, or fewer bins."
        )
    return grouping


def _columns(rows: Table) -> dict[str, tuple[Feature, Float[np.ndarray, " n"]]]:
    tables = [rows] if rows.aside is None else [rows, rows.aside]
    found = {
        feature.name: (feature, column)
        for table in tables
        for feature, column in zip(table.schema.features, table.X.T.numpy(), strict=True)
        if feature.kind != "image_patch"
    }
    if not found:
        raise InvalidInputError(
            "All columns are pixels of images, so that there are no groups of people to compare; "
            "choose another table, or one with columns of people beside the pixels."
        )
    return found


def _edges(text: str, columns: Mapping[str, object]) -> dict[str, tuple[float, ...]]:
    edges: dict[str, tuple[float, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, _, cuts = (piece.strip() for piece in part.partition("="))
        try:
            values = tuple(float(cut) for cut in cuts.split(","))
        except ValueError:
            values = ()
        if not values or not all(np.isfinite(values)) or list(values) != sorted(set(values)):
            raise InvalidInputError(
                f"bins: {part!r} names no ascending numbers to cut at; write for example age=25,60."
            )
        if name not in columns:
            raise InvalidInputError(
                f"bins: there is no column {name!r}; choose one of {listing(columns)}."
            )
        if name in edges:
            raise InvalidInputError(f"bins: column {name!r} is cut twice; write all cuts as one.")
        edges[name] = values
    return edges


def _names(
    by: str,
    columns: Mapping[str, tuple[Feature, Float[np.ndarray, " n"]]],
    edges: Mapping[str, tuple[float, ...]],
) -> list[str]:
    asked = list(dict.fromkeys(filter(None, (name.strip() for name in by.split(",")))))
    if strange := [name for name in asked if name not in columns]:
        raise InvalidInputError(
            f"There is no column {listing(strange)} to group by; choose among {listing(columns)}."
        )
    if asked:
        return asked
    protected = [name for name, (feature, _) in columns.items() if feature.protected]
    usable = [name for name in protected if columns[name][0].categories or name in edges]
    if not protected:
        raise InvalidInputError(
            "No column is marked as protected; say whose groups to compare with by, for example "
            f"by={next(iter(columns), 'sex')}."
        )
    if not usable:
        raise InvalidInputError(_needs_bins(protected[0]))
    return usable


def _needs_bins(name: str) -> str:
    return (
        f"Column {name!r} is a number; say where to cut it into groups, for example "
        f"bins={name}=25,60."
    )


def _levels(
    feature: Feature,
    column: Float[np.ndarray, " n"],
    edges: tuple[float, ...] | None,
    table: str,
) -> tuple[tuple[str, ...], Int[np.ndarray, " n"]]:
    absent = np.isnan(column)
    if edges is not None:
        if feature.categories:
            raise InvalidInputError(
                f"bins: column {feature.name!r} holds categories, which are groups already; leave "
                "it out of the bins."
            )
        levels = tuple(_bins(edges, feature))
        codes = np.searchsorted(np.array(edges), np.where(absent, 0.0, column), side="right")
    elif feature.categories:
        levels, codes = feature.categories, np.where(absent, 0, column).astype(np.int64)
    else:
        present = np.unique(column[~absent])
        if not feature.integer or len(present) > 2:
            raise InvalidInputError(_needs_bins(feature.name))
        levels = tuple(feature.show(float(value)) for value in present)
        codes = np.searchsorted(present, np.where(absent, present[0], column))
    if absent.any():
        levels, codes = (*levels, MISSING), np.where(absent, len(levels), codes)
    if len(levels) > MOST_LEVELS:
        raise InvalidInputError(
            f"Column {feature.name!r} of {table!r} has {len(levels)} groups, more than "
            f"{MOST_LEVELS}; choose another column, or join categories in the file."
        )
    return levels, codes.astype(np.int64)


def _bins(edges: tuple[float, ...], feature: Feature) -> Iterable[str]:
    """Bins hold their lower end."""
    shown = [feature.model_copy(update={"unit": ""}).show(edge) for edge in edges]
    yield f"below {shown[0]}"
    for low, high in pairwise(shown):
        yield f"{low} to below {high}"
    yield f"{shown[-1]} and over"


def _is_one(codes: Int[np.ndarray, " n"]) -> bool:
    return len(np.unique(codes)) < 2
