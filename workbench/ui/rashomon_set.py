"""A set of equally good models on a page: how it is looked for, and what it says."""

import streamlit as st

from workbench.core.rashomon import EXPLORERS
from workbench.core.results import RashomonSet
from workbench.engines.rashomon.explore import EXPLORE, RANGES, explorers_of
from workbench.engines.rashomon.params import AUTO
from workbench.engines.rashomon.set import NAME
from workbench.plots.rashomon_words import noise_sentence, rashomon_sentence, remark_text
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.place import Place
from workbench.ui.rashomon_rows import show_row, show_rows
from workbench.ui.rashomon_views import Focus, choose_focus, show_view
from workbench.ui.results import downloads
from workbench.ui.runs import choose_run, show_part
from workbench.ui.shapley import choose_output
from workbench.ui.state import choose, choose_several

FAMILY = "rashomon"
PUBLISHED = ("published-gaussian", "published-bernoulli")
WHY_NOT_PUBLISHED = (
    "As published, every row meets a mask of its own and the read-out is masked as well, so that "
    "no single model says what is counted: about twice as many decisions seem open on German "
    "credit. It is there to compare with published figures, and off for that reason."
)
BY_HAND = frozenset({"explorers", "tolerances", "growth_tolerance"})


def show_set(place: Place) -> None:
    """Show how far equally good models disagree about the rows of a place."""
    output = choose_output(place, None)
    part = show_part(
        place, RashomonSet, _choose, key=FAMILY, heading="Who looks for models",
        verb="Look for equally good models", icon="join_inner",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result, name = found.result, f"equally-good-{place.model.card.name}"
    with part.left:
        focus = choose_focus(result, output)
        with st.container(border=True), errors_shown():
            show_view(place, result, focus, name=name)
            downloads(found, name, place.person)
    with part.said, errors_shown():
        key, tolerance = focus.explorer, focus.tolerance
        answer(rashomon_sentence(result, output, explorer=key, tolerance=tolerance))
        note(noise_sentence(result, explorer=key, tolerance=tolerance))
        if remark := remark_text(result, key):
            note(remark)
    with part.below, errors_shown():
        _about_rows(place, result, focus)
    part.end(result)


def _about_rows(place: Place, result: RashomonSet, focus: Focus) -> None:
    st.subheader("About whom?", anchor=False)
    show_rows(place, result, focus)
    with errors_shown():
        show_row(place, result, focus)


def _choose(place: Place) -> Ask:
    chosen = {"explorers": _choose_explorers(place)}
    return choose_run(place, NAME, FAMILY, chosen=chosen, by_hand=BY_HAND)


def _choose_explorers(place: Place) -> tuple[str, ...]:
    known = [key for key in EXPLORERS if key in EXPLORE or key in RANGES]
    offered = [key for key in known if key not in PUBLISHED]
    usual = explorers_of(place.model, (AUTO,))
    chosen = choose_several(
        "Explorers", "explorers", options=offered, default=list(usual),
        format_func=lambda key: EXPLORERS[key],
        help="Each finds a part of all equally good models; they are drawn beside each other.",
    )  # fmt: skip
    published = [key for key in PUBLISHED if key in known]
    if published and choose(
        st.toggle, "Add the published semantics", "published", default=False,
        help=WHY_NOT_PUBLISHED,
    ):  # fmt: skip
        st.caption(WHY_NOT_PUBLISHED)
        chosen = (*chosen, *published)
    return chosen or usual
