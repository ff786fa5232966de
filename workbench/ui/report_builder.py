"""The report: results put aside, in an order, with a heading and remarks, as one file."""

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import streamlit as st

from workbench import api
from workbench.core.errors import AccessError
from workbench.core.people import Person
from workbench.core.results import Result
from workbench.ui.actions import act
from workbench.ui.frame import answer, empty_state, list_line
from workbench.ui.queue import queue
from workbench.ui.state import open_link
from workbench.ui.text import plain
from workbench.workspace.basket import Basket, Content, Item


def report_builder(person: Person) -> None:
    """Show what was put aside, let it be ordered and commented, and offer the file."""
    basket = Basket(person.key)
    content = basket.content
    if not content.items:
        answer("Nothing has been put aside yet.")
        with empty_state(
            "Press Add to report under any result. Results keep their numbers, their uncertainty "
            "and how they were made.",
            "note_add",
        ):
            if st.button("Explain a prediction", icon=":material/waterfall_chart:"):
                open_link("shapley?")
        return
    found = _results(content, person)
    n, ready = len(content.items), len(found)
    answer(
        f"{ready:,} of {n:,} results are ready to hand over."
        if ready < n
        else f"{ready:,} result{'s' * (ready != 1)} in one file that opens anywhere."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        heading = st.text_input("Heading", content.heading, max_chars=200, key="report-heading")
        if heading != content.heading:
            basket.rename(heading)
        st.download_button(
            "Download the report", partial(_report, basket, found),
            file_name="report.html", mime="text/html", type="primary", on_click="ignore",
            icon=":material/download:", disabled=not found,
        )  # fmt: skip
    for place, item in enumerate(content.items):
        _show(item, basket, found.get(item.job), first=not place)


def _results(content: Content, person: Person) -> dict[str, Result]:
    """Load what is still there, in order."""
    found: dict[str, Result] = {}
    for item in content.items:
        try:
            found[item.job] = queue().result(item.job, person.key)
        except AccessError:
            continue
    return found


def _show(item: Item, basket: Basket, result: Result | None, *, first: bool) -> None:
    with st.container(border=True, gap="small"):
        about, actions = list_line(f"item-{item.job}")
        about.markdown(f"**{plain(item.title)}**")
        with actions:
            st.button(
                "Up", icon=":material/arrow_upward:", key=f"up-{item.job}", disabled=first,
                on_click=act, args=(basket.move, item.job, -1),
            )  # fmt: skip
            st.button(
                "Remove", icon=":material/delete:", key=f"out-{item.job}",
                on_click=act, args=(basket.remove, item.job),
            )  # fmt: skip
        if result is None:
            st.warning("Its result is no longer there; run the job again on the page Jobs.")
        else:
            st.caption(plain(result.provenance.describe()))
        remark = st.text_area(
            "Remark", item.remark, key=f"remark-{item.job}", height=80, max_chars=2000,
            placeholder="What should the reader notice?",
        )  # fmt: skip
        if remark != item.remark:
            basket.remark(item.job, remark)


def _report(basket: Basket, found: Mapping[str, Result]) -> bytes:
    """Write the report as it is put together now, which may be later than the page was drawn."""
    content = basket.content
    items = [item for item in content.items if item.job in found]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        api.write_report(
            [found[item.job] for item in items], path, title=content.heading,
            remarks=[item.remark for item in items],
        )  # fmt: skip
        return path.read_bytes()
