"""A form made from a parameter model, so that no page lists settings by hand."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from workbench.core.params import Params
from workbench.ui.state import choose, refusals
from workbench.ui.text import plain

AUTOMATIC = "automatic"
# The largest whole number that a browser holds exactly.
MOST = 2**53 - 1


@contextmanager
def settings_button(label: str = "Settings", *, width: Any = "stretch") -> Iterator[None]:
    """Keep choices behind a button; what an address asked of them in vain is said below it."""
    with refusals() as refused, st.popover(label, icon=":material/tune:", width=width):
        yield
    for said in refused:
        st.caption(said)


def params_form(
    params: type[Params],
    key: str,
    *,
    leave_out: Collection[str] = (),
    defaults: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Show a widget for each field, and return what was chosen.

    A choice becomes a list, a number an input within its bounds; a number that may be left open
    is empty and says so. Values kept under ``key`` and the field's name, so that methods which
    share a field share its value. ``defaults`` go before those of the model.

    Raises
    ------
    TypeError
        If a field is of a type that has no widget.
    """
    return {
        name: _field(name, field, f"{key}.{name}", (defaults or {}).get(name, field.default))
        for name, field in params.model_fields.items()
        if name not in leave_out
    }


def whole_number(
    label: str, name: str, default: int, low: int, high: int, help_: str, *, width: Any = 160
) -> int:
    """Show an input for a whole number between bounds; the value is kept under ``name``."""
    value = choose(
        st.number_input, label, name, default=default, help=plain(help_), width=width,
        valid=lambda number: isinstance(number, int) and low <= number <= high,
        min_value=low, max_value=high, step=1,
    )  # fmt: skip
    return default if value is None else int(value)


def _field(name: str, field: FieldInfo, key: str, default: Any) -> Any:
    label = name.replace("_", " ").capitalize()
    kind, optional = _kind(field)
    if get_origin(kind) is Literal:
        return choose(
            st.selectbox, label, key, default=default, options=get_args(kind),
            help=field.description,
        )  # fmt: skip
    if kind is bool:
        return bool(choose(st.toggle, label, key, default=default, help=field.description))
    if kind not in {int, float}:
        raise TypeError(f"field {name!r} of type {kind} has no widget")
    low, high = _bounds(field, kind)

    def valid(value: Any) -> bool:
        number = isinstance(value, int | float) and abs(value) <= MOST
        return number and _within(value, low, high)

    may_be_open: dict[str, Any] = {"value": None, "placeholder": AUTOMATIC} if optional else {}
    value = choose(
        st.number_input, label, key, default=default, valid=valid, help=field.description,
        min_value=low, max_value=high, step=1 if kind is int else 0.01,
        format="%d" if kind is int else "%.3g",
        **may_be_open,
    )  # fmt: skip
    return value if value is None else kind(value)


def _kind(field: FieldInfo) -> tuple[Any, bool]:
    """Return the type without ``None``, and whether there was one."""
    parts = get_args(field.annotation)
    if NoneType not in parts:
        return field.annotation, False
    (kind,) = (part for part in parts if part is not NoneType)
    return kind, True


def _bounds(field: FieldInfo, kind: Any) -> tuple[Any, Any]:
    low = high = None
    for rule in field.metadata:
        if isinstance(rule, Ge | Gt):
            low = kind(rule.ge if isinstance(rule, Ge) else rule.gt)
        elif isinstance(rule, Le | Lt):
            high = kind(rule.le if isinstance(rule, Le) else rule.lt)
    return low, high


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
