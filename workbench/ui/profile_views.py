"""Profiles on a page: all features side by side, one of them in full, and two as a map."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.core.results import Profiles
from workbench.plots.profile_groups import curve_groups, group_sentences
from workbench.plots.profile_pairs import pair_sentence
from workbench.plots.profiles import feature_sentence, profile_sentence, with_order
from workbench.ui.drawn import draw
from workbench.ui.forms import whole_number
from workbench.ui.frame import note, side_by_side
from workbench.ui.results import plain_figure
from workbench.ui.state import choose, put
from workbench.ui.text import plain

FEATURE, OTHER, NOBODY = "profile_feature", "profile_other", ""
SHOWN = {"mean": "Mean curve", "effects": "Effects", "both": "Both"}
MODELS = {"models": "Models"}
SINGLE = {"plain": "As they are", "centred": "Centred", "grouped": "In groups", "none": "None"}
SURFACES = {"mean": "Mean", "effects": "Beyond each alone"}
MOST_POINTS, USUAL_POINTS = 30, 12
# What the views say, in a line below the figure.
MEAN = "Blue: what the model says on average, had all rows this value, with a 95 % interval."
ABOUT = {
    "mean": MEAN,
    "effects": "Blue: what moving along the feature adds, told by the rows that are there, with a "
    "95 % interval; 0 on average.",
    "both": "Blue: accumulated effects. Dashed: the mean curve. Where they part, features depend "
    "on each other, and the mean curve asks about rows that hardly occur.",
}
OF_MODELS = " The band holds the range of equally good models as well."
STARTED = " All curves start at 0, so that their shapes compare."


def show_multiples(result: Profiles, output: str, *, name: str) -> None:
    """Draw the features that matter most side by side; a click on a panel chooses its feature."""
    st.markdown(f"**What {'models differ in' if result.n_models > 1 else 'matters'} most**")
    several = result.n_models > 1
    drawn = draw(result, "multiples", output=output, order="differs" if several else "moves")
    plain_figure(
        drawn, name=f"{name}-multiples", alt=profile_sentence(result, output),
        on_point=lambda point: _pick(result, point),
    )  # fmt: skip
    first = (
        "grey, the range of equally good models; where they differ most comes first"
        if several
        else "what moves the output farthest comes first, each value weighted by the rows near it"
    )
    note(
        f"Mean over rows, had all of them the value; {first}. Click on a point to see its feature "
        "below."
    )


def _pick(result: Profiles, point: Mapping[str, Any]) -> None:
    """Choose the feature that a point belongs to."""
    at = point.get("customdata")
    if isinstance(at, list):
        at = at[0] if at else None
    if isinstance(at, int | float) and int(at) in result.features:
        put(FEATURE, result.names[int(at)])


def choose_feature(result: Profiles, output: str) -> str:
    """Choose the feature to look at closely, the one that matters most by default.

    Of several models it is the one in which they differ most.
    """
    several = result.n_models > 1
    order = result.widest(output) if several else result.ranking(output)
    names = [result.names[at] for at in order]
    st.subheader("One feature", anchor=False)
    return str(choose(
        st.selectbox, "Feature", FEATURE, options=names, default=names[0], width=320,
    ))  # fmt: skip


def show_feature(result: Profiles, feature: str, output: str, *, name: str) -> None:
    """Draw one feature, and say what single rows do with it."""
    has_order = feature in with_order(result, output)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = "mean"
        if has_order:
            shown = str(choose(
                st.segmented_control, "Show", "profile_shown", options=list(SHOWN), default="mean",
                format_func=SHOWN.get, required=True,
            ))  # fmt: skip
        curves, offered = "none", (MODELS if result.n_models > 1 else {}) | SINGLE
        if shown == "mean" and len(result.ids):
            curves = str(choose(
                st.segmented_control, "Single curves", "profile_curves", options=list(offered),
                default=next(iter(offered)), format_func=offered.get, required=True,
            ))  # fmt: skip
    left, right = side_by_side("feature")
    said = feature_sentence(result, feature, output)
    with left, st.container(border=True):
        if shown == "mean":
            drawn = draw(result, "profile", feature=feature, output=output, curves=curves)
        else:
            drawn = draw(
                result, "effects", feature=feature, output=output,
                mean="dashed" if shown == "both" else "none",
            )  # fmt: skip
        plain_figure(drawn, name=f"{name}-feature", alt=said)
        note(
            ABOUT[shown] + (OF_MODELS if result.n_models > 1 else "")
            + (STARTED if curves in {"centred", "grouped"} else "")
        )  # fmt: skip
    with right, st.container(border=True):
        st.markdown(f"**{plain(feature)}**")
        note(said)
        if not has_order:
            note("It has no order along which effects could accumulate.")
        if curves == "grouped":
            st.markdown("**Groups of single rows**")
            for line in group_sentences(curve_groups(result, feature, output)):
                note(line)


def choose_other(result: Profiles, feature: str, output: str) -> tuple[str, int]:
    """Choose a second feature to follow together with the first; returns it and the grid points."""
    st.subheader("Two features together", anchor=False)
    others = [result.names[at] for at in result.ranking(output)]
    others.remove(feature)
    if not others:
        note("The model has no other feature.")
        return NOBODY, USUAL_POINTS
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = str(choose(
            st.selectbox, "Together with", OTHER, options=[NOBODY, *others], default=NOBODY,
            format_func=lambda key: key or "nothing yet", width=320,
        ))  # fmt: skip
        points = whole_number(
            "Grid points",
            "profile_points",
            USUAL_POINTS,
            2,
            MOST_POINTS,
            "Of each number, at its quantiles; a category has one for each level.",
        )
    if not other:
        note("Choose a second feature to see whether both do more, or less, together.")
    return other, points


def show_pair(result: Profiles, output: str, *, name: str) -> None:
    """Draw two features as a map."""
    offered = ["mean"]
    if result.pair_profile(output).accumulates:
        offered.append("effects")
    surface = str(choose(
        st.segmented_control, "Surface", "profile_surface", options=offered, default="mean",
        format_func=SURFACES.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    said = pair_sentence(result, output)
    drawn = draw(result, "pair", output=output, surface=surface)
    plain_figure(drawn, name=f"{name}-{surface}", alt=said)
    note(said)
