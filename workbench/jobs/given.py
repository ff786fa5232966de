"""An explanation from elsewhere that a run looks at beside its own: its file, and what it says."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError, InvalidInputError
from workbench.core.files import refuse_special
from workbench.core.model import Model
from workbench.core.result import load
from workbench.core.results import Attribution
from workbench.core.settings import settings
from workbench.core.table import Table
from workbench.interop.given_tables import from_file
from workbench.interop.importing import import_attribution

# Of results that are attributions; every other file is a table.
SUFFIX = ".attribution"


def digest_of_given(path: Path) -> str:
    """Return the SHA-256 of a file of attributions.

    Raises
    ------
    DataError
        If it is not there, is a folder, pipe or device, or is larger than the setting
        ``max_file_bytes``.
    """
    limit = settings().max_file_bytes
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder; name a file in it.")
    refuse_special(path, DataError)
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size > limit:
                raise DataError(
                    f"File {path.name!r} has {size:,} bytes, the limit is {limit:,}; give fewer "
                    "rows or raise WORKBENCH_MAX_FILE_BYTES."
                )
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise DataError(f"There is no file {str(path)!r}; check the path.") from None
    except OSError as error:
        raise DataError(f"File {str(path)!r} cannot be opened: {error.strerror}.") from None


def read_given(
    path: Path, model: Model, rows: Table, table: Table, background: Table,
    params: Mapping[str, Any],
) -> Attribution:  # fmt: skip
    """Read a result of kind ``attribution``, or a table as ``import_attribution`` reads it.

    Parameters
    ----------
    rows
        Those that are looked at; a table that numbers no rows is about these, in their order.
    table
        All rows: a table that numbers its rows may explain more than are looked at.
    background
        Where no base value comes along, it is the mean prediction of these.
    params
        Settings of the run, which say on which scale it looks at the model.

    Raises
    ------
    WorkbenchError
        If it cannot be read, or does not fit the model or the rows.
    """
    if path.suffix == SUFFIX:
        return attribution_in(path)
    given = from_file(path, model.schema.names)
    return import_attribution(
        given, model, rows if given.ids is None else table, background,
        output="score" if params.get("output") == "score" else "probability",
    )  # fmt: skip


def attribution_in(path: Path) -> Attribution:
    """Read a result that must be an attribution.

    Raises
    ------
    InvalidInputError
        If it is one of another kind.
    ResultFileError
        If it is no result, or was changed.
    """
    found = load(path)
    if not isinstance(found, Attribution):
        raise InvalidInputError(
            f"{str(path)!r} is a result of kind {found.kind!r}, which holds no attributions."
        )
    return found
