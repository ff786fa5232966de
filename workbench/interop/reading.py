"""What runs in a confined process: read attributions from an upload."""

from pathlib import Path
from typing import Any

import pandas as pd  # noqa: F401 - loaded before the process is confined
import python_calamine  # noqa: F401
import torch

from workbench.core.errors import WorkbenchError
from workbench.data import arrow_files, sheet_files, text_files  # noqa: F401
from workbench.interop.given_tables import from_file
from workbench.workspace.tensor_file import write_tensors

ARRAYS = ("values", "ids", "base", "std_errors", "predictions")
NUMBERS = "given.safetensors"


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
