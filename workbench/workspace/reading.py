"""What runs in a confined process: look at an uploaded table, and convert it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd  # noqa: F401 - loaded before the process is confined
import python_calamine  # noqa: F401

from workbench.core.errors import DataError, LimitError
from workbench.core.schema import Schema, build_schema_part
from workbench.data import arrow_files, sheet_files, text_files  # noqa: F401
from workbench.data.columns import quote
from workbench.data.conversion import to_table
from workbench.data.facts import survey
from workbench.data.mapping import apply
from workbench.data.readers import open_source
from workbench.data.source import CELL_BYTES
from workbench.workspace.tensor_file import write_tensors

PREVIEW, TENSORS = "preview.json", "table.safetensors"


def preview(
    path: str, shown: str, into: str, target: str | None, sheet: str | None
) -> dict[str, Any]:
    """Write what is to be known of an upload to ``preview.json`` in the folder ``into``.

    ``shown`` is the name of the file that its owner knows, for messages.
    """
    with _named(path, shown):
        found = survey(open_source(path, sheet=sheet), target=target)
    (Path(into) / PREVIEW).write_text(found.model_dump_json(), encoding="utf-8")
    return {}


def convert(
    path: str,
    shown: str,
    into: str,
    schema: dict[str, Any],
    name: str,
    mapping: dict[str, str | None] | None,
    ignore_extra: bool,
    sheet: str | None,
    room: int,
) -> dict[str, Any]:
    """Write the arrays of a table to ``table.safetensors`` in the folder ``into``.

    Returns
    -------
    The notes of the reader.

    Raises
    ------
    LimitError
        If the table would take more than ``room`` bytes.
    """
    wanted = build_schema_part(Schema, schema)
    with _named(path, shown):
        source = open_source(path, sheet=sheet)
        size = source.n_rows * (len(wanted.features) + len(wanted.beside) + 3) * CELL_BYTES
        if size > room:
            raise LimitError(
                f"The table of {source.n_rows:,} rows needs {size:,} bytes and {max(0, room):,} "
                "are left of your space; remove tables or models that you no longer need, or "
                "raise the setting user_bytes."
            )
        if mapping is not None:
            source = apply(source, wanted, mapping, ignore_extra=ignore_extra)
        table = to_table(source, wanted, name=name, ignore_extra=ignore_extra)
    tensors = {
        "X": table.X, "ids": table.ids, "y": table.y, "weights": table.weights,
        "beside": None if table.aside is None else table.aside.X,
    }  # fmt: skip
    write_tensors(
        Path(into) / TENSORS, {key: value for key, value in tensors.items() if value is not None}
    )
    return {"notes": list(source.notes)}


@contextmanager
def _named(path: str, shown: str) -> Iterator[None]:
    """Let messages name the file as its owner does, not as it is called here."""
    try:
        yield
    except DataError as error:
        ours = Path(path)
        said = str(error).replace(quote(ours), quote(shown)).replace(quote(ours.name), quote(shown))
        raise DataError(said) from None
