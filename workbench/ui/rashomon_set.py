"""A set of equally good models on a page: how it is looked for, and what it says."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.rashomon import EXPLORERS
from workbench.core.results import RashomonSet
from workbench.core.wording import counted
from workbench.engines.rashomon.explore import EXPLORE, RANGES, explorers_of
from workbench.engines.rashomon.params import AUTO, SetParams
from workbench.engines.rashomon.set import NAME
from workbench.plots.rashomon_words import noise_sentence, rashomon_sentence, remark_text
from workbench.ui import cache
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import quote
from workbench.ui.forms import params_form
from workbench.ui.frame import answer, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import choose_effort, choose_seed
from workbench.ui.place import Place
from workbench.ui.rashomon_rows import show_row, show_rows
from workbench.ui.rashomon_views import Focus, choose_focus, show_view
from workbench.ui.results import downloads
from workbench.ui.shapley import choose_output
from workbench.ui.state import choose, choose_several
from workbench.ui.update_runs import USUAL_ADMISSION, answer_of, choose_count

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
    said = st.container()
    left, right = side_by_side()
    below = st.container()
    ask: Ask | None = None
    found: Answer[RashomonSet] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**Who looks for models**")
            ask = _choose(place)
    if ask is not None:
        with left, errors_shown():
            found = answer_of(place, ask, RashomonSet, "Look for equally good models", "join_inner")
    if found is None:
        return
    result, name = found.result, f"equally-good-{place.model.card.name}"
    with left:
        focus = choose_focus(result, output)
        with st.container(border=True), errors_shown():
            show_view(place, result, focus, name=name)
            downloads(found, name, place.person)
    with said, errors_shown():
        key, tolerance = focus.explorer, focus.tolerance
        answer(rashomon_sentence(result, output, explorer=key, tolerance=tolerance))
        note(noise_sentence(result, explorer=key, tolerance=tolerance))
        if remark := remark_text(result, key):
            note(remark)
    with trust, errors_shown():
        trust_card(result)
    with below, errors_shown():
        _about_rows(place, result, focus)
    computed_card(result.provenance)


def _about_rows(place: Place, result: RashomonSet, focus: Focus) -> None:
    st.subheader("About whom?", anchor=False)
    show_rows(place, result, focus)
    with errors_shown():
        show_row(place, result, focus)


def _choose(place: Place) -> Ask:
    """Choose explorers, effort and settings; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    record = api.list_methods()[NAME]
    settings: dict[str, Any] = {"explorers": _choose_explorers(place)}
    levels = {} if record.efforts is None else record.efforts(len(place.model.schema.features))
    effort = levels[choose_effort(FAMILY, list(levels))].settings if levels else {}
    usual = {"admission_rows": USUAL_ADMISSION, **effort}
    with st.popover("Settings", icon=":material/tune:", width="stretch"):
        count = choose_count(place, FAMILY)
        seed = choose_seed()
        settings |= params_form(SetParams, FAMILY, leave_out=BY_HAND, defaults=usual)
    note(record.weakness)
    asked = _ask(place, settings, count, seed)
    note(asked.quote.describe())
    return asked


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


def _ask(place: Place, settings: Mapping[str, Any], n: int, seed: int) -> Ask:
    whole = cache.table(place.table, place.person.key)
    price = quote(place, NAME, n, len(whole), settings)
    title = api.list_methods()[NAME].title
    return Ask(
        request=place.request(
            NAME, price.params, count=n if n < len(place.rows) else None, seed=seed
        ),
        quote=price,
        title=f"{title}, {place.model.card.name}, {counted(n, 'row')} of {place.table}",
        subject=(NAME, place.model.digest, place.table, place.split, str(place.cohort)),
    )
