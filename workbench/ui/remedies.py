"""The page about remedies: what would help against a gap, what it costs, and who pays for it."""

import streamlit as st

from workbench.core.remedy_reading import most_helpful, tried
from workbench.core.results import Remedies
from workbench.plots.remedies_words import (
    multiplicity_sentence,
    remedies_sentence,
    remedy_sentence,
)
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.frame import answer, empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way, was_stopped
from workbench.ui.place import Place
from workbench.ui.remedies_choices import FAMILY, choose_run, choose_wish, price_line
from workbench.ui.remedies_iterations import go_back, remember, show_iterations
from workbench.ui.remedies_views import choose_remedy, remedy_card, show_views
from workbench.ui.text import plain


def remedies(place: Place) -> None:
    """Choose what to even out and what to try, run it, and show what came of it."""
    go_back()
    if not place.model.schema.classes:
        empty_state(
            f"{place.model.card.name} predicts a number, so nobody is granted or refused "
            "anything. Choose a model of classes; the page Fairness compares errors by group.",
            "help",
        )  # fmt: skip
        return
    if place.rows.y is None:
        empty_state(
            f"What would help cannot be told: {place.rows_name} holds no true values. Add the "
            "table again with its target column.", "help",
        )  # fmt: skip
        return
    said = st.container()
    left, right = side_by_side(FAMILY)
    below = st.container()
    ask: Ask | None = None
    found: Answer[Remedies] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**What to even out, and how**")
            wish = choose_wish(place)
            ask = None if wish is None else choose_run(place, wish)
    with left, errors_shown():
        if ask is None:
            empty_state("Choose groups, a goal and remedies: then try them.", "balance")
        else:
            found = _answer(place, ask)
    if found is None:
        return
    result = found.result
    with said, errors_shown():
        _say(result)
    with left, errors_shown():
        remedy = choose_remedy(result)
        show_views(found, place, remedy)
    with below, errors_shown():
        remedy_card(found, place, remedy)
        if not found.is_stale:
            remember(place, found, remedy)
        show_iterations(place, found)
    with trust, errors_shown():
        trust_card(result)
    computed_card(result.provenance)


def _answer(place: Place, ask: Ask) -> Answer[Remedies] | None:
    """Return the result, or say what is going on or what to do: it never starts by itself."""
    person = place.person
    button, slot = st.empty(), st.container()
    pressed = button.button(
        "Try them", type="primary", icon=":material/play_arrow:", key=f"run-{FAMILY}"
    )
    stopped = was_stopped(ask, person)
    found = answer_to(ask, person, Remedies, pressed=pressed, starts_itself=False, slot=slot)
    runs = is_under_way(ask, person)
    if runs or (found is not None and not found.is_stale):
        button.empty()
    elif stopped and not pressed:  # what went wrong is said; an older answer would hide it
        return None
    elif found is not None:
        st.warning("The settings have changed since: press the button to update this.")
    else:
        empty_state(
            "Press the button: each remedy is fitted on the training rows and judged on rows that "
            f"it has not seen. {price_line(ask.quote)}.", "balance",
        )  # fmt: skip
    return found


def _say(result: Remedies) -> None:
    """Answer the question of the page: what helps, whom, and how sure that is."""
    answer(remedies_sentence(result))
    if (best := most_helpful(result)) is not None:
        st.markdown(plain(remedy_sentence(result, best)))
    note(multiplicity_sentence(result))
    if len(tried(result)) > 1:
        note(
            "Of several that are judged on the same rows, the best one looks better than it "
            "is: expect a little less of it on new rows."
        )
