"""Halos: how far models that are as good can weigh features otherwise at once."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.core.results import Halo
from workbench.engines.interactions.halos import NAME
from workbench.plots import views_of
from workbench.plots.halo import choices_of, ends_sentence, halo_sentence, place_of
from workbench.ui.drawn import draw
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.needs import lacks_labels
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import choose_run, show_part
from workbench.ui.state import choose, choose_several, peek, put

FAMILY = "halo"
CHOSEN = f"{FAMILY}.set"
SIZES = {2: "Pairs", 3: "Triples"}
LABELS = {"halo": "One pair", "matrix": "All pairs", "sphere": "In space"}
ABOUT = (
    "Each point is a model that scales the features at once, in the direction of the point. Inside "
    "the circle of the tolerance a model is as good as this one; on it, the features do nothing "
    "together."
)


def halos(place: Place) -> None:
    """Show what equally good models make of features that are scaled together."""
    if lacks_labels(place, "Which models are as good"):
        return
    part = show_part(
        place, Halo, _choose, key=FAMILY, heading="What to scale",
        verb="Scale features together", icon="trip_origin",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    with part.left, st.container(border=True), errors_shown():
        where = _show_view(found.result, f"halo-{place.model.card.name}")
        downloads(found, f"halo-{place.model.card.name}", place.person)
    with part.said, errors_shown():
        answer(halo_sentence(found.result, where))
        if ends := ends_sentence(found.result, where):
            note(ends)
    part.end(found.result)


def _choose(place: Place) -> Ask:
    return choose_run(place, NAME, FAMILY, chosen=_choose_features(place), by_hand={"top"})


def _choose_features(place: Place) -> dict[str, Any]:
    """Choose pairs or triples, and which features if not those that do most together."""
    order = int(choose(
        st.segmented_control, "Sets", f"{FAMILY}.order", options=list(SIZES), default=2,
        format_func=SIZES.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    named = choose_several(
        "Features", f"{FAMILY}.pair", options=list(place.model.schema.names), default=(),
        max_selections=order, placeholder="those that do most together",
    )  # fmt: skip
    if 0 < len(named) < order:
        note(f"Name {order} features, or none for those that do most together.")
    pair = named if len(named) == order else ()
    return {"order": order, "pair": pair}


def _show_view(result: Halo, name: str) -> int:
    """Draw the view that was chosen, and return which set is looked at."""
    views, choices = views_of(result), choices_of(result)
    view = views[0]
    if len(views) > 1:  # triples have one view, and leave the choice among those of pairs alone
        view = str(choose(
            st.segmented_control, "View", "halo_view", options=list(views), default=view,
            format_func=LABELS.get, required=True, label_visibility="collapsed",
        ))  # fmt: skip
    if view == "matrix":
        note("A click on a pair shows it alone.")
        drawn = draw(result, view)
        plain_figure(
            drawn, name=f"{name}-{view}", alt="The halos of all pairs beside each other.",
            on_point=lambda point: _pick(choices, point),
        )  # fmt: skip
        return place_of(result, _known(choices))
    chosen = str(choose(
        st.selectbox, "Features", CHOSEN, options=choices, default=choices[0],
        label_visibility="collapsed",
    ))  # fmt: skip
    where = place_of(result, chosen)
    option = "pair" if view == "halo" else "triple"
    drawn = draw(result, view, **{option: chosen})
    plain_figure(drawn, name=f"{name}-{view}", alt=halo_sentence(result, where))
    note(ABOUT)
    return where


def _known(choices: list[str]) -> str:
    """Return the set that was looked at last, where this result has it."""
    last = str(peek(CHOSEN, choices[0]))
    return last if last in choices else choices[0]


def _pick(choices: list[str], point: Mapping[str, Any]) -> None:
    """Show the pair whose halo was clicked."""
    where = point.get("customdata")
    if isinstance(where, list):
        where = where[0] if where else None
    if isinstance(where, int | float) and 0 <= where < len(choices):
        put(CHOSEN, choices[int(where)])
        put("halo_view", "halo")
