"""Which features work together in a model: scores of all pairs, and the profile of one."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import InteractionScores, Profiles
from workbench.engines.interactions.scores import NAME
from workbench.plots.interaction_scores_words import scores_sentence
from workbench.plots.scored_sets import By
from workbench.ui import cache
from workbench.ui.cost import quote
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown
from workbench.ui.interaction_views import (
    choose_pair,
    of_output,
    pair_names,
    pair_settings,
    show_numbers,
    show_views,
)
from workbench.ui.jobs import Ask, answer_to
from workbench.ui.methods import choose_seed
from workbench.ui.pair_profile import POINTS, show_pair_profile
from workbench.ui.place import Place
from workbench.ui.results import downloads
from workbench.ui.runs import announced, ask_of, show_part
from workbench.ui.shapley import choose_output
from workbench.ui.state import put

FAMILY, PROFILES = "interactions", "profiles.curves"
# The choice of the part of the page.
PART = "interactions_part"


def features_that_work_together(place: Place) -> None:
    """Score the pairs of features of the model, and look at one of them."""
    output = choose_output(place, None)
    part = show_part(
        place, InteractionScores, _choose, key=FAMILY, heading="How pairs are scored",
        verb="Score all pairs", icon="hub",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result, name = found.result, f"interactions-{place.model.card.name}"
    by: By = "mixed-difference"
    with part.left, errors_shown(), st.container(border=True):
        by = show_views(result, output, name=name)
        downloads(found, name, place.person)
    with part.said, errors_shown():
        answer(scores_sentence(result, output, by=by))
    with part.below, errors_shown():
        st.subheader("One pair", anchor=False)
        place_of = choose_pair(result, output)
        if place_of is not None:
            pair = pair_names(result, place_of)
            _profile(place, result, pair, output)
            if place.rows.y is not None:  # which models are as good is told by labels
                _onward(pair)
        show_numbers(result, output, by)
    part.end(of_output(result, output))


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
    with settings_button():
        seed = choose_seed()
        settings = params_form(record.params, FAMILY, leave_out=hidden)
    return announced(_ask(place, NAME, settings, seed))


def _ask(place: Place, method: str, settings: Mapping[str, Any], seed: int) -> Ask:
    whole = cache.table(place.table, place.person.key)
    price = quote(place, method, len(place.rows), len(whole), settings)
    return ask_of(place, method, price, seed=seed)


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
