"""Why the gap? What features add to it, and which of them stand in for the group."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import GapCauses
from workbench.engines.fairness.causes import NAME
from workbench.plots.gap_causes import pairs_of
from workbench.plots.gap_causes_words import gap_sentence, proxy_sentence
from workbench.plots.words import counting_sentence
from workbench.ui.cost import quote
from workbench.ui.drawn import draw
from workbench.ui.fairness_choices import choose_groups, still_to_choose
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import choose_background, choose_effort, choose_seed
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import announced, ask_of, show_part
from workbench.ui.state import choose

FAMILY = "gap_causes"
VIEWS = {"waterfall": "What makes it up", "proxies": "What stands in"}
AMONG = {
    "all": "All rows", "favourable": "With the favourable outcome",
    "unfavourable": "Without it",
}  # fmt: skip
ABOUT = {
    "waterfall": "Each bar starts where the one above ends, and the last ends at the gap. Blue "
    "raises the group's mean score against the other's, orange lowers it. Hatched is the attribute "
    "itself. Whiskers are 95 % intervals, for the choice of rows and of background rows.",
    "proxies": "Columns on the right tell the two groups apart by themselves; those far from the "
    "dotted line at 0 carry the gap. Where both hold, a column stands in for the group. The larger "
    "a point, the more the model makes of the column; the diamond is the attribute itself.",
}


def causes(place: Place) -> None:
    """Ask what the gap between groups is made of, and show the answer."""
    part = show_part(
        place, GapCauses, _choose, key=FAMILY, heading="Whose gap", verb="Share out the gap",
        icon="balance",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    with part.left, st.container(border=True), errors_shown():
        pair = _show(found, f"gap-causes-{place.model.card.name}")
        downloads(found, f"gap-causes-{place.model.card.name}", place.person)
    with part.said, errors_shown():
        answer(gap_sentence(found.result, pair))
        if told := counting_sentence(found.result):
            note(told)
        note(proxy_sentence(found.result, pair))
    part.end(found.result)


def _choose(place: Place) -> Ask | str:
    """Choose groups, rows and settings; returns the run, or what is still to be chosen."""
    groups = choose_groups(place)
    return still_to_choose(place, groups) or _ask(place, groups)


def _ask(place: Place, groups: dict[str, str]) -> Ask:
    """Choose rows and settings; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    record = api.list_methods()[NAME]
    among = "all"
    if place.rows.y is not None and place.model.schema.n_classes:
        among = str(choose(
            st.selectbox, "Among", f"{FAMILY}.among", options=list(AMONG), default="all",
            format_func=AMONG.get,
        ))  # fmt: skip
    levels = record.efforts(len(place.model.schema.features)) if record.efforts else {}
    effort = levels[choose_effort(FAMILY, list(levels))]
    hidden = {"by", "bins", "favourable", "among"}
    classes = place.model.schema.classes
    with settings_button():
        background, seed = choose_background(place, effort, FAMILY), choose_seed()
        settings: dict[str, Any] = params_form(
            record.params, FAMILY, leave_out=hidden if classes else {*hidden, "output"},
            defaults=effort.settings,
        )  # fmt: skip
    settings |= {**groups, "among": among}
    price = quote(place, NAME, len(place.rows), background, settings)
    return announced(ask_of(place, NAME, price, seed=seed, background=background))


def _show(found: Answer[GapCauses], name: str) -> str:
    """Draw the view that was chosen, and return which pair is looked at."""
    result, pairs = found.result, pairs_of(found.result)
    pair = pairs[0]
    if len(pairs) > 1:
        pair = str(choose(
            st.selectbox, "Which gap", f"{FAMILY}.pair", options=pairs, default=pair,
            label_visibility="collapsed",
        ))  # fmt: skip
    view = str(choose(
        st.segmented_control, "View", FAMILY, options=list(VIEWS), default="waterfall",
        format_func=VIEWS.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    said = gap_sentence if view == "waterfall" else proxy_sentence
    plain_figure(
        draw(result, view, pair=pair), name=f"{name}-{view}",
        alt=said(result, pair),
    )  # fmt: skip
    note(ABOUT[view])
    return pair
