"""Which features work together in a model: scores of all pairs, and the profile of one."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import InteractionScores, Profiles
from workbench.core.wording import counted
from workbench.engines.interactions.scores import NAME
from workbench.plots.interaction_scores_words import scores_sentence
from workbench.plots.scored_sets import By
from workbench.ui import cache
from workbench.ui.cards import computed_card
from workbench.ui.cost import quote
from workbench.ui.forms import params_form
from workbench.ui.frame import answer, errors_shown, note, side_by_side
from workbench.ui.interaction_views import (
    choose_pair,
    pair_names,
    pair_settings,
    show_numbers,
    show_trust,
    show_views,
)
from workbench.ui.jobs import Answer, Ask, answer_to
from workbench.ui.methods import choose_seed
from workbench.ui.pair_profile import POINTS, show_pair_profile
from workbench.ui.place import Place
from workbench.ui.results import downloads
from workbench.ui.shapley import choose_output
from workbench.ui.state import put
from workbench.ui.update_runs import answer_of

FAMILY, PROFILES = "interactions", "profiles.curves"
# The choice of the part of the page.
PART = "interactions_part"


def features_that_work_together(place: Place) -> None:
    """Score the pairs of features of the model, and look at one of them."""
    output = choose_output(place, None)
    said = st.container()
    left, right = side_by_side()
    below = st.container()
    ask: Ask | None = None
    found: Answer[InteractionScores] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**How pairs are scored**")
            ask = _choose(place)
    if ask is not None:
        with left, errors_shown():
            found = answer_of(place, ask, InteractionScores, "Score all pairs", "hub")
    if found is None:
        return
    result, name = found.result, f"interactions-{place.model.card.name}"
    by: By = "mixed-difference"
    with left, errors_shown(), st.container(border=True):
        by = show_views(result, output, name=name)
        downloads(found, name, place.person)
    with said, errors_shown():
        answer(scores_sentence(result, output, by=by))
    with trust, errors_shown():
        show_trust(result, output)
    with below, errors_shown():
        st.subheader("One pair", anchor=False)
        place_of = choose_pair(result, output)
        if place_of is not None:
            pair = pair_names(result, place_of)
            _profile(place, result, pair, output)
            if place.rows.y is not None:  # which models are as good is told by labels
                _onward(pair)
        show_numbers(result, output, by)
    computed_card(result.provenance)


def _choose(place: Place) -> Ask:
    """Choose the settings; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    record = api.list_methods()[NAME]
    hidden = {"sets"}
    if place.model.schema.task == "regression":
        hidden.add("output")
    if place.rows.y is None:  # the loss needs labels
        hidden.add("detector")
    with st.popover("Settings", icon=":material/tune:", width="stretch"):
        seed = choose_seed()
        settings = params_form(record.params, FAMILY, leave_out=hidden)
    note(record.weakness)
    asked = _ask(place, NAME, settings, seed)
    note(asked.quote.describe())
    return asked


def _ask(place: Place, method: str, settings: Mapping[str, Any], seed: int) -> Ask:
    n = len(place.rows)
    whole = cache.table(place.table, place.person.key)
    price = quote(place, method, n, len(whole), settings)
    title = api.list_methods()[method].title
    return Ask(
        request=place.request(method, price.params, seed=seed),
        quote=price,
        title=f"{title}, {place.model.card.name}, {counted(n, 'row')} of {place.table}",
        subject=(method, place.model.digest, place.table, place.split, str(place.cohort)),
    )


def _onward(pair: tuple[str, str]) -> None:
    """Lead on to the same pair in other parts of the page."""
    with st.container(horizontal=True):
        st.button(
            "This pair across equally good models", icon=":material/diversity_2:", on_click=put,
            args=(PART, "cloud"),
        )  # fmt: skip
        if not any("," in name for name in pair):  # the address holds names with commas between
            st.button(
                "Its halo", icon=":material/trip_origin:", on_click=_to_halo, args=(pair,)
            )  # fmt: skip


def _to_halo(pair: tuple[str, str]) -> None:
    put(PART, "halo")
    put("halo.order", 2)
    put("halo.pair", ",".join(pair))


def _profile(place: Place, result: InteractionScores, pair: tuple[str, str], output: str) -> None:
    """Show what the model says over the values of both features, on the scale of the scores."""
    settings = {"pair_points": POINTS, "curves": 0, **pair_settings(result, pair)}
    ask = _ask(place, PROFILES, settings, 0)
    found = answer_to(
        ask, place.person, Profiles, pressed=False, starts_itself=True, slot=st.container()
    )
    if found is None or found.result.asked != pair:  # an older one is of another pair
        return
    with st.container(border=True):
        name = f"pair-{place.model.card.name}"
        show_pair_profile([("", found.result)], output, name=name)
        downloads(found, name, place.person)
