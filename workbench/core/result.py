"""The base of every result, and the file that it is kept in."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import GenericAlias
from typing import Any, ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_arrays

from workbench.core.errors import InvalidInputError, ResultFileError
from workbench.core.files import refuse_special, replacing
from workbench.core.provenance import Provenance

RESULT_FORMAT = 1
_KINDS: dict[str, type["Result"]] = {}


# What shows a result in a notebook: set by the verbs, as this layer knows neither text nor checks.
_FACES: list[Callable[["Result"], str]] = []


def show_with(face: Callable[["Result"], str]) -> None:
    """Say what writes a result as HTML where a notebook shows it."""
    _FACES[:] = [face]


# Positions of rows, in any way that NumPy takes them.
Rows = int | np.integer | slice | Sequence[int] | np.ndarray
Selected = TypeVar("Selected", bound="Result")


@dataclass(frozen=True, eq=False)
class Result:
    """Base of every result: it can be saved and read back, and says how it was made.

    A file holds the arrays as safetensors, and everything else as JSON in the header, with a
    SHA-256 over both. The kind in the file is looked up in a fixed table; nothing is imported or
    executed. The digest finds damage and careless edits; it is not a signature.
    """

    kind: ClassVar[str] = ""
    provenance: Provenance

    def __init_subclass__(cls) -> None:
        _KINDS[cls.kind] = cls

    def _check_shapes(self, what: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Refuse arrays that do not go together; ``what`` names the result and its size.

        Raises
        ------
        InvalidInputError
            If an array has another shape.
        """
        for name, shape in shapes.items():
            if (given := getattr(self, name).shape) != shape:
                raise InvalidInputError(f"{what} needs {name} of shape {shape}, got {given}.")

    def _repr_html_(self) -> str | None:
        """Show the result in a notebook; plain text where nothing is loaded that could."""
        return _FACES[0](self) if _FACES else None

    def _of_rows(self: Selected, rows: Rows, names: Iterable[str]) -> Selected:
        """Select rows of the arrays of these names; a single number keeps the row axis."""
        if isinstance(rows, int | np.integer):
            rows = [int(rows)]
        known = {name: getattr(self, name) for name in names}
        return replace(
            self, **{name: array[rows] for name, array in known.items() if array is not None}
        )

    def save(self, path: str | Path) -> Path:
        """Write the result to one file; a file of that name is replaced as a whole.

        Raises
        ------
        ResultFileError
            If there is a folder of that name.
        """
        if Path(path).is_dir():
            raise ResultFileError(f"{str(path)!r} is a folder; name a file in it.")
        arrays, rest = {}, {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                arrays[field.name] = np.ascontiguousarray(value)
            elif isinstance(value, BaseModel):
                rest[field.name] = value.model_dump(mode="json")
            else:
                rest[field.name] = value
        text = json.dumps(
            {"format": RESULT_FORMAT, "kind": self.kind, "fields": rest}, sort_keys=True
        )
        path = Path(path)
        with replacing(path) as part:
            header = {"workbench": text, "sha256": _digest(arrays, text)}
            part.write_bytes(save_arrays(arrays, metadata=header))
        return path


def refuse_other(found: object) -> None:
    """Refuse what is no result.

    Raises
    ------
    InvalidInputError
        If it is of another type.
    """
    if not isinstance(found, Result):
        raise InvalidInputError(
            f"This needs a result, such as explain returns or load_result reads, got "
            f"{type(found).__name__}."
        )


def load(path: str | Path) -> Result:
    """Read a result of any kind.

    Parameters
    ----------
    path
        What ``Result.save`` wrote.

    Raises
    ------
    ResultFileError
        If the file is missing, is not a result, was changed, or comes from a newer version.
    """
    refuse_special(Path(path), ResultFileError)
    try:
        if Path(path).is_dir():
            raise ResultFileError(f"{str(path)!r} is a folder; name a file in it.")
        with safe_open(Path(path), framework="np") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ResultFileError(f"There is no result file {str(path)!r}.") from None
    except (SafetensorError, OSError, TypeError, AttributeError):  # numpy lacks some number types
        raise ResultFileError(f"{str(path)!r} is not a result file; it may be cut short.") from None
    text = header.get("workbench", "")
    if header.get("sha256") != _digest(arrays, text):
        raise ResultFileError(
            f"Result file {str(path)!r} was changed after it was written; run the analysis again."
        )
    return _rebuild(path, arrays, text)


def _rebuild(path: str | Path, arrays: Mapping[str, np.ndarray], text: str) -> Result:
    try:
        content = json.loads(text)
        if content["format"] > RESULT_FORMAT:
            raise ResultFileError(
                f"Result file {str(path)!r} has format {content['format']}, this version reads "
                f"up to {RESULT_FORMAT}; update the workbench."
            )
        kind = _KINDS[content["kind"]]
        return kind(**_checked(kind, dict(**arrays, **content["fields"])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidInputError):
        raise ResultFileError(f"{str(path)!r} is not a result that this version knows.") from None


def _checked(kind: type[Result], parts: Mapping[str, Any]) -> dict[str, Any]:
    """Hold each part against the type of its field: a digest can be made for any content."""
    types = {field.name: field.type for field in fields(kind)}
    wanted: Any = GenericAlias(tuple, tuple(types[name] for name in parts))
    adapter = TypeAdapter(wanted, config=ConfigDict(arbitrary_types_allowed=True))
    return dict(zip(parts, adapter.validate_python(tuple(parts.values())), strict=True))


def _digest(arrays: Mapping[str, np.ndarray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
