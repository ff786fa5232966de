"""LIME on a page: the local model of one row, or those of many and the rows to look at."""

from collections.abc import Mapping
from typing import get_args

import streamlit as st

from workbench import api
from workbench.core.method import Effort, Method
from workbench.core.results import LocalModels
from workbench.plots.local_models import fit_sentence, local_sentence
from workbench.ui.drawn import draw
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Answer, Ask
from workbench.ui.local_runs import Look, levels_of, of_output, open_button
from workbench.ui.local_tables import coefficient_table, mean_table
from workbench.ui.methods import (
    MOST_BACKGROUND,
    choose_background,
    choose_effort,
    choose_seed,
)
from workbench.ui.results import downloads, figure, plain_figure
from workbench.ui.runs import announced, show_part
from workbench.ui.state import choose, forget, peek
from workbench.ui.text import plain

FAMILY = "lime"
PICKED = 5
SAMPLINGS = {
    "discretised": "from bins of the background",
    "mean-centred": "about the background's mean",
    "around": "about the row",
}


def lime(look: Look) -> None:
    """Show the local models of rows, how well they fit, and how they were made."""
    part = show_part(
        look.place, LocalModels, lambda _: _choose(look), key=FAMILY,
        heading="Method", verb=f"Fit local models of {look.about}",
        icon="play_circle",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result, row = found.result, 0 if look.one else None
    with part.said, errors_shown():
        answer(local_sentence(result, row, look.output))
        note(fit_sentence(result, row, look.output))
    with part.left, errors_shown():
        with st.container(border=True):
            _show(look, found)
        st.markdown("**In numbers**")
        if look.one:
            coefficient_table(result, look.output, "condition")
        else:
            mean_table(result, look.output)
    part.end(of_output(result, look.output))


def _show(look: Look, found: Answer[LocalModels]) -> None:
    result, name = found.result, look.name("lime")
    if look.one:
        said = local_sentence(result, 0, look.output)
        figure(result, "coefficients", name=name, alt=said, output=look.output)
    else:
        _show_picked(look, result, name)
    downloads(found, name, look.place.person)


def _show_picked(look: Look, result: LocalModels, name: str) -> None:
    """Show the rows whose local models together use what matters over all rows (SP-LIME)."""
    picked = {str(result.ids[at]): int(at) for at in result.pick(PICKED, look.output)}
    st.markdown("**Rows to look at**")
    note(
        "Chosen so that together their local models use the features that matter over all rows "
        "(SP-LIME)."
    )
    if not picked:
        note("No local model has a feature.")
        return
    if peek("picked", "") not in picked:  # other rows or settings, other picks
        forget("picked")
    with st.container(horizontal=True, vertical_alignment="center"):
        number = str(choose(
            st.segmented_control, "Row to look at", "picked", options=list(picked),
            default=next(iter(picked)), format_func=lambda number: f"Row {number}", required=True,
            label_visibility="collapsed",
        ))  # fmt: skip
        open_button(look, int(number), "Open it", key="picked")
    at = picked[number]
    said = f"{local_sentence(result, at, look.output)} {fit_sentence(result, at, look.output)}"
    st.markdown(plain(said))
    drawn = draw(result, "coefficients", row=at, output=look.output)
    plain_figure(drawn, name=f"{name}-picked", alt=said)


def _choose(look: Look) -> Ask:
    """Choose method, effort and settings; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit.
    """
    name, record = _choose_method(look)
    levels, effort = levels_of(name, look), Effort(MOST_BACKGROUND, {})
    if levels:
        effort = levels[choose_effort(FAMILY, list(levels))]
    fields = record.params.model_fields
    settings = {}
    if "sampling" in fields:
        options = get_args(fields["sampling"].annotation)
        settings["sampling"] = choose(
            st.selectbox, "Draw numbers", "sampling", options=options, default=options[0],
            format_func=lambda name: SAMPLINGS.get(name, name), help=fields["sampling"].description,
        )  # fmt: skip
    hidden = {"output"} if look.place.model.schema.task == "regression" else set()
    with settings_button():
        background, seed = choose_background(look.place, effort, FAMILY), choose_seed()
        settings |= params_form(
            record.params, FAMILY, leave_out=hidden | set(settings), defaults=effort.settings
        )
    return announced(look.ask(name, settings, background=background, seed=seed))


def _choose_method(look: Look) -> tuple[str, Method]:
    methods: Mapping[str, Method] = {
        name: method
        for name, method in api.list_methods().items()
        if method.yields is LocalModels and not method.lacks(look.place.model)
    }
    names = sorted(methods, key=lambda name: name != "lime.tabular")
    if len(names) == 1:
        return names[0], methods[names[0]]
    name = str(choose(
        st.selectbox, "Method", "lime_method", options=names, default=names[0],
        format_func=lambda name: methods[name].title, label_visibility="collapsed",
    ))  # fmt: skip
    return name, methods[name]
