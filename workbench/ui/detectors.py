"""Whether other detectors of interactions find the same pairs: ranks, agreement, cost."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.detectors import KINDS
from workbench.core.results import Detectors
from workbench.engines.interactions.detectors import NAME
from workbench.plots.detectors import MEASURES, detectors_sentence
from workbench.ui.cost import quote
from workbench.ui.drawn import draw
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.methods import choose_seed
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import announced, ask_of, show_part
from workbench.ui.state import choose, choose_several
from workbench.ui.text import plain

FAMILY = "detectors"
VIEWS = {"ranks": "Ranks", "agreement": "Agreement", "cost": "Cost"}
ABOUT = {
    "ranks": "Detectors measure different things, so their ranks are compared. A dash is a pair "
    "that a detector does not know, a dot one of a detector that finds nothing at all.",
    "agreement": "Over the pairs that both know. That two agree is no proof: all ask the same "
    "model.",
    "cost": "What each would take alone.",
}
LABELS = {"ranks": "Correlation of ranks", "top": "Five strongest in common"}


def detectors_side_by_side(place: Place) -> None:
    """Ask several detectors which pairs the model uses together, and hold them side by side."""
    part = show_part(
        place, Detectors, _choose, key=FAMILY, heading="Who is asked", verb="Ask the detectors",
        icon="compare",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    name = f"detectors-{place.model.card.name}"
    output = found.result.output_names[found.result.output_index(None)]
    with part.left, st.container(border=True), errors_shown():
        output = _choose_output(found.result, output)
        _show_view(found.result, output, name)
        downloads(found, name, place.person)
    with part.said, errors_shown():
        answer(detectors_sentence(found.result, output))
        for left_out, why in found.result.left_out:
            note(f"{KINDS[left_out].title} was left out: {why}.")
    part.end(found.result)


def _choose(place: Place) -> Ask:
    """Choose detectors and settings; returns the run.

    Raises
    ------
    WorkbenchError
        If no detector can serve the model with these settings.
    """
    record = api.list_methods()[NAME]
    chosen = choose_several(
        "Detectors", f"{FAMILY}.detectors", options=list(KINDS), default=(),
        format_func=lambda name: KINDS[name].title, placeholder="all that can serve",
    )  # fmt: skip
    hidden = {"detectors"}
    if place.model.schema.task == "regression":
        hidden.add("output")
    with settings_button():
        seed = choose_seed(f"{FAMILY}_seed")
        settings: dict[str, Any] = params_form(record.params, FAMILY, leave_out=hidden)
    settings["detectors"] = chosen
    price = quote(place, NAME, len(place.rows), 0, settings)
    return announced(ask_of(place, NAME, price, seed=seed))


def _choose_output(result: Detectors, default: str) -> str:
    """Choose the output to look at, where there are several that differ."""
    if result.schema.task != "multiclass":
        return default
    return str(choose(
        st.selectbox, "Output", f"{FAMILY}.shown", options=list(result.output_names),
        default=default, format_func=plain,
    ))  # fmt: skip


def _show_view(result: Detectors, output: str, name: str) -> None:
    view = str(choose(
        st.segmented_control, "View", FAMILY, options=list(VIEWS), default="ranks",
        format_func=VIEWS.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    options: dict[str, Any] = {} if view == "cost" else {"output": output}
    if view == "agreement":
        options["measure"] = choose(
            st.segmented_control, "Measure", f"{FAMILY}.measure", options=list(MEASURES),
            default=MEASURES[0], format_func=LABELS.get, required=True,
            label_visibility="collapsed",
        )  # fmt: skip
    plain_figure(
        draw(result, view, **options), name=f"{name}-{view}",
        alt=detectors_sentence(result, output),
    )  # fmt: skip
    note(ABOUT[view])
