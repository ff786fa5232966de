"""Figures of a result in the report: which were chosen, and the way back to the usual ones."""

import streamlit as st

from workbench.core.people import Person
from workbench.core.wording import counted
from workbench.jobs.request import registered_methods
from workbench.plots.chosen import title_of
from workbench.ui.actions import act
from workbench.ui.frame import list_line, note
from workbench.ui.queue import queue
from workbench.ui.text import plain
from workbench.workspace.basket import Basket, Item


def chosen_figures(item: Item, basket: Basket, person: Person) -> None:
    """List the figures that were chosen of a result, each to be taken out, or say what there is."""
    if not item.figures:
        note("Figures: the usual ones. Add a view on the page of the result to show that instead.")
        return
    kind = registered_methods().find(queue().request(item.job, person.key).method).yields
    with st.expander(f"{counted(len(item.figures), 'figure')}", icon=":material/insert_chart:"):
        for number, figure in enumerate(item.figures):
            about, actions = list_line(f"figure-{item.job}-{number}")
            title = title_of(kind, figure)
            about.markdown(plain(title))
            actions.button(
                f"Remove figure {number + 1}", icon=":material/delete:", type="tertiary",
                key=f"figure-out-{item.job}-{number}", on_click=act,
                args=(basket.drop, item.job, figure), help=plain(title),
            )  # fmt: skip
        st.button(
            "Show the usual figures", icon=":material/restart_alt:", type="tertiary",
            key=f"usual-{item.job}", on_click=act, args=(basket.show_usual, item.job),
        )  # fmt: skip
