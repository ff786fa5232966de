"""What makes decisions less arbitrary: averaging, refusing, choosing; and who says so."""

import streamlit as st

from workbench.core.mitigation import MEASURED
from workbench.core.results import Mitigation
from workbench.engines.rashomon.mitigation import NAME
from workbench.plots import render, views_of
from workbench.plots.mitigation_words import (
    abstention_sentence,
    by_construction_sentence,
    ensemble_sentence,
    selection_sentence,
)
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.frame import answer, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask
from workbench.ui.place import Place
from workbench.ui.results import downloads, is_dark, plain_figure
from workbench.ui.state import choose
from workbench.ui.update_runs import answer_of, choose_run

FAMILY = "mitigation"
PARTS = {
    "reduction": ("Average near-copies", by_construction_sentence),
    "abstention": ("Refuse what models disagree about", abstention_sentence),
    "candidates": ("Choose among trainings", selection_sentence),
}
METRICS = dict(zip(MEASURED, ("Rows", "Models", "Range"), strict=True))


def mitigation(place: Place) -> None:
    """Show what lessens the disagreement about the rows of a place."""
    said = st.container()
    left, right = side_by_side("mitigation")
    ask: Ask | None = None
    found: Answer[Mitigation] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**Who averages, who judges**")
            ask = choose_run(place, NAME, FAMILY, chosen={}, by_hand=())
    if ask is not None:
        with left, errors_shown():
            found = answer_of(place, ask, Mitigation, "Compare what helps", "balance")
    if found is None:
        return
    result, name = found.result, f"what-helps-{place.model.card.name}"
    with said, errors_shown():
        answer(ensemble_sentence(result))
    with left:
        for view in views_of(result):
            with st.container(border=True), errors_shown():
                _part(result, view, name)
        if not result.candidate_names:
            note(selection_sentence(result))
        downloads(found, name, place.person)
    with trust, errors_shown():
        trust_card(result)
    computed_card(result.provenance)


def _part(result: Mitigation, view: str, name: str) -> None:
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
    drawn = render(result, view, dark=is_dark(), **options)
    plain_figure(drawn, name=f"{name}-{view}", alt=said)
