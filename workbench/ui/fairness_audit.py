"""Who is worse off: groups compared, and how sure that is."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import FairnessAudit
from workbench.core.wording import counted
from workbench.engines.fairness.audit import NAME
from workbench.plots.fairness_words import (
    audit_sentence,
    chance_sentence,
    each_sentence,
    lacking_sentence,
    overview_sentence,
)
from workbench.ui import cache
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import quote
from workbench.ui.fairness_choices import (
    FAMILY,
    choices_key,
    choose_groups,
    still_to_choose,
)
from workbench.ui.fairness_errors import who_is_predicted_worse
from workbench.ui.fairness_rationale import choose_primary
from workbench.ui.fairness_views import Look, choose_look, show_numbers, show_views
from workbench.ui.fairness_words import definitions
from workbench.ui.forms import params_form
from workbench.ui.frame import answer, empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import choose_seed
from workbench.ui.place import Place
from workbench.ui.results import downloads
from workbench.ui.update_runs import answer_of

GROUPS = ("by", "bins", "favourable")


def who_is_worse_off(place: Place) -> None:
    """Compare groups under the model's decisions, and show the answer."""
    if told := _cannot_tell(place):
        empty_state(told, "help")
        return
    if not place.model.schema.classes:  # nobody is granted or refused anything
        who_is_predicted_worse(place)
        return
    said = st.container()
    left, right = side_by_side(FAMILY)
    ask: Ask | str = ""
    found: Answer[FairnessAudit] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**Whose groups**")
            ask = _choose(place)
    if isinstance(ask, Ask):
        with left, errors_shown():
            found = answer_of(place, ask, FairnessAudit, "Compare the groups", "balance")
    elif ask:
        with left:
            empty_state(ask, "help")
    if found is None:
        return
    with right, st.container(border=True), errors_shown():
        st.markdown("**What matters here**")
        remark = choose_primary(found.job, place.person)
    name = f"fairness-{place.model.card.name}"
    with left, st.container(border=True), errors_shown():
        look = choose_look(found.result)
        with said:
            _tell(found.result, look)
        show_views(found.result, look, name)
        definitions()
        downloads(found, name, place.person, remark=remark)
        show_numbers(found.result, look)
    with trust, errors_shown():
        trust_card(found.result)
    computed_card(found.result.provenance)


def _cannot_tell(place: Place) -> str:
    """Say why there is nothing to compare, and what to do; empty where there is."""
    if place.rows.y is None:
        return (
            f"Who is decided wrongly cannot be told: {place.rows_name} holds no true values. Add "
            "the table again with its target column. The page People needs none: it asks whether "
            "the decision about a person turns with the attribute."
        )
    return ""


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


def _tell(result: FairnessAudit, look: Look) -> None:
    answer(audit_sentence(result, look.partition, look.rate))
    for tell in (chance_sentence, each_sentence, lacking_sentence):
        if said := tell(result, look.partition, look.rate):
            note(said)
    note(overview_sentence(result))
