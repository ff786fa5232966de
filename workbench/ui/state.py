"""What the user has chosen: it outlives a page, and a link or a refresh restores it.

A widget's own state dies with its page, so a choice is copied to a key of ours when it changes.
What differs from its default is in the address as well.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st

from workbench.ui.text import plain

OWN = "choice."
WIDGET = "widget."
HOME = "pages/workspace.py"
Valid = Callable[[Any], bool]
# Where sentences about choices go that are not to be had, while their widgets cannot be seen.
_refusals: ContextVar[list[str] | None] = ContextVar("refusals", default=None)


def choose(
    widget: Callable[..., Any],
    label: str,
    name: str,
    *,
    default: Any,
    options: Sequence[Any] | None = None,
    valid: Valid | None = None,
    then: Callable[[], None] | None = None,
    **look: Any,
) -> Any:
    """Show a widget whose value is kept under ``name``, and return the value.

    Parameters
    ----------
    widget
        A function of Streamlit or of one of its containers, such as ``st.selectbox``.
    default
        Value of a first visit; its type says how to read the address.
    options, valid
        What may be chosen; anything else, from an old link or for another model, gives way to the
        default, and a line says so.
    then
        Called after a change, before the page runs again.
    look
        Passed to the widget: bounds, help, format.
    """
    if options is not None:
        look["options"] = options
        valid = options.__contains__
    value, refused = _recall(name, default, valid)
    key = WIDGET + name
    st.session_state[key] = value
    _publish(name, value, default)
    chosen = widget(label, key=key, on_change=_copy, args=(name, then), **look)
    if refused is not None:
        _refuse(label, refused)
    return chosen


def choose_several(
    label: str, name: str, *, options: Sequence[str], default: Sequence[str], **look: Any
) -> tuple[str, ...]:
    """Show a widget for some of several names, and return those chosen, in the order of options.

    In the address they are one text with commas. Names that are not to be had, from an old link
    or for another model, are left out, and a line says so; the default stands where none is left.
    """
    standard = ",".join(default)
    text = str(peek(name, standard))
    wished = text.split(",") if text else []
    known = [option for option in options if option in wished]
    refused = [word for word in wished if word not in options and word not in default]
    if wished and not known:
        known = list(default)
    key = WIDGET + name
    st.session_state[key] = known
    chosen = st.multiselect(label, options, key=key, on_change=_copy_several, args=(name,), **look)
    for word in refused:
        _refuse(label, word)
    return tuple(option for option in options if option in chosen)


@contextmanager
def refusals() -> Iterator[list[str]]:
    """Gather what widgets say of choices that are not to be had, for a place where it is seen."""
    found: list[str] = []
    token = _refusals.set(found)
    try:
        yield found
    finally:
        _refusals.reset(token)


def _refuse(label: str, wanted: object) -> None:
    said, gathered = f"{label} {plain(repr(wanted))} is not available here.", _refusals.get()
    if gathered is None:
        st.caption(said, width="content")
    else:
        gathered.append(said)


def peek(name: str, default: Any = None) -> Any:
    """Return a choice without showing its widget; it stays in the address of every page."""
    value = _recall(name, default, None)[0]
    _publish(name, value, default)
    return value


def put(name: str, value: Any) -> None:
    """Make a choice that is no widget's value."""
    st.session_state[OWN + name] = value


def forget(*names: str) -> None:
    """Return choices to their defaults."""
    for name in names:
        st.session_state.pop(OWN + name, None)
        st.query_params.pop(name, None)


def forget_under(family: str, *names: str) -> None:
    """Return choices, and all settings of a family of methods, to their defaults."""
    known = {str(key).removeprefix(OWN) for key in st.session_state} | set(st.query_params)
    forget(*names, *(name for name in known if name.startswith(f"{family}.")))


def link_to() -> str:
    """Return what brings one back here: the name of the page and the choices that are not default.

    Examples
    --------
    A page ``shapley`` with its fourth row chosen: ``shapley?model=wine-mlp&row=3``.
    """
    name = urlsplit(st.context.url or "").path.rpartition("/")[2]
    return f"{name}?{urlencode(st.query_params.to_dict())}"


def open_link(link: str) -> None:
    """Go to where a link leads; what was chosen before gives way to what the link says."""
    name, _, choices = link.partition("?")
    for key in [key for key in st.session_state if str(key).startswith(OWN)]:
        del st.session_state[key]
    page = f"pages/{name}.py" if name else HOME
    st.switch_page(page, query_params=dict(parse_qsl(choices)))


def _recall(name: str, default: Any, valid: Valid | None) -> tuple[Any, Any]:
    """Return the value and, where it had to give way to the default, what it was.

    What the address says is kept from then on: the menu leaves the address behind.
    """
    value = st.session_state.get(OWN + name, default)
    if OWN + name not in st.session_state and name in st.query_params:
        text = st.query_params[name]
        value = _read(text, default)
        if value is None:
            return default, text
    if valid is not None and value != default and not valid(value):
        forget(name)
        return default, value
    if value != default:
        st.session_state[OWN + name] = value
    return value, None


def _read(text: str, default: Any) -> Any:
    """Turn text of an address into the type of the default; None where it cannot be."""
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return {"True": True, "False": False}.get(text)
    try:
        return float(text) if isinstance(default, float) else int(text)
    except ValueError:
        return _number_or_text(text) if default is None else None


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _publish(name: str, value: Any, default: Any) -> None:
    if value == default or value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != str(value):
        st.query_params[name] = str(value)


def _copy(name: str, then: Callable[[], None] | None) -> None:
    st.session_state[OWN + name] = st.session_state[WIDGET + name]
    if then is not None:
        then()


def _copy_several(name: str) -> None:
    st.session_state[OWN + name] = ",".join(st.session_state[WIDGET + name])
