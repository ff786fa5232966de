"""What makes decisions less arbitrary: averaging, refusing, choosing; and who says so."""

import streamlit as st

from workbench.core.mitigation import MEASURED
from workbench.core.results import Mitigation
from workbench.engines.rashomon.mitigation import NAME
from workbench.plots import views_of
from workbench.plots.mitigation_words import (
    abstention_sentence,
    by_construction_sentence,
    ensemble_sentence,
    selection_sentence,
)
from workbench.ui.drawn import draw
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import choose_run, show_part
from workbench.ui.state import choose

FAMILY = "mitigation"
PARTS = {
    "reduction": ("Average near-copies", by_construction_sentence),
    "abstention": ("Refuse what models disagree about", abstention_sentence),
    "candidates": ("Choose among trainings", selection_sentence),
}
METRICS = dict(zip(MEASURED, ("Rows", "Models", "Range"), strict=True))


def mitigation(place: Place) -> None:
    """Show what lessens the disagreement about the rows of a place."""
    part = show_part(
        place, Mitigation, _choose, key=FAMILY, heading="Who averages, who judges",
        verb="Compare what helps", icon="balance",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result, name = found.result, f"what-helps-{place.model.card.name}"
    with part.said, errors_shown():
        answer(ensemble_sentence(result))
    with part.left:
        for view in views_of(result):
            with st.container(border=True), errors_shown():
                _show(result, view, name)
        if not result.candidate_names:
            note(selection_sentence(result))
        downloads(found, name, place.person)
    part.end(result)


def _choose(place: Place) -> Ask:
    return choose_run(place, NAME, FAMILY, chosen={}, by_hand=())


def _show(result: Mitigation, view: str, name: str) -> None:
    title, sentence = PARTS[view]
    st.markdown(f"**{title}**")
    said = sentence(result)
    note(said)
    options = {}
    if view == "reduction" and result.classifies:  # three beside each other are too narrow
        options["metric"] = str(choose(
            st.segmented_control, "Disagreement", f"{FAMILY}.metric", options=list(METRICS),
            default=MEASURED[0], format_func=METRICS.get, required=True,
            label_visibility="collapsed",
        ))  # fmt: skip
    if view == "candidates" and result.remark:
        note(result.remark)
    drawn = draw(result, view, **options)
    plain_figure(drawn, name=f"{name}-{view}", alt=said)
