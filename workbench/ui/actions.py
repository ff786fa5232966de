"""What a button does before the page runs again: a fault is a sentence, not the end of the page."""

import logging
from collections.abc import Callable

import streamlit as st

from workbench.core.errors import WorkbenchError
from workbench.operations.logs import incident
from workbench.ui.text import plain

SAID = "action.fault"
log = logging.getLogger(__name__)


def act(action: Callable[..., object], *args: object) -> None:
    """Do what a button is for; what it was about may be gone, as by a click in another window.

    Examples
    --------
    ``st.button("Remove", on_click=act, args=(workspace.remove_table, name))``
    """
    try:
        action(*args)
    except WorkbenchError as error:
        _say(plain(str(error)))
    except Exception:
        _say(
            f"Something went wrong on our side (incident {incident(log, 'a button failed')}); send "
            "this number to whoever runs this workbench."
        )


def removal(what: str, key: str, action: Callable[..., object], *args: object) -> None:
    """Offer to remove what cannot be brought back: one button opens, another one does it.

    Parameters
    ----------
    what
        What is lost, in a sentence; plain text.
    """
    with st.popover("Remove", icon=":material/delete:"):
        st.markdown(plain(what))
        st.button(
            "Remove it", icon=":material/delete:", type="primary", key=f"remove-{key}",
            on_click=act, args=(action, *args),
        )  # fmt: skip


def _say(text: str) -> None:
    st.session_state[SAID] = text


def show_fault() -> None:
    """Say what the last button could not do; pages and parts that run alone begin with it."""
    if text := st.session_state.pop(SAID, None):
        st.toast(text, icon=":material/error:", duration="long")
