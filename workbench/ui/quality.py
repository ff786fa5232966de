"""How good the model is on the rows at hand: figure, numbers, and how far to trust them."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.performance import Performance
from workbench.core.wording import counted
from workbench.plots import performance_sentence, views_of
from workbench.ui.cost import quote
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, empty_state, errors_shown
from workbench.ui.jobs import Answer, Ask
from workbench.ui.place import Place
from workbench.ui.results import downloads, figure, metrics_table
from workbench.ui.runs import announced, ask_of, show_part
from workbench.ui.state import choose

METHOD, FAMILY = "performance.evaluate", "performance"
VIEW_NAMES = {
    "metrics": "In numbers",
    "confusion": "Right and wrong",
    "roc": "ROC",
    "pr": "Precision and recall",
    "calibration": "Calibration",
    "residuals": "Residuals",
}


def quality(place: Place, said: DeltaGenerator) -> None:
    """Show how good the model is; ``said`` is where the answer goes."""
    if place.rows.y is None:
        with said:
            answer(f"How good it is cannot be told: {place.rows_name} holds no true values.")
        empty_state(
            "Add the table again with its target column to see how often the model is right.",
            "help",
        )
        return
    part = show_part(
        place, Performance, _ask, key=FAMILY, heading="How it is measured",
        verb=f"Evaluate {counted(len(place.rows), 'row')}", icon="speed",
    )  # fmt: skip
    if part.found is None:
        return
    with part.left, errors_shown():
        _show(part.found, place, said)
    metrics_table(part.found.result)
    part.end(part.found.result)


def _ask(place: Place) -> Ask:
    with settings_button():
        settings = params_form(api.list_methods()[METHOD].params, FAMILY)
    price = quote(place, METHOD, len(place.rows), 0, settings)
    return announced(ask_of(place, METHOD, price, seed=0))


def _show(found: Answer[Performance], place: Place, said: DeltaGenerator) -> None:
    result = found.result
    sentence = performance_sentence(result)
    with said:
        answer(sentence)
    with st.container(border=True):
        views = [view for view in views_of(result) if view in VIEW_NAMES]
        view = choose(
            st.segmented_control, "View", "quality", options=views, default=views[0],
            format_func=VIEW_NAMES.get, required=True, label_visibility="collapsed",
        )  # fmt: skip
        name = f"performance-{place.model.card.name}"
        figure(result, view, name=name, alt=sentence)
        downloads(found, name, place.person)
