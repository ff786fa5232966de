"""The page about equally good models: its parts, each about the rows that were chosen."""

from collections.abc import Callable, Mapping

import streamlit as st

from workbench.ui.churn import churn_of_updates
from workbench.ui.explain_set import explanations_across_the_set
from workbench.ui.mitigation import mitigation
from workbench.ui.needs import lacks_labels
from workbench.ui.place import Place
from workbench.ui.rashomon_set import show_set
from workbench.ui.simpler import simpler_models
from workbench.ui.state import choose

# What each part is called, and what shows it.
PARTS: Mapping[str, tuple[str, Callable[[Place], None]]] = {
    "set": ("How far they disagree", show_set),
    "explanations": ("Explanations across them", explanations_across_the_set),
    "updates": ("Updates", churn_of_updates),
    "helps": ("What helps", mitigation),
    "simpler": ("Simpler models", simpler_models),
}


def equally_good_models(place: Place) -> None:
    """Show the part of the page that was chosen."""
    if lacks_labels(place, "Which models are as good"):
        return
    part = str(choose(
        st.segmented_control, "Part", "part", options=list(PARTS), default=next(iter(PARTS)),
        format_func=lambda key: PARTS[key][0], required=True, label_visibility="collapsed",
    ))  # fmt: skip
    PARTS[part][1](place)
