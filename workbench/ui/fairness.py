"""The page about fairness: its parts, each about the rows that were chosen."""

from collections.abc import Callable, Mapping

import streamlit as st

from workbench.ui.fairness_audit import who_is_worse_off
from workbench.ui.fairness_front import across_models
from workbench.ui.flips import flips
from workbench.ui.gap_causes import causes
from workbench.ui.place import Place
from workbench.ui.state import choose

PART = "fairness_part"
# What each part is called, and what shows it.
PARTS: Mapping[str, tuple[str, Callable[[Place], None]]] = {
    "audit": ("Who is worse off", who_is_worse_off),
    "flips": ("If it were another", flips),
    "causes": ("Why", causes),
    "front": ("Across equally good models", across_models),
}


def fairness(place: Place) -> None:
    """Show the part of the page that was chosen."""
    part = str(choose(
        st.segmented_control, "Part", PART, options=list(PARTS), default=next(iter(PARTS)),
        format_func=lambda key: PARTS[key][0], required=True, label_visibility="collapsed",
    ))  # fmt: skip
    PARTS[part][1](place)
