"""Figures as a page holds them: as JSON that ends no script, and no finer than a screen shows."""

import base64
import json
from typing import Any

import numpy as np
from markupsafe import Markup

# Of the span of an array: a coordinate may move by so much, a hundredth of a pixel.
UNSEEN = 1e-5
# What is shown as a number, or is not shown but used.
EXACT = frozenset({"text", "customdata"})


def embedded(value: Any) -> Markup:
    r"""Write a value as JSON for a script element; no string in it can end or begin one.

    Examples
    --------
    >>> str(embedded({"a": "<b>x & y"}))
    '{"a":"\\u003cb>x & y"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Inside a script nothing but "<" means anything to a browser, and JSON has it in strings only.
    return Markup(text.replace("<", r"\u003c"))  # noqa: S704 - see above


def narrowed(part: Any) -> Any:
    """Store arrays of the traces of a figure in half the bytes where nobody could see it.

    Parameters
    ----------
    part
        Traces as plotly writes them: an array is an object with ``dtype`` and ``bdata`` (base64).
    """
    if isinstance(part, list) and part and isinstance(part[0], dict):
        return [narrowed(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("dtype") == "f8":
        return _in_single_precision(part)
    return {key: one if key in EXACT else narrowed(one) for key, one in part.items()}


def _in_single_precision(array: dict[str, Any]) -> dict[str, Any]:
    """Return the array with four bytes a number, or as it is where that moves one visibly."""
    values = np.frombuffer(base64.b64decode(array["bdata"]), "<f8")
    known = values[np.isfinite(values)]
    if not len(known) or np.abs(known).max() > np.finfo("f4").max:
        return array
    moved = np.abs(known - known.astype("<f4")).max()
    if moved > UNSEEN * (known.max() - known.min()):
        return array
    content = base64.b64encode(values.astype("<f4").tobytes()).decode()
    return {**array, "dtype": "f4", "bdata": content}
