"""The page about features that work together: its parts, each about the rows that were chosen."""

from collections.abc import Callable, Mapping

import streamlit as st

from workbench.ui.detectors import detectors_side_by_side
from workbench.ui.halo import halos
from workbench.ui.interaction_cloud import interactions_across_the_set
from workbench.ui.interaction_scores import PART, features_that_work_together
from workbench.ui.interaction_test import in_the_data
from workbench.ui.place import Place
from workbench.ui.state import choose

# What each part is called, and what shows it.
PARTS: Mapping[str, tuple[str, Callable[[Place], None]]] = {
    "scores": ("Which features work together", features_that_work_together),
    "cloud": ("Across equally good models", interactions_across_the_set),
    "halo": ("Halo", halos),
    "detectors": ("Detectors", detectors_side_by_side),
    "data": ("In the data?", in_the_data),
}


def interactions(place: Place) -> None:
    """Show the part of the page that was chosen."""
    part = str(choose(
        st.segmented_control, "Part", PART, options=list(PARTS),
        default=next(iter(PARTS)), format_func=lambda key: PARTS[key][0], required=True,
        label_visibility="collapsed",
    ))  # fmt: skip
    PARTS[part][1](place)
