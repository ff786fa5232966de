"""Is it in the data? Networks trained without interactions, held against the model's."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import InteractionTest
from workbench.engines.interactions.bootstrap import NAME
from workbench.plots import views_of
from workbench.plots.interaction_test import interaction_test_sentence, loss_sentence
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import choose_seed
from workbench.ui.needs import lacks_labels, lacks_layers
from workbench.ui.place import Place
from workbench.ui.results import downloads, figure
from workbench.ui.runs import ask_about, show_part

FAMILY = "interaction_test"
WHAT_IT_DOES = (
    "Some twenty networks are trained on labels without interactions, and a few on the real ones: "
    "seconds to a quarter of an hour."
)
ABOUT = (
    "The grey band holds nine of ten networks that were trained on labels without interactions. "
    "Dots are networks trained on the real labels, blue where they have more than that; the star "
    "is this model, and it is orange where it does what the data give no reason to."
)


def in_the_data(place: Place) -> None:
    """Ask whether the model's interactions are in the data, and show the answer."""
    if lacks_labels(place, "Whether interactions are in the data") or lacks_layers(
        place, "none of its kind can be trained on labels without interactions"
    ):
        return
    part = show_part(
        place, InteractionTest, _ask, key=FAMILY, heading="How hard to look",
        verb="Test for interactions", icon="science", words=WHAT_IT_DOES,
    )  # fmt: skip
    if (found := part.found) is None:
        return
    with part.said, errors_shown():
        answer(interaction_test_sentence(found.result))
        note(loss_sentence(found.result))
    with part.left, st.container(border=True), errors_shown():
        _show(found, place)
    part.end(found.result)


def _ask(place: Place) -> Ask:
    method = api.list_methods()[NAME]
    with settings_button():
        seed = choose_seed(f"{FAMILY}_seed")
        settings: dict[str, Any] = params_form(method.params, FAMILY)
    return ask_about(place, NAME, seed, **settings)


def _show(found: Answer[InteractionTest], place: Place) -> None:
    name = f"interaction-test-{place.model.card.name}"
    (view,) = views_of(found.result)
    figure(found.result, view, name=name, alt=interaction_test_sentence(found.result))
    note(ABOUT)
    downloads(found, name, place.person)
