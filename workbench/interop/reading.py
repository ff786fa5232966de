"""What runs in a confined process: read attributions from an upload."""

from pathlib import Path
from typing import Any

import pandas as pd  # noqa: F401 - loaded before the process is confined
import python_calamine  # noqa: F401
import torch

from workbench.core.errors import InvalidInputError, WorkbenchError
from workbench.core.result import load
from workbench.core.results import Attribution
from workbench.data import arrow_files, sheet_files, text_files  # noqa: F401
from workbench.data.columns import quote
from workbench.interop.given_tables import from_file
from workbench.workspace.tensor_file import write_tensors

ARRAYS = ("values", "ids", "base", "std_errors", "predictions")
NUMBERS = "given.safetensors"
RESULT = "given.attribution"


def read(path: str, shown: str, into: str, known: list[str]) -> dict[str, Any]:
    """Write the numbers of a file of attributions to ``given.safetensors`` in a folder.

    ``shown`` is the name of the file that its owner knows, for messages.

    Returns
    -------
    What columns and outputs are called there; None where the file does not say.

    Raises
    ------
    WorkbenchError
        If it cannot be read, or is no table of attributions.
    """
    try:
        given = from_file(Path(path), known)
    except WorkbenchError as error:
        raise type(error)(str(error).replace(Path(path).name, shown)) from None
    arrays = {name: getattr(given, name) for name in ARRAYS}
    write_tensors(
        Path(into) / NUMBERS,
        {name: torch.from_numpy(array) for name, array in arrays.items() if array is not None},
    )
    return {"columns": given.columns, "outputs": given.outputs}


def read_result(path: str, shown: str, into: str) -> dict[str, Any]:
    """Write a result file, which must hold an attribution, to ``given.attribution`` in a folder.

    ``shown`` is the name of the file that its owner knows, for messages.

    Returns
    -------
    Nothing: the file says it all.

    Raises
    ------
    ResultFileError
        If it is no result, or was changed.
    InvalidInputError
        If it is a result of another kind.
    """
    try:
        found = load(path)
    except WorkbenchError as error:
        raise type(error)(str(error).replace(repr(path), quote(shown))) from None
    if not isinstance(found, Attribution):
        raise InvalidInputError(
            f"File {quote(shown)} is a result of kind {found.kind!r}, which holds no attributions; "
            "bring one that ends in .attribution."
        )
    found.save(Path(into) / RESULT)
    return {}
