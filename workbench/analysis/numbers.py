"""What of a result is its numbers: all that does not depend on when and how fast it was made."""

import hashlib
import json
from dataclasses import fields
from typing import Any

import numpy as np
from pydantic import BaseModel

from workbench.core.results import Result

# Who made it and when, and how long parts of it took.
APART = frozenset({"provenance", "seconds"})


def numbers_of(result: Result) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays of a result by name, and everything else as plain values."""
    arrays: dict[str, np.ndarray] = {}
    rest: dict[str, Any] = {}
    for field in fields(result):
        value = getattr(result, field.name)
        if field.name in APART:
            continue
        if isinstance(value, np.ndarray):
            arrays[field.name] = np.ascontiguousarray(value)
        else:
            rest[field.name] = value.model_dump(mode="json") if _is_model(value) else value
    return arrays, rest


def _is_model(value: object) -> bool:
    return isinstance(value, BaseModel)


def numbers_digest(result: Result) -> str:
    """SHA-256 over the kind of a result, its arrays bit by bit, and its other values.

    Times and provenance do not count, so that the same run gives the same digest.
    """
    arrays, rest = numbers_of(result)
    text = json.dumps({"kind": result.kind, "fields": rest}, sort_keys=True)
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
