"""Holding attributions of elsewhere against a model: its features, its outputs, its rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.schema import Schema, listing
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.interop.given import Given

OneHot = Literal["refuse", "sum"]
# What packages write between a feature and one of its categories.
BETWEEN = ("_", "=", "__", ": ", " = ", "-", ".")
ABSENT = ("missing", "nan", "NaN", "None")


def match_features(given: Given, model: Model, one_hot: OneHot) -> tuple[Given, tuple[str, ...]]:
    """Bring the columns into the order of the model's features, and say what was done.

    Raises
    ------
    InvalidInputError
        If columns are missing or unknown, or would have to be added up and nobody asked for it.
    """
    names, columns = model.schema.names, given.columns
    if columns is None:
        return _by_place(given, model, one_hot)
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise InvalidInputError(f"Attributions have two columns {twice!r}; keep one of them.")
    if set(columns) == set(names):
        order = [columns.index(name) for name in names]
        notes = () if order == sorted(order) else ("columns were put into the model's order",)
        return _summed(given, [[place] for place in order]), notes
    members = _members_by_name(columns, model.schema)
    if members is None:
        raise InvalidInputError(_misfit(columns, names))
    return _add_up(given, members, one_hot)


def _by_place(given: Given, model: Model, one_hot: OneHot) -> tuple[Given, tuple[str, ...]]:
    """Take columns without names for the features in order, or for the input of the network."""
    d, p, width = len(model.schema.names), len(model.groups), given.values.shape[1]
    if width == d:
        return _summed(given, [[j] for j in range(d)]), (
            "columns have no names and were taken for the model's features in their order",
        )
    if width != p:
        raise InvalidInputError(
            f"Attributions have {counted(width, 'column')} without names; model {model.name} has "
            f"{counted(d, 'feature')}, its network {counted(p, 'input')}: give as many, or name "
            "the columns."
        )
    groups = model.groups.cpu().numpy()
    given, notes = _add_up(given, [np.flatnonzero(groups == j).tolist() for j in range(d)], one_hot)
    return given, (*notes, "columns have no names and were taken for the inputs of the network")


def _add_up(
    given: Given, members: Sequence[Sequence[int]], one_hot: OneHot
) -> tuple[Given, tuple[str, ...]]:
    if one_hot != "sum":
        raise InvalidInputError(
            f"Attributions are of {given.values.shape[1]} encoded columns, the model has "
            f"{counted(len(members), 'feature')}; with one_hot='sum' (--one-hot sum) the columns "
            "of a feature are added up."
        )
    several = sum(len(own) > 1 for own in members)
    lost = "" if given.std_errors is None else (
        ", whose standard errors are left out, as those of a sum are not known"
    )  # fmt: skip
    note = f"the columns of {counted(several, 'encoded feature')} were added up{lost}"
    return _summed(given, members), (note,)


def _summed(given: Given, members: Sequence[Sequence[int]]) -> Given:
    """Add up the columns of each feature; errors are kept where nothing is added."""
    values = np.stack([given.values[:, list(own)].sum(1) for own in members], 1)
    single = all(len(own) == 1 for own in members)
    errors = given.std_errors
    if errors is not None:
        errors = errors[:, [own[0] for own in members]] if single else None
    return replace(given, values=values, std_errors=errors, columns=None)


def _members_by_name(columns: Sequence[str], schema: Schema) -> list[list[int]] | None:
    """Find the columns of each feature by names such as ``sex_Male``; None if one is unclear."""
    meant: dict[str, int] = {}
    for j, feature in enumerate(schema.features):
        meant[feature.name] = j
        for between in BETWEEN:
            for category in (*feature.categories, *ABSENT):
                name = f"{feature.name}{between}{category}"
                if meant.setdefault(name, j) != j:
                    meant[name] = -1
    members: list[list[int]] = [[] for _ in schema.features]
    for place, column in enumerate(columns):
        j = meant.get(column, -1)
        if j < 0:
            return None
        members[j].append(place)
    return members if all(members) else None


def _misfit(columns: Sequence[str], names: Sequence[str]) -> str:
    """Say which columns are missing and which are of no feature."""
    missing = [name for name in names if name not in columns]
    extra = [name for name in columns if name not in names]
    said = []
    if missing:
        said.append(f"lack a column for {listing(map(repr, missing))}")
    if extra:
        verb = "is no feature" if len(extra) == 1 else "are no features"
        said.append(f"have {listing(map(repr, extra))}, which {verb} of the model")
    return f"Attributions {' and '.join(said)}; name the columns as the model names its features."


def match_outputs(
    given: Given, model: Model, of: str | int | None
) -> tuple[Given, tuple[str, ...], tuple[str, ...]]:
    """Name the outputs; returns their names and what was done.

    Of two classes one is enough: what moves one moves the other as much the other way.

    Raises
    ------
    InvalidInputError
        If an output is not the model's, or nothing says which one is meant.
    """
    known, q = model.output_names, given.values.shape[2]
    names, notes = given.outputs, []
    if q == 1 and of is not None:
        names = (_output(of, known),)
    elif names is not None:
        names = tuple(_output(name, known) for name in names)
        if len(set(names)) < len(names):
            raise InvalidInputError("Attributions have two outputs of one name; keep one of them.")
    elif q == len(known):
        names = known
        if q > 1:
            notes.append("outputs have no names and were taken in the model's order")
    elif q == 1:
        raise InvalidInputError(
            f"Attributions are of one output, model {model.name} has {listing(known)}; say which "
            f"one they are of: with of={known[-1]!r} (--class), or in a column output."
        )
    else:
        raise InvalidInputError(
            f"Attributions are of {q} outputs, model {model.name} has {len(known)}: "
            f"{listing(known)}; name the outputs."
        )
    if model.schema.task == "binary" and q == 1 and len(known) == 2:
        notes.append(f"those of the other class are those of {names[0]} with the sign turned")
        given, names = _mirrored(given, known.index(names[0])), known
    order = [names.index(name) for name in known if name in names]
    return _of_outputs(given, order), tuple(names[i] for i in order), tuple(notes)


def _output(name: str | int, known: Sequence[str]) -> str:
    """Return the name of an output of the model."""
    if isinstance(name, int) and 0 <= name < len(known):
        return known[name]
    if name in known:
        return str(name)
    raise InvalidInputError(
        f"The model has no output {name!r}, which attributions are said to be of; it has "
        f"{listing(known)}."
    )


def _mirrored(given: Given, place: int) -> Given:
    """Add the other class; its base value and prediction are filled in by whoever knows the scale.

    Probabilities add up to 1 and log-odds to 0, so that the differences only change their sign.
    """
    signs = np.where(np.arange(2) == place, 1.0, -1.0)
    errors = given.std_errors
    return replace(
        given, values=given.values * signs,
        std_errors=None if errors is None else np.repeat(errors, 2, 2),
        base=_other(given.base, place), predictions=_other(given.predictions, place),
    )  # fmt: skip


def _other(found: Float[np.ndarray, "n 1"] | None, place: int) -> Float[np.ndarray, "n 2"] | None:
    if found is None:
        return None
    both = np.full((len(found), 2), np.nan)
    both[:, place] = found[:, 0]
    return both


def _of_outputs(given: Given, order: Sequence[int]) -> Given:
    def chosen(found: np.ndarray | None) -> np.ndarray | None:
        return None if found is None else found[..., list(order)]

    return replace(
        given, values=given.values[..., list(order)], base=chosen(given.base),
        std_errors=chosen(given.std_errors), predictions=chosen(given.predictions),
    )  # fmt: skip


def match_rows(given: Given, rows: Table) -> tuple[Int[np.ndarray, " n"], tuple[str, ...]]:
    """Return which rows of the table the attributions are of, in the order of the attributions.

    Raises
    ------
    InvalidInputError
        If a row is not in the table, or there is another number of them and nothing says which.
    """
    n = len(given.values)
    if given.ids is None:
        if n != len(rows):
            raise InvalidInputError(
                f"Attributions are of {counted(n, 'row')}, table {rows.name!r} has "
                f"{counted(len(rows), 'row')} here: give the rows that were explained, in their "
                "order, or number them in a column 'row'."
            )
        return np.arange(n), ("rows have no numbers and were taken in the table's order",)
    places = {int(row): place for place, row in enumerate(rows.ids)}
    unknown = [int(row) for row in given.ids if int(row) not in places]
    if unknown:
        raise InvalidInputError(
            f"Row {unknown[0]} is explained, and is not among the {counted(len(rows), 'row')} of "
            f"table {rows.name!r} that were given; give these too, or leave its attributions out."
        )
    left = len(rows) - n
    notes = (f"{counted(left, 'row')} of the table had no attributions",) if left else ()
    return np.array([places[int(row)] for row in given.ids]), notes
