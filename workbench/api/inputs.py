"""What runs are made of: models and tables by name, rows by position, backgrounds."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.people import LOCAL
from workbench.core.schema import Schema
from workbench.core.table import SPLITS, Table
from workbench.core.wording import counted
from workbench.data.bundled import TABLES, load_schema, open_table, with_beside
from workbench.data.conversion import to_table
from workbench.workspace import explainers, sources
from workbench.workspace.background import training_rows

BACKGROUND_ROWS = 100
REFERENCE_ROWS = 2000
_ROW = r"-?[0-9]{1,15}"
_RANGE = re.compile(rf"({_ROW})?:({_ROW})?")
_LIST = re.compile(rf"{_ROW}(\s*,\s*{_ROW})*")


def list_tables() -> tuple[str, ...]:
    """Return the names of the bundled tables."""
    return tuple(TABLES)


def load_model(reference: str | Path) -> Model:
    """Load ``name``, ``name@version``, ``name@alias`` or a folder, verified against its card.

    Explainers come along: those that lie beside it, then those that were trained and kept on this
    machine without sign-in.

    Parameters
    ----------
    reference
        ``name`` is the newest version; ``my:name`` is a model that was uploaded on this machine
        without sign-in.

    Raises
    ------
    RegistryError
        If there is no such model, or its files are not what the card says.
    """
    if str(reference).startswith(sources.MINE):
        model = sources.find_model(str(reference), LOCAL)
    else:
        model = explainers.load_model(str(reference))
    for own in explainers.explainers_of(model, LOCAL):
        model = model.with_explainer(own)
    return model


def load_table(
    source: str | Path,
    *,
    split: str | None = None,
    model: Model | None = None,
    schema: str | Path | Schema | None = None,
    ignore_extra: bool = False,
    rows: str | None = None,
    beside: Sequence[str] = (),
) -> Table:
    """Load a bundled table by name, or a file.

    Parameters
    ----------
    source
        Name of a bundled table, ``my:name`` of one that was uploaded on this machine without
        sign-in, or a file.
    split
        ``train``, ``validation``, ``test``, or ``all`` for every row. By default the test rows
        of a bundled table and all rows of a file.
    model
        Read the file with this model's schema, so that its categories get the model's codes.
    schema
        A schema, or a file of one; without one and without a model, the schema beside the file
        or a guess.
    ignore_extra
        Leave out columns of a file that the schema does not know, instead of refusing them.
    rows
        Which of these rows, as in ``select_rows``. Of a file that is not split, only they have to
        be complete and of the right kind.
    beside
        Columns of a file that the schema does not know, to be kept aside to compare groups by.

    Raises
    ------
    DataError
        If the file lacks one of ``beside``, cannot be read or does not fit the schema.
    InvalidInputError
        If there is no such split or row, or the source or the schema is of another type.
    """
    _check_table_given(source, schema)
    if str(source).startswith(sources.MINE):
        own = sources.find_table(str(source), LOCAL)
        own = own if split in {None, "all"} else own.split(str(split))
        return own if rows is None else select_rows(own, rows)
    bundled = _is_bundled(source)
    known = load_schema(schema) if isinstance(schema, str | Path) else schema
    if known is None and model is not None and not bundled:
        known = model.schema
    if beside and known is not None and not bundled:
        known = with_beside(source, known, beside)
    split = split or ("test" if bundled else "all")
    if split not in {*SPLITS, "all"}:
        raise InvalidInputError(f"There is no split {split!r}; choose {', '.join(SPLITS)} or all.")
    if split == "all" and not bundled and rows is not None:
        chosen = partial(_positions, rows, name=Path(source).stem)
        return open_table(source, schema=known, ignore_extra=ignore_extra, rows=chosen)[0]
    table, _ = open_table(source, schema=known, ignore_extra=ignore_extra)
    table = table if split == "all" else table.split(split)
    return table if rows is None else select_rows(table, rows)


def background_for(
    model: Model,
    rows: Table,
    *,
    n: int = BACKGROUND_ROWS,
    seed: int = 0,
    source: str | Path | None = None,
    ignore_extra: bool = False,
    fewer: bool = False,
) -> Table:
    """Draw background rows from the model's training rows where they are bundled, else ``rows``.

    Parameters
    ----------
    model
        Whose training rows are drawn from.
    rows
        Drawn from where the training rows are not here.
    n
        How many.
    seed
        Of the draw.
    source
        Draw from this table instead: the training rows of a bundled one, all rows of a file.
    ignore_extra
        As for ``load_table``.
    fewer
        Take all rows where there are not that many.

    Raises
    ------
    InvalidInputError
        If there are fewer than ``n`` rows.
    """
    check_seed(seed)
    if source is None:
        known = training_rows(model)
        if known is None and len(rows) < n and not fewer:
            raise InvalidInputError(
                f"The training rows of {model.name} are not here, and {n} background rows cannot "
                f"be drawn from the {counted(len(rows), 'row')} to explain; give a background "
                "(background=, --background)."
            )
        found = rows if known is None else known
        return found.sample(min(n, len(found)) if fewer else n, seed=seed)
    split = "train" if _is_bundled(source) else "all"
    table = load_table(source, split=split, model=model, ignore_extra=ignore_extra)
    return table.sample(min(n, len(table)) if fewer else n, seed=seed)


def select_rows(table: Table, rows: str) -> Table:
    """Select rows by position: ``5``, ``0:200``, ``:10``, or ``3,7,11``; ``-1`` is the last.

    Parameters
    ----------
    table
        Any table ``[m, d]``.
    rows
        Positions, from 0, or from the end where they are negative; a range goes up to its second
        number, without it.

    Raises
    ------
    InvalidInputError
        If the text is none of these or a row does not exist.

    Examples
    --------
    >>> select_rows(load_table("wine"), "3,7").ids.tolist()
    [10, 29]
    """
    return table[_positions(rows, len(table), name=table.name)]


def named(model: Model | str) -> Model:
    """Return a model, loaded where its name is given."""
    return load_model(model) if isinstance(model, str) else model


def opened(model: Model | str, rows: Any, seed: int, what: str = "rows") -> tuple[Model, Table]:
    """Return a model that may be named, and rows that may be a frame, called ``what``."""
    check_seed(seed)
    model = named(model)
    return model, as_table(rows, model, what)


def alone(model: Model | str, rows: Any, seed: int) -> tuple[Model, Table, Table]:
    """Return model and rows, which also stand where a method that needs no more takes more."""
    model, rows = opened(model, rows, seed)
    return model, rows, rows


def labelled(model: Model | str, rows: Any, table: Any, seed: int) -> tuple[Model, Table, Table]:
    """Return model, rows and the labelled table that they are from, by default a bundled one."""
    model, rows = opened(model, rows, seed)
    whole = _whole(rows) if table is None else as_table(table, model, "table")
    return model, rows, whole.read_by(model.schema)


def with_whole(model: Model | str, table: Any, rows: Any, seed: int) -> tuple[Model, Table, Table]:
    """Return a model, the rows of a whole labelled table that are reported on, and the table.

    Raises
    ------
    InvalidInputError
        If nothing says which rows are reported on, and the table is one part of another already.
    """
    model, whole = opened(model, table, seed, "table")
    if rows is not None:
        return model, as_table(rows, model, "rows"), whole
    name, _, part = whole.name.rpartition("/")
    if part in SPLITS:
        raise InvalidInputError(
            f"Table {whole.name!r} is a part already, so that training rows are no longer known; "
            f"read all of it with load_table({name!r}, split='all'), or give rows as well."
        )
    return model, whole.split("test"), whole


def described(
    model: Model | str, rows: Any, background: Any, seed: int
) -> tuple[Model, Table, Table]:
    """Return model, rows and the background that describes the data: up to 2,000 training rows."""
    model, rows = opened(model, rows, seed)
    if background is None:
        known = training_rows(model)
        n = BACKGROUND_ROWS if known is None else min(REFERENCE_ROWS, len(known))
        background = background_for(model, rows, n=n, seed=seed)
    return model, rows, as_table(background, model, "background")


def as_table(rows: Any, model: Model, name: str) -> Table:
    """Return a table as the model reads it, and read a frame with the model's schema.

    Raises
    ------
    InvalidInputError
        If it is neither.
    """
    if isinstance(rows, Table):
        return rows.read_by(model.schema)
    if type(rows).__name__ == "DataFrame" and hasattr(rows, "columns"):
        return to_table(rows, model.schema, name=name)
    raise InvalidInputError(
        f"The {name} must be a Table or a pandas frame, got {type(rows).__name__}; read a bundled "
        "name or a file with load_table."
    )


def check_seed(seed: int) -> None:
    """Refuse what is no seed.

    Raises
    ------
    InvalidInputError
        If it is not a whole number of at least 0.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InvalidInputError(f"A seed must be a whole number of at least 0, got {seed!r}.")


def _whole(rows: Table) -> Table:
    """Return the bundled table that holds these very rows, else the rows themselves."""
    name = rows.name.partition("/")[0]
    if name not in TABLES or not len(rows):
        return rows
    whole, ids = load_table(name, split="all"), rows.ids
    if int(ids.min()) < 0 or int(ids.max()) >= len(whole):
        return rows
    same = torch.equal(whole.X[ids].nan_to_num(), rows.X.nan_to_num())  # False of other shapes
    return whole if same else rows


def _check_table_given(source: Any, schema: Any) -> None:
    """Refuse what names no table, and what is no schema."""
    if not isinstance(source, str | Path):
        raise InvalidInputError(
            "load_table reads a bundled name or a file, given as text or as a path, got "
            f"{type(source).__name__}; a Table or a pandas frame can be given to the methods as "
            "it is."
        )
    if schema is not None and not isinstance(schema, str | Path | Schema):
        found = "the class Schema itself" if schema is Schema else type(schema).__name__
        raise InvalidInputError(
            f"schema must be a Schema, such as table.schema, or a file of one, got {found}; "
            "without one the schema is guessed."
        )


def _is_bundled(source: str | Path) -> bool:
    return str(source).replace("_", "-") in TABLES


def _positions(rows: str, n: int, *, name: str) -> list[int]:
    """Return the positions that a text means, of the ``n`` rows of a table."""
    rows = rows.strip()
    if found := _RANGE.fullmatch(rows):
        start, stop = (int(bound) if bound else None for bound in found.groups())
        chosen = list(range(n))[start:stop]
    elif _LIST.fullmatch(rows):
        chosen = [int(row) for row in rows.split(",")]
    else:
        raise InvalidInputError(
            f"Rows {rows[:60]!r} are not understood; write 5, 0:200, or 3,7,11."
        )
    known = f"table {name!r}, which has rows 0 to {n - 1}"
    if not chosen:
        raise InvalidInputError(
            f"Rows {rows!r} hold no row of {known}; a range goes up to its second number, without "
            "it."
        )
    outside = [row for row in chosen if not -n <= row < n]
    if outside:
        raise InvalidInputError(f"Row {outside[0]} is not in {known}.")
    return chosen
