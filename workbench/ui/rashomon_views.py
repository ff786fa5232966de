"""Views of a set of equally good models on a page, and which part of it they look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.core.rashomon import EXPLORERS, METRICS
from workbench.core.results import RashomonSet
from workbench.plots import options_of, views_of
from workbench.plots.rashomon_groups import group_sentence
from workbench.plots.rashomon_models import importance_sentence
from workbench.plots.rashomon_rows import SPREADS
from workbench.plots.rashomon_words import At, at
from workbench.plots.words import number
from workbench.ui.drawn import draw
from workbench.ui.frame import note
from workbench.ui.place import Place
from workbench.ui.rashomon_pick import pick_row
from workbench.ui.results import plain_figure
from workbench.ui.state import choose

LABELS = {
    "metrics": "Tolerance",
    "rows": "Rows",
    "distribution": "Spread",
    "groups": "Groups",
    "importance": "Features",
    "cloud": "Models",
    "growth": "Growth",
    "cost": "Cost",
}
ABOUT = {
    "metrics": "A line for each explorer, and below it the share of its candidates that was "
    "admitted; hollow points on tinted ground cannot be told from 0.",
    "rows": "A bar is the range that equally good models give a row; press one to look at it.",
    "distribution": "The share of rows that are spread at most so far, for each tolerance.",
    "cloud": "Each point is a model that was tried; those left of the line are admitted.",
    "growth": "Maxima over models can only grow with their number: quote both.",
    "cost": "What each explorer took, and what it found in that time.",
}
# Which choices each view follows.
FOLLOWS = {
    "metrics": ("tolerance",),
    "rows": ("explorer", "tolerance", "output"),
    "distribution": ("explorer", "output"),
    "groups": ("explorer", "tolerance", "output"),
    "cloud": ("explorer", "tolerance"),
    "cost": ("tolerance",),
}
TITLES: Mapping[str, str] = {**METRICS, **SPREADS}
OWN = ("metric", "measure", "by")


@dataclass(frozen=True)
class Focus:
    """What is looked at: an output, an explorer and a tolerance."""

    output: str
    explorer: str
    tolerance: float
    where: At


def choose_focus(result: RashomonSet, output: str) -> Focus:
    """Choose a tolerance, and an explorer where there are several."""
    labels = [number(float(value)) for value in result.tolerances]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = labels[0]
        if len(set(labels)) == len(labels) > 1:
            chosen = str(choose(
                st.select_slider, "Tolerance", "tolerance", options=labels,
                default=labels[result.growth_at], width="stretch",
                help=f"By how much the {result.loss_name} may exceed the model's.",
            ))  # fmt: skip
        explorer = result.explorers[0]
        if len(result.explorers) > 1:
            explorer = str(choose(
                st.selectbox, "Explorer", "explorer", options=list(result.explorers),
                default=explorer, format_func=lambda key: EXPLORERS[key], width=250,
            ))  # fmt: skip
    tolerance = float(result.tolerances[labels.index(chosen)])
    return Focus(output, explorer, tolerance, at(result, explorer, tolerance))


def show_view(place: Place, result: RashomonSet, focus: Focus, *, name: str) -> None:
    """Draw the view that was chosen, below what it leaves open, and say what it shows."""
    views = list(views_of(result))
    view = str(choose(
        st.segmented_control, "View", "rashomon_view", options=views, default=views[0],
        format_func=lambda key: LABELS[key], required=True, label_visibility="collapsed",
    ))  # fmt: skip
    options: dict[str, Any] = {key: getattr(focus, key) for key in FOLLOWS.get(view, ())}
    options |= _own_options(result, view)
    said = _said(result, view, options)
    note(said)
    drawn = draw(result, view, **options)
    picks = view == "rows" and len(drawn.data) > 0
    plain_figure(
        drawn, name=f"{name}-{view}", alt=said,
        on_point=(lambda point: pick_row(place, result, point.get("customdata")))
        if picks else None,
    )  # fmt: skip


def _own_options(result: RashomonSet, view: str) -> dict[str, str]:
    """Choose what only this view leaves open."""
    offered = {key: value for key, value in options_of(result, view).items() if key in OWN}
    return {
        key: str(choose(
            st.selectbox, key.capitalize(), f"{view}.{key}", options=choices, default=choices[0],
            format_func=_title, width=260,
        ))
        for key, choices in offered.items() if choices
    }  # fmt: skip


def _title(choice: str) -> str:
    """Name a metric or a measure in words; a column of the table is called what it is called."""
    title = TITLES.get(choice, choice)
    return title[:1].upper() + title[1:] if choice in TITLES else title


def _said(result: RashomonSet, view: str, options: dict[str, Any]) -> str:
    if view == "groups":
        return group_sentence(result, **options)
    if view == "importance":
        return importance_sentence(result)
    return ABOUT[view]
