"""What does not fit an analysis file, told all at once and by the names that stand in it."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from workbench.core.schema import listing
from workbench.core.wording import dotted

MOST_TOLD, MOST_LETTERS = 20, 60
_REASONS = {
    "missing": "is missing",
    "string_type": "must be text, put it in quotes",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
}


def told(
    kind: type[BaseModel],
    error: ValidationError,
    parts: Mapping[str, type[BaseModel]],
    before: Sequence[object] = (),
    values: Any = None,
) -> list[str]:
    """Return one sentence part for each fault.

    Parameters
    ----------
    kind
        The model that was being made, at the place ``before``.
    parts
        Models of the entries of lists and mappings, by the name of the key that holds them.
    values
        What was read, to name steps by their ids.
    """
    return [
        _told(kind, fault, parts, before, values)
        for fault in error.errors()
        # A list whose entries all have faults is not empty besides.
        if not (fault["type"] == "too_short" and fault["input"])
    ]


def joined(faults: Iterable[str]) -> str:
    """Join faults for one sentence, cut where there are very many.

    Examples
    --------
    >>> joined(["title: is missing", "steps: is missing"])
    'title: is missing; steps: is missing'
    """
    told = list(dict.fromkeys(faults))
    more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    return "; ".join([*told[:MOST_TOLD], *more])


def place(where: Sequence[object], values: Any = None) -> str:
    """Write where a fault is: steps by id where they have one, else by number from 1.

    Examples
    --------
    >>> place(("steps", 0, "params", "budget"), {"steps": [{"id": "shap"}]})
    "step 'shap', params.budget"
    >>> place(("steps", 0, "id")), place(("fail_if", 1)), place(("title",))
    ('step 1, id', 'fail_if 2', 'title')
    >>> place(("steps", 0, "figures", 1, "view"))
    'step 1, figure 2, view'
    """
    if len(where) < 2 or where[0] not in {"steps", "fail_if"} or not isinstance(where[1], int):
        return dotted(where)
    number = where[1]
    name = _id_of(number, values) if where[0] == "steps" else ""
    word = "step" if where[0] == "steps" else "fail_if"
    head = f"{word} {name!r}" if name else f"{word} {number + 1}"
    rest = where[2:]
    if len(rest) > 1 and rest[0] == "figures" and isinstance(rest[1], int):
        head, rest = f"{head}, figure {rest[1] + 1}", rest[2:]
    return f"{head}, {dotted(rest)}" if rest else head


def _id_of(number: int, values: Any) -> str:
    try:
        name = values["steps"][number]["id"]
    except (KeyError, IndexError, TypeError):
        return ""
    return name if isinstance(name, str) and name.isprintable() and len(name) <= 60 else ""


def _told(
    kind: type[BaseModel],
    fault: Mapping[str, Any],
    parts: Mapping[str, type[BaseModel]],
    before: Sequence[object],
    values: Any,
) -> str:
    # A key is what somebody wrote, and may be very long.
    loc = [part[:MOST_LETTERS] if isinstance(part, str) else part for part in fault["loc"]]
    where = (*before, *loc)
    if fault["type"] == "extra_forbidden":
        holder = parts.get(str(where[0]), kind) if len(fault["loc"]) > 1 else kind
        holder = parts["figures"] if "figures" in where[2:3] and len(where) > 4 else holder
        return f"{place(where, values)}: {_unknown(str(fault['loc'][-1]), holder)}"
    reason = _REASONS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    if "max_length" in fault.get("ctx", {}):
        unit = "letters" if isinstance(fault["input"], str) else "entries"
        reason = f"must have at most {fault['ctx']['max_length']:,} {unit}"
    reason = reason[:1].lower() + reason[1:]
    got = fault["input"]
    plain = isinstance(got, str | int | float | bool) and fault["type"] not in _REASONS
    shown = f", got {_short(got)}" if plain else ""
    return f"{place(where, values)}: {reason}{shown}"


def _unknown(name: str, holder: type[BaseModel]) -> str:
    near = get_close_matches(name, holder.model_fields, n=1, cutoff=0.6)
    instead = f"did you mean {near[0]!r}" if near else f"choose among {listing(known(holder), 20)}"
    return f"there is no such key, {instead}"


def known(holder: type[BaseModel]) -> list[str]:
    """Return the keys that there are."""
    return list(holder.model_fields)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
