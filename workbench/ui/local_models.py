"""Simple models near a row: LIME, and functions and neighbourhoods of one's own choice."""

import streamlit as st

from workbench.plots.local_functions import local_function_sentence
from workbench.ui.cards import computed_card
from workbench.ui.frame import answer, errors_shown, note, side_by_side, two_halves
from workbench.ui.lime import lime
from workbench.ui.local_function import list_worst, show_function
from workbench.ui.local_runs import Look
from workbench.ui.local_tables import coefficient_table
from workbench.ui.neighbourhood import Hood, choose_hood, show_curve
from workbench.ui.place import Place
from workbench.ui.shapley import choose_output, choose_rows, describe_row
from workbench.ui.state import choose

PARTS = {"lime": "LIME", "neighbourhood": "Neighbourhood and function"}


def local_models(place: Place) -> None:
    """Show the part of the page that was chosen, about the rows that were chosen."""
    part = choose(
        st.segmented_control, "Part", "part", options=list(PARTS), default="lime",
        format_func=PARTS.get, required=True, label_visibility="collapsed",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row, count = choose_rows(place)
        output = choose_output(place, row)
    if row is not None:
        note(describe_row(place, row))
    look = Look(place, row, count, output)
    if part == "lime":
        lime(look)
        return
    hood = None
    with errors_shown():
        hood = choose_hood(look)
    if hood is not None:
        _neighbourhood(look, hood)


def _neighbourhood(look: Look, hood: Hood) -> None:
    """Show how far a linear explanation holds, and beside it the function at the chosen scale."""
    said = st.container()
    left, right = two_halves("hood")
    curve, scale, found = None, None, None
    with left, errors_shown():
        curve, scale = show_curve(look, hood)
    with right, errors_shown():
        found = show_function(look, hood, scale)
    if found is not None:
        result, row = found.result, 0 if look.one else None
        with said, errors_shown():
            answer(local_function_sentence(result, row, look.output))
        numbers, trust = side_by_side()
        with trust, errors_shown():
            look.trust(result)
        with numbers, errors_shown():
            if look.one:
                st.markdown("**In numbers**")
                coefficient_table(result, look.output, "feature")
            else:
                list_worst(look, result)
    for computed in (found, curve):
        if computed is not None:
            computed_card(computed.result.provenance)
