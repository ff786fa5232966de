"""An explanation from elsewhere that somebody uploads: read apart, held against rows, kept."""

from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.model import Model, Output
from workbench.core.settings import settings
from workbench.core.table import Table
from workbench.data.columns import quote
from workbench.interop.given import Given
from workbench.interop.importing import import_attribution
from workbench.interop.reading import ARRAYS, NUMBERS
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
        What a file that numbers no rows is about, in their order.
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


def _read(workspace: Workspace, draft: Draft, model: Model) -> Given:
    path, shown = workspace.path_of(draft), draft.original_name
    with folders.staging(workspace.given_root) as into:
        limits = Limits(
            memory_bytes=settings().reader_bytes, seconds=settings().reader_seconds, writes=into,
            reads=(path,), what=f"Reading {quote(shown)}",
        )  # fmt: skip
        arguments = {
            "path": str(path), "shown": shown, "into": str(into),
            "known": list(model.schema.names),
        }  # fmt: skip
        said = call("workbench.interop.reading:read", arguments, limits)
        return _given(said, into, draft)


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
