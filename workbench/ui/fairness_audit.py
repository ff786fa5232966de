"""Who is worse off: groups compared, and how sure that is."""

import streamlit as st

from workbench.core.results import FairnessAudit
from workbench.engines.fairness.audit import NAME
from workbench.plots.fairness_words import (
    audit_sentence,
    chance_sentence,
    each_sentence,
    lacking_sentence,
    overview_sentence,
)
from workbench.plots.words import counting_sentence
from workbench.ui.fairness_comparison import compare_groups
from workbench.ui.fairness_errors import who_is_predicted_worse
from workbench.ui.fairness_rationale import choose_primary
from workbench.ui.fairness_views import Look, choose_look, show_numbers, show_views
from workbench.ui.fairness_words import definitions
from workbench.ui.frame import answer, empty_state, errors_shown, note
from workbench.ui.place import Place
from workbench.ui.results import downloads


def who_is_worse_off(place: Place) -> None:
    """Compare groups under the model's decisions, and show the answer."""
    if told := _cannot_tell(place):
        empty_state(told, "help")
        return
    if not place.model.schema.classes:  # nobody is granted or refused anything
        who_is_predicted_worse(place)
        return
    part = compare_groups(place, NAME, FairnessAudit)
    if (found := part.found) is None:
        return
    with part.right, st.container(border=True), errors_shown():
        st.markdown("**What matters here**")
        remark = choose_primary(found.job, place.person)
    name = f"fairness-{place.model.card.name}"
    with part.left, st.container(border=True), errors_shown():
        look = choose_look(found.result)
        with part.said:
            _tell(found.result, look)
        show_views(found.result, look, name)
        definitions()
        downloads(found, name, place.person, remark=remark)
        show_numbers(found.result, look)
    part.end(found.result)


def _cannot_tell(place: Place) -> str:
    """Say why there is nothing to compare, and what to do; empty where there is."""
    if place.rows.y is None:
        return (
            f"Who is decided wrongly cannot be told: {place.rows_name} holds no true values. Add "
            "the table again with its target column. The page People needs none: it asks whether "
            "the decision about a person turns with the attribute."
        )
    return ""


def _tell(result: FairnessAudit, look: Look) -> None:
    answer(audit_sentence(result, look.partition, look.rate))
    for tell in (chance_sentence, each_sentence, lacking_sentence):
        if said := tell(result, look.partition, look.rate):
            note(said)
    note(overview_sentence(result))
    if told := counting_sentence(result):
        note(told)
