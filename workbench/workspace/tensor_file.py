"""A table's arrays in one safetensors file that is written without a copy and read by mapping."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from torch import Tensor

from workbench.core.errors import DataError

_KINDS = {"float64": "F64", "int64": "I64"}
_ALIGNMENT = 8


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors one after another, each straight from its own memory."""
    header: dict[str, object] = {}
    start = 0
    arrays = {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in tensors.items()}
    for name, array in arrays.items():
        end = start + array.nbytes
        header[name] = {
            "dtype": _KINDS[array.dtype.name],
            "shape": array.shape,
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("xb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(array.reshape(-1).data)


def map_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors as views of the mapped file: pages are read when they are used.

    Raises
    ------
    DataError
        If it is not such a file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(f"Table file {path.name!r} cannot be read: {error}.") from None
