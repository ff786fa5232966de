"""An explanation from elsewhere that somebody uploads: read apart, held against rows, kept."""

from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.attribution import Attribution
from workbench.core.errors import DataError, InvalidInputError
from workbench.core.model import Model, Output
from workbench.core.result import load
from workbench.core.settings import settings
from workbench.core.table import Table
from workbench.data.columns import quote
from workbench.engines.lfa.given import given_values
from workbench.interop.given import Given
from workbench.interop.importing import import_attribution
from workbench.interop.reading import ARRAYS, NUMBERS, RESULT
from workbench.isolation.process import Limits, call
from workbench.workspace import folders
from workbench.workspace.given import GivenEntry, keep_given
from workbench.workspace.records import Draft
from workbench.workspace.store import Workspace
from workbench.workspace.tensor_file import map_tensors


def take_in(
    workspace: Workspace, draft: Draft, model: Model, *, table: str, rows: Table, whole: Table,
    background: Table, output: Output,
) -> GivenEntry:  # fmt: skip
    """Keep the attributions in an upload, which is removed in any case.

    Parameters
    ----------
    table
        Reference of the table that the rows are of.
    rows
        What a table that numbers no rows is about, in their order.
    whole
        All rows, of which a file may number some.
    background
        Where no base value comes along, it is the mean prediction of these.
    output
        What was explained.

    Raises
    ------
    WorkbenchError
        If the file cannot be read, or does not fit the model or the rows; nothing is kept then.
    """
    try:
        if draft.suffix == f".{Attribution.kind}":
            result = _result(workspace, draft, model, whole.read_by(model.schema), output)
        else:
            given = _read(workspace, draft, model)
            result = import_attribution(
                given, model, rows if given.ids is None else whole, background, output=output
            )
        return keep_given(
            workspace.owner, result, original_name=draft.original_name, sha256=draft.sha256,
            table=table,
        )  # fmt: skip
    finally:
        workspace.discard(draft)


def _result(
    workspace: Workspace, draft: Draft, model: Model, whole: Table, output: Output
) -> Attribution:
    """Read a result of ours, and hold it against the model and the rows that it says it explains.

    It is written anew by a process of its own; what that process says is read like the file, as
    the file may have taken it over.

    Raises
    ------
    DataError
        If the process wrote something else.
    InvalidInputError
        If it is of another model, of other rows, on another scale, or has no finite numbers.
    """
    with folders.staging(workspace.given_root) as into:
        _apart(workspace, draft, "read_result", into)
        found = load(folders.own_file(into / RESULT))
    if not isinstance(found, Attribution):
        raise DataError(f"File {quote(draft.original_name)} could not be read; save it again.")
    name = quote(draft.original_name)
    if not len(found) or not np.isfinite(found.values).all():
        raise InvalidInputError(
            f"File {name} has no rows, or an attribution that is no finite number; make it anew."
        )
    places = {int(row): at for at, row in enumerate(whole.ids)}
    if missing := [int(row) for row in found.ids if int(row) not in places]:
        raise InvalidInputError(
            f"File {name} explains row {missing[0]}, which table {whole.name!r} does not have; "
            "bring it where its table is looked at."
        )
    given_values(found, model, whole[[places[int(row)] for row in found.ids]], output)
    return found


def _read(workspace: Workspace, draft: Draft, model: Model) -> Given:
    with folders.staging(workspace.given_root) as into:
        said = _apart(workspace, draft, "read", into, known=list(model.schema.names))
        return _given(said, into, draft)


def _apart(
    workspace: Workspace, draft: Draft, function: str, into: Path, **more: Any
) -> dict[str, Any]:
    """Have a function read an upload in a confined process that writes into a folder."""
    path, shown = workspace.path_of(draft), draft.original_name
    limits = Limits(
        memory_bytes=settings().reader_bytes, seconds=settings().reader_seconds, writes=into,
        reads=(path,), what=f"Reading {quote(shown)}",
    )  # fmt: skip
    arguments = {"path": str(path), "shown": shown, "into": str(into), **more}
    return call(f"workbench.interop.reading:{function}", arguments, limits)


def _given(said: dict[str, Any], into: Path, draft: Draft) -> Given:
    """Hold what the process says against itself: the file may have taken it over."""
    found = map_tensors(folders.own_file(into / NUMBERS))
    arrays = {name: found[name].clone().numpy() for name in ARRAYS if name in found}
    names = {key: _names(said.get(key)) for key in ("columns", "outputs")}
    values = arrays.get("values")
    sound = values is not None and values.ndim == 3
    if values is not None and sound:
        n, c, q = values.shape
        axes = {"values": (n, c, q), "std_errors": (n, c, q), "ids": (n,)}
        sound = all(array.shape == axes.get(name, (n, q)) for name, array in arrays.items())
        sound &= all(
            array.dtype == (np.int64 if name == "ids" else np.float64)
            for name, array in arrays.items()
        )
        sound &= names["columns"] is None or len(names["columns"]) == c
        sound &= names["outputs"] is None or len(names["outputs"]) == q
    if values is None or not sound:
        raise DataError(f"File {quote(draft.original_name)} could not be read; save it again.")
    return Given(
        source=f"file {folders.base_name(draft.original_name)}", sha256=draft.sha256,
        columns=names["columns"], outputs=names["outputs"], **arrays,
    )  # fmt: skip


def _names(said: Any) -> tuple[str, ...] | None:
    return tuple(map(str, said)) if isinstance(said, list) else None
