"""For whom a model of a number errs more: groups compared, and how sure that is."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.error_audit import MEASURES
from workbench.core.results import ErrorAudit
from workbench.core.wording import counted
from workbench.engines.fairness.errors import NAME
from workbench.plots import render
from workbench.plots.error_audit import OFF, errors_sentence
from workbench.ui import cache
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import quote
from workbench.ui.fairness_choices import (
    FAMILY,
    choices_key,
    choose_groups,
    still_to_choose,
)
from workbench.ui.forms import params_form
from workbench.ui.frame import answer, empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import choose_seed
from workbench.ui.place import Place
from workbench.ui.results import downloads, is_dark, plain_figure
from workbench.ui.state import choose
from workbench.ui.update_runs import answer_of

GROUPS = ("by", "bins", "favourable")
VIEWS = {"groups": "Groups", "gaps": "Gaps"}
ABOUT = {
    "groups": "A whisker is what the measure could be with this many rows. A group whose target "
    "varies more is predicted worse by any model.",
    "gaps": "The grey band is what people dealt out at random would show: a gap inside it says "
    "nothing. Filled dots are beyond chance after correction for all gaps that were looked at.",
}


def who_is_predicted_worse(place: Place) -> None:
    """Compare the errors of groups, and show the answer."""
    said = st.container()
    left, right = side_by_side(FAMILY)
    ask: Ask | str = ""
    found: Answer[ErrorAudit] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**Whose groups**")
            ask = _choose(place)
    if isinstance(ask, Ask):
        with left, errors_shown():
            found = answer_of(place, ask, ErrorAudit, "Compare the groups", "balance")
    elif ask:
        with left:
            empty_state(ask, "help")
    if found is None:
        return
    name = f"group-errors-{place.model.card.name}"
    with left, st.container(border=True), errors_shown():
        _show(found.result, name, said)
        downloads(found, name, place.person)
    with trust, errors_shown():
        trust_card(found.result)
    computed_card(found.result.provenance)


def _choose(place: Place) -> Ask | str:
    """Choose groups and settings; returns the run, or what is still to be chosen.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model or the rows.
    """
    record = api.list_methods()[NAME]
    chosen = choose_groups(place)
    with st.popover("Settings", icon=":material/tune:", width="stretch"):
        seed = choose_seed()
        settings: dict[str, Any] = params_form(record.params, FAMILY, leave_out=GROUPS)
    note(record.weakness)
    if missing := still_to_choose(place, chosen):
        return missing
    whole = cache.table(place.table, place.person.key)
    price = quote(place, NAME, len(place.rows), len(whole), settings | chosen)
    note(price.describe())
    rows = counted(len(place.rows), "row")
    return Ask(
        request=place.request(NAME, price.params, seed=seed),
        quote=price,
        title=f"{record.title}, {place.model.card.name}, {rows} of {place.table}",
        subject=(
            NAME, place.model.digest, place.table, place.split, str(place.cohort),
            *choices_key(chosen),
        ),
    )  # fmt: skip


def _show(result: ErrorAudit, name: str, said: Any) -> None:
    names = list(result.partition_names)
    by = str(choose(
        st.selectbox, "Groups by", f"{FAMILY}.partition", options=names, default=names[0], width=260
    ))  # fmt: skip
    view = str(choose(
        st.segmented_control, "View", f"{FAMILY}.view", options=list(VIEWS), default="groups",
        format_func=VIEWS.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    options: dict[str, Any] = {"partition": by}
    if view == "groups":
        options["measure"] = choose(
            st.selectbox, "Measure", f"{FAMILY}.measure", options=list(MEASURES), default=OFF,
            format_func=lambda measure: MEASURES[measure][0], width=260,
        )  # fmt: skip
    told = errors_sentence(result, names.index(by))
    with said:
        answer(told)
    plain_figure(render(result, view, dark=is_dark(), **options), name=f"{name}-{view}", alt=told)
    note(ABOUT[view])
    with st.expander("The numbers of every group", icon=":material/table:"):
        frame = result.to_frame()
        st.dataframe(frame[frame["partition"] == by], hide_index=True, height="content")
