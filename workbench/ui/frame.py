"""The frame of every page: title, model and table, and what happens to errors."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.errors import RegistryError, WorkbenchError
from workbench.core.model import Model
from workbench.core.table import SPLITS, Table
from workbench.numerics.devices import choose_device, describe_device
from workbench.ui import cache
from workbench.ui.state import choose, forget
from workbench.ui.text import markup, plain

FIRST_MODEL = "adult-mlp"
# Less air above the title; inputs in a row of equal height; and a figure that goes above what
# stands beside it when the window is too narrow for both.
STYLE = """<style>
.stMainBlockContainer { padding: 3.25rem clamp(1rem, 6vw - 2rem, 3.5rem) 3rem; }
.stButtonGroup button { min-height: 2.5rem; }
div:has(> .st-key-figure) { flex: 5 1 29rem !important; max-width: 100%; }
div:has(> .st-key-beside) { flex: 2 1 18rem !important; max-width: 100%; }
</style>"""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """What every page is about.

    Attributes
    ----------
    rows
        The rows of the chosen split.
    split
        ``train``, ``validation``, ``test`` or ``all``.
    """

    model: Model
    table: str
    split: str
    rows: Table

    @property
    def split_name(self) -> str:
        """How a sentence speaks of the rows."""
        return f"table {self.table}" if self.split == "all" else f"the {self.split} split"


@contextmanager
def page(title: str) -> Iterator[Place]:
    """Show title and sidebar, then the page; its errors become sentences."""
    st.html(STYLE)
    st.title(title, anchor=False)
    place = None
    with errors_shown():
        place = _sidebar()
    if place is None:
        st.stop()
    with errors_shown():
        yield place


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
        incident = secrets.token_hex(4)
        log.exception("incident %s", incident)
        st.error(
            f"Something went wrong on our side (incident {incident}); reload the page, and if it "
            "happens again, send that number to whoever runs this workbench.",
            icon=":material/bug_report:",
        )


def answer(text: str) -> None:
    """Show the answer to a page's question; the text may hold a user's names."""
    st.html(
        f'<p role="heading" aria-level="2" style="font-size:1.25rem;font-weight:600;'
        f'line-height:1.4;margin:0;overflow-wrap:anywhere">{markup(text)}</p>'
    )


def side_by_side() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return a wide place for a figure and a narrow one beside it, or below on a small screen."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        return st.container(key="figure"), st.container(key="beside")


def note(text: str) -> None:
    """Show a muted line; the text may hold a user's names."""
    st.caption(plain(text))


def empty_state(text: str, icon: str) -> None:
    """Say what to do next where there is nothing to show yet."""
    with st.container(border=True, horizontal_alignment="center", height=320,
                      vertical_alignment="center"):  # fmt: skip
        st.markdown(f"# :gray[:material/{icon}:]", width="content")
        st.markdown(plain(text), width="content", text_alignment="center")


def _sidebar() -> Place:
    with st.sidebar:
        model = _choose_model()
        names = cache.tables_for(model)
        if not names:
            raise RegistryError(
                f"No bundled table has the features that {model.name} reads; choose another model."
            )
        trained_on = model.card.training_table
        table = choose(
            st.selectbox, "Table", "table", options=names,
            default=trained_on if trained_on in names else names[0],
            then=lambda: forget("row", "count"),
            help="Tables with the columns that the model reads.",
        )  # fmt: skip
        sizes = {part: len(cache.table(table, part)) for part in (*reversed(SPLITS), "all")}
        split = choose(
            st.selectbox, "Rows", "split", options=list(sizes), default="test",
            format_func=lambda part: (
                f"{'all' if part == 'all' else f'{part} split'} · {sizes[part]:,} rows"
            ),
            then=lambda: forget("row", "count"),
            help="The model was fitted to the train split and has never seen the test split.",
        )  # fmt: skip
        st.caption(f":material/memory: {plain(describe_device(choose_device()))}")
    return Place(model, table, split, cache.table(table, split))


def _choose_model() -> Model:
    """Let the user choose; raises where the registry is empty."""
    versions = {entry.name: entry.default for entry in api.list_models()}
    if not versions:
        raise RegistryError(
            "There are no models yet; train the bundled ones with `workbench train`, or point "
            "WORKBENCH_MODELS to a folder of models."
        )
    first = FIRST_MODEL if FIRST_MODEL in versions else next(iter(versions))
    name = choose(
        st.selectbox, "Model", "model", options=list(versions), default=first,
        format_func=lambda name: f"{name} · v{versions[name]}",
        then=lambda: forget("table", "row", "count", "output"),
    )  # fmt: skip
    model = cache.model(name)
    note(model.card.title)
    return model
