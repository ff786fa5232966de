"""The frame of every page: who looks, title, sidebar, and what happens to errors."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.core.errors import WorkbenchError
from workbench.core.people import Action, Person, demand
from workbench.operations.logs import incident
from workbench.ui import people
from workbench.ui.actions import show_fault
from workbench.ui.drawn import finish_page, start_page
from workbench.ui.place import Place
from workbench.ui.queue import start_jobs
from workbench.ui.sidebar import OF_PLACE, choose_place
from workbench.ui.state import peek
from workbench.ui.text import markup, plain

# Less air above the title; inputs in a row of equal height; options of a strip close enough that
# seven stay on one line of a window of 1280 pixels; and what stands side by side goes
# below each other when the window is too narrow for both.
STYLE = """<style>
.stMainBlockContainer { padding: 3.25rem clamp(1rem, 6vw - 2rem, 3.5rem) 3rem; }
.stButtonGroup button { min-height: 2.5rem; padding-inline: 0.5rem; }
div:has(> .st-key-figure), div:has(> [class*="st-key-wide-"]) {
  flex: 5 1 29rem !important; max-width: 100%;
}
div:has(> .st-key-beside), div:has(> [class*="st-key-narrow-"]) {
  flex: 2 1 18rem !important; max-width: 100%;
}
/* Muted lines as Streamlit has them stay below the contrast of 4.5 to 1 on white. */
div[data-testid="stCaptionContainer"] { color: inherit; opacity: 0.75; }
/* The colour of what is chosen is too dark on the dark tint below it: 5.9 to 1 with this one. */
.stButtonGroup button[data-selected] p { color: light-dark(#1a63d6, #58a6ff); }
/* Without a mouse the bar of a figure is never away, and would lie over what is drawn. */
@media (hover: none) { .stPlotlyChart .modebar-container { display: none; } }
div:has(> [class*="st-key-half-"]) { flex: 1 1 22rem !important; max-width: 100%; }
div:has(> [class*="st-key-line-"]) { flex: 1 1 20rem !important; max-width: 100%; }
</style>"""
log = logging.getLogger(__name__)


@contextmanager
def page(title: str) -> Iterator[Place]:
    """Show a page about a model and rows: title, sidebar, then the page."""
    with plain_page(title) as person:
        place = None
        with errors_shown():
            place = choose_place(person)
        if place is None:
            st.stop()
        yield place


@contextmanager
def plain_page(title: str, *, needs: Action | None = None) -> Iterator[Person]:
    """Show a page about no model in particular; its errors become sentences.

    Parameters
    ----------
    needs
        What a person must be allowed to do to see the page.
    """
    st.html(STYLE)
    start_page()
    person = _enter()
    for name in OF_PLACE:  # a refresh of this page must not forget what the others are about
        peek(name, "")
    show_fault()
    st.title(title, anchor=False)
    is_let_in = needs is None
    with errors_shown():
        if needs is not None:
            demand(person, needs)
            is_let_in = True
    if not is_let_in:
        st.stop()
    with errors_shown():
        yield person
    with errors_shown():
        finish_page()


def _enter() -> Person:
    """Return who looks at the page; nobody gets past here without having signed in."""
    person = None
    with errors_shown():
        person = people.current_person()
        start_jobs()
        people.account_panel(person)
    if person is None:
        st.stop()
    return person


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show the sentence of a user's fault; log any other, and show its number.

    What a defect says may hold a user's data, so it goes to the log alone.
    """
    try:
        yield
    except WorkbenchError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception:
        number = incident(log, "a page failed")
        st.error(
            "Something went wrong on our side. Reload the page; if it happens again, send this "
            "number to whoever runs this workbench.",
            icon=":material/bug_report:",
        )
        st.code(f"incident {number}", language=None, width="content")


def answer(text: str) -> None:
    """Show the answer to a page's question; the text may hold a user's names."""
    st.html(
        f'<p role="heading" aria-level="2" style="font-size:1.25rem;font-weight:600;'
        f'line-height:1.4;margin:0;overflow-wrap:anywhere">{markup(text)}</p>'
    )


def side_by_side(key: str = "") -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return a wide place for a figure and a narrow one beside it, or below on a small screen.

    Parameters
    ----------
    key
        Tells further such places of a page from the first.
    """
    wide, narrow = (f"wide-{key}", f"narrow-{key}") if key else ("figure", "beside")
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        return st.container(key=wide), st.container(key=narrow)


def two_halves(key: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return two places of equal width, below each other on a small screen."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        return (
            st.container(border=True, key=f"half-{key}-0"),
            st.container(border=True, key=f"half-{key}-1"),
        )


def list_line(key: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return the places of a line of a list: what it is, and its buttons beside or below that."""
    with st.container(horizontal=True, vertical_alignment="center"):
        about = st.container(gap=None, key=f"line-{key}")
        return about, st.container(horizontal=True, width="content")


def note(text: str) -> None:
    """Show a muted line; the text may hold a user's names."""
    st.caption(plain(text))


def empty_state(text: str, icon: str, *, height: int = 320) -> DeltaGenerator:
    """Say what to do next where there is nothing to show yet; returns the place for a button."""
    box = st.container(
        border=True, horizontal_alignment="center", height=height, vertical_alignment="center"
    )
    with box:
        st.markdown(f"# :gray[:material/{icon}:]", width="content")
        st.markdown(plain(text), width="content", text_alignment="center")
    return box
