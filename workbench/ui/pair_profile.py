"""What models say over the values of two features, as maps beside each other."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from workbench.core.results import Profiles
from workbench.plots.profile_pairs import pair_sentence
from workbench.plots.words import quantity
from workbench.ui.drawn import draw
from workbench.ui.frame import note, two_halves
from workbench.ui.results import plain_figure
from workbench.ui.state import choose
from workbench.ui.text import plain

POINTS = 12
SURFACES = {"mean": "Mean output", "effects": "Beyond what each does alone"}
ABOUT = {
    "mean": "The mean over all rows, had they both values. Where both features only add up, every "
    "line of the map has the same steps.",
    "effects": "What is left where the effects of each alone are taken out: without interaction "
    "the map is empty.",
}


def show_pair_profile(profiles: Sequence[tuple[str, Profiles]], output: str, *, name: str) -> None:
    """Draw the pair of each result, each under its name, all in the same colours.

    Parameters
    ----------
    profiles
        Names and results of the same pair and rows; one, or two beside each other.
    """
    first = profiles[0][1]
    offered = list(SURFACES) if np.isfinite(first.pair_effects).any() else ["mean"]
    surface = offered[0]
    if len(offered) > 1:
        surface = str(choose(
            st.segmented_control, "Surface", "pair_surface", options=offered, default=offered[0],
            format_func=SURFACES.get, required=True, label_visibility="collapsed",
        ))  # fmt: skip
    if len(profiles) == 1:
        note(f"{ABOUT[surface]} {pair_sentence(first, output)}")
    else:
        note(ABOUT[surface])
    drawn = [draw(one, "pair", output=output, surface=surface) for _, one in profiles]
    _share_colours(drawn, about_zero=surface == "effects")
    places = [st.container()] if len(profiles) == 1 else list(two_halves(name))
    for place, (label, one), figure in zip(places, profiles, drawn, strict=True):
        with place:
            if label:
                st.markdown(f"**{plain(label)}**")
            said = f"{quantity(one, output)} over {' and '.join(one.asked)}"
            plain_figure(figure, name=f"{name}-{surface}-{label}", alt=said)


def _share_colours(drawn: Sequence[go.Figure], *, about_zero: bool) -> None:
    """Let all maps have the same colours for the same numbers."""
    maps = [figure.data[0] for figure in drawn if figure.data]  # what is pale lies above the map
    if not maps:
        return
    values = np.concatenate([np.ravel(np.array(trace.z, dtype=float)) for trace in maps])
    if not np.isfinite(values).any():
        return
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if about_zero:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    for trace in maps:
        trace.update(zmin=low, zmax=high)
