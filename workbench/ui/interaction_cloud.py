"""How far equally good models differ in which features work together, and the models at the ends.

The two models are made again in the server and asked about a grid of one pair: some ten thousand
rows, which take less than a second.
"""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.model import Model
from workbench.core.rashomon import EXPLORERS
from workbench.core.results import InteractionScores, Profiles
from workbench.core.table import Table
from workbench.engines.rashomon.again import NOT_AGAIN, near_copy
from workbench.engines.rashomon.interactions import NAME
from workbench.plots.interaction_scores_words import scores_sentence
from workbench.plots.scored_sets import By, scored_sets
from workbench.plots.words import number
from workbench.ui import cache
from workbench.ui.cards import key_figures
from workbench.ui.cost import quote
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.interaction_views import (
    choose_pair,
    of_output,
    pair_names,
    pair_settings,
    show_numbers,
    show_views,
)
from workbench.ui.jobs import Ask
from workbench.ui.methods import choose_effort, choose_seed
from workbench.ui.needs import lacks_labels
from workbench.ui.pair_profile import show_pair_profile
from workbench.ui.place import Place
from workbench.ui.results import downloads
from workbench.ui.runs import USUAL_ADMISSION, announced, ask_of, show_part
from workbench.ui.shapley import choose_output
from workbench.ui.state import choose

FAMILY, ENDS = "interaction-cloud", "interaction-ends"
# Of the map of a model at an end: rows, and values of each feature.
MOST_ROWS, POINTS = 200, 8


def interactions_across_the_set(place: Place) -> None:
    """Score the pairs in many equally good models, and look at those that differ most in one."""
    if lacks_labels(place, "Which models are as good"):
        return
    output = choose_output(place, None)
    part = show_part(
        place, InteractionScores, _choose, key="cloud",
        heading="Which models, and how each is scored",
        verb="Score pairs in equally good models", icon="join_inner",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result, name = found.result, f"interactions-across-{place.model.card.name}"
    by: By = "mixed-difference"
    with part.left, errors_shown(), st.container(border=True):
        first = "swarm" if result.n_models > 1 else "ranked"
        by = show_views(result, output, name=name, first=first)
        downloads(found, name, place.person)
    with part.said, errors_shown():
        answer(scores_sentence(result, output, by=by))
        if result.n_models < 2:
            note("No other model was found within the tolerance: allow a larger one.")
    with part.below, errors_shown():
        st.subheader("One pair", anchor=False)
        chosen = choose_pair(result, output)
        if chosen is not None:
            _offer_ends(place, result, chosen, output)
        show_numbers(result, output, by)
    part.end(of_output(result, output))


def _choose(place: Place) -> Ask:
    """Choose who looks for models, effort and settings; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    record = api.list_methods()[NAME]
    levels = {} if record.efforts is None else record.efforts(len(place.model.schema.features))
    effort = levels[choose_effort(FAMILY, list(levels))].settings if levels else {}
    hidden = {"output"} if place.model.schema.task == "regression" else set()
    usual = {"admission_rows": USUAL_ADMISSION, **effort}
    with settings_button():
        seed = choose_seed()
        settings = params_form(record.params, FAMILY, leave_out=hidden, defaults=usual)
    whole = cache.table(place.table, place.person.key)
    price = quote(place, NAME, len(place.rows), len(whole), settings)
    return announced(ask_of(place, NAME, price, seed=seed))


def _offer_ends(place: Place, result: InteractionScores, chosen: int, output: str) -> None:
    """Offer the models in which a pair does least and most, each with its map."""
    if result.n_models < 2 or result.explorer is None:
        return
    if result.explorer in NOT_AGAIN:
        note(f"{EXPLORERS[result.explorer]}: {NOT_AGAIN[result.explorer]}.")
        return
    if not choose(
        st.toggle, "Show the models in which this pair does least and most", "ends", default=False
    ):
        return
    sets = scored_sets(result, output)
    at = int((sets.places == chosen).argmax())
    cloud = sets.cloud()
    ends = {"does least": int(cloud.low_model[at]), "does most": int(cloud.high_model[at])}
    pair = pair_names(result, chosen)
    with st.spinner("Making the models again …"):
        profiles = [
            (f"The model in which it {end}", _profile(place, result, which, pair))
            for end, which in ends.items()
        ]
    key_figures([
        (f"It {end} in", _called(result, which), f"{sets.show(float(sets.values[which, at]))}; "
         f"excess loss {number(float(result.excess[which]))}")
        for end, which in ends.items()
    ])  # fmt: skip
    show_pair_profile(profiles, output, name="ends")


def _called(result: InteractionScores, which: int) -> str:
    if which == 0 or result.numbers is None:
        return "this model"
    return f"near-copy {int(result.numbers[which]):,}"


def _profile(
    place: Place, result: InteractionScores, which: int, pair: tuple[str, str]
) -> Profiles:
    """Ask one of the models about the pair; the last few answers are remembered."""
    record = result.provenance
    key = (record.model_digest, record.table_digest, record.created, which, pair)
    known: dict[Any, Profiles] = st.session_state.setdefault(ENDS, {})
    if key not in known:
        while len(known) >= 8:
            known.pop(next(iter(known)))
        known[key] = api.profiles(
            _model(place, result, which), _asked(place), pair_points=POINTS, curves=0,
            device="cpu", **pair_settings(result, pair),
        )  # fmt: skip
    return known[key]


def _model(place: Place, result: InteractionScores, which: int) -> Model:
    whole = cache.table(place.table, place.person.key).read_by(place.model.schema)
    return near_copy(result, which, place.model, place.rows, whole)


def _asked(place: Place) -> Table:
    """Return the rows that the models at the ends are asked about."""
    n = len(place.rows)
    return place.rows if n <= MOST_ROWS else place.rows.sample(MOST_ROWS, seed=0)
