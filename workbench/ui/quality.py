"""How good the model is on the rows at hand: figure, numbers, and how far to trust them."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.performance import Performance
from workbench.core.wording import counted
from workbench.plots import performance_sentence, views_of
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import quote
from workbench.ui.forms import params_form
from workbench.ui.frame import answer, empty_state, errors_shown, side_by_side
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way, was_stopped
from workbench.ui.place import Place
from workbench.ui.results import downloads, figure, metrics_table
from workbench.ui.state import choose

METHOD = "performance.evaluate"
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
    left, right = side_by_side()
    with right:
        trust = st.container()
        with st.container(border=True):
            st.markdown("**Settings**")
            ask = _ask(place)
    found = None
    with left, errors_shown():
        slot = st.container()
        pressed = (not ask.is_small or was_stopped(ask, place.person)) and st.button(
            f"Evaluate {counted(len(place.rows), 'row')}",
            type="primary",
            icon=":material/play_arrow:",
        )
        found = answer_to(
            ask, place.person, Performance, pressed=pressed, starts_itself=ask.is_small, slot=slot
        )
        if found is not None:
            _show(found, place, said)
        elif not is_under_way(ask, place.person):
            empty_state(f"Press Evaluate: {ask.quote.describe()}.", "speed")
    if found is not None:
        with trust:
            trust_card(found.result)
        metrics_table(found.result)
        computed_card(found.result.provenance)


def _ask(place: Place) -> Ask:
    method = api.list_methods()[METHOD]
    with st.popover("Change", icon=":material/tune:", width="stretch"):
        settings = params_form(method.params, "performance")
    price = quote(place, METHOD, len(place.rows), 0, settings)
    st.caption(price.describe())
    return Ask(
        request=place.request(METHOD, price.params),
        quote=price,
        title=f"{method.title}, {place.model.card.name}, {place.rows_name}",
        subject=(METHOD, place.model.digest, place.table, place.split, str(place.cohort)),
    )


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
