"""Scores of pairs on a page: a view that was chosen, the pair that is looked at, its numbers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from workbench.core.interaction_scores import NONE
from workbench.core.results import InteractionScores
from workbench.plots import options_of, views_of
from workbench.plots.interaction_scores_words import LOSS_SIGN, pair_sentence, scores_sentence
from workbench.plots.scored_sets import PAIR, By, ScoredSets, scored_sets
from workbench.ui.drawn import draw
from workbench.ui.frame import note
from workbench.ui.results import plain_figure
from workbench.ui.state import choose, put
from workbench.ui.text import plain

LABELS = {
    "ranked": "Ranked", "heatmap": "Heatmap", "network": "Network", "swarm": "Swarm",
    "triples": "Triples",
}  # fmt: skip
ABOUT = {
    "ranked": "Dotted: below a thousandth of the variance nothing is of practical importance. "
    "Press a bar to look at its pair.",
    "heatmap": "Press a cell to look at its pair; blank pairs were not scored.",
    "network": "Pairs that matter; press the middle of a line to look at its pair.",
    "swarm": "Each dot is a model that is as good, the star is this one. Press one to look at its "
    "pair.",
    "triples": "What three features do together beyond what two of them do.",
}
WAYS: Mapping[str, str] = {"mixed-difference": "in the outputs", "loss": "in the loss"}
SHOWN: Mapping[str, str] = {
    "reference": "this model", "min": "least of all models", "max": "most of all models",
    "top": "share in top five",
}  # fmt: skip
NAMES = {"by": "Scores", "show": "Cells"}
CHOICE, LISTED = "pair", 40
# Fields whose last axis are outputs.
OF_OUTPUTS = (
    "mixed", "mixed_std_errors", "signed", "signed_std_errors", "variances", "totals",
    "mean_predictions", "in_contexts", "by_weights",
)  # fmt: skip


def show_views(result: InteractionScores, output: str, *, name: str, first: str = "ranked") -> By:
    """Draw the view that was chosen; returns the scores that it is drawn by.

    Parameters
    ----------
    first
        The view that is shown unless another one is chosen.
    """
    views = list(views_of(result))
    with st.container(horizontal=True, vertical_alignment="center"):
        view = str(choose(
            st.segmented_control, "View", f"interactions_{first}", options=views, default=first,
            format_func=LABELS.get, required=True, label_visibility="collapsed",
        ))  # fmt: skip
        options = {
            key: str(choose(
                st.selectbox, NAMES[key], f"interactions.{key}", options=offered,
                default=offered[0], label_visibility="collapsed", width=210,
                format_func=(WAYS if key == "by" else SHOWN).get,
            ))
            for key, offered in options_of(result, view).items() if len(offered) > 1
        }  # fmt: skip
    by: By = "loss" if options.get("by") == "loss" else "mixed-difference"
    note(LOSS_SIGN if by == "loss" else ABOUT[view])
    drawn = draw(result, view, output=output, **options)
    plain_figure(
        drawn, name=f"{name}-{view}", alt=scores_sentence(result, output, by=by),
        on_point=(lambda point: _pick(result, point.get("customdata")))
        if view != "triples" and len(drawn.data) else None,
    )  # fmt: skip
    return by


def choose_pair(result: InteractionScores, output: str) -> int | None:
    """Choose a pair, by default the strongest; returns its place, and says what is known of it."""
    sets = scored_sets(result, output)
    if not len(sets):
        note("No pair of features was scored.")
        return None
    places = {_key(result, int(place)): at for at, place in enumerate(sets.places)}
    keys = list(places)
    key = str(choose(
        st.selectbox, "Pair", CHOICE, options=keys, default=keys[0],
        format_func=lambda chosen: sets.name(places[chosen]),
    ))  # fmt: skip
    place = int(sets.places[places[key]])
    st.markdown(f"**{plain(pair_sentence(result, place, output))}**")
    return place


def pair_names(result: InteractionScores, place: int) -> tuple[str, str]:
    """Return the names of the features of a pair."""
    first, second = result.set_names[place]
    return first, second


def pair_settings(result: InteractionScores, pair: tuple[str, str]) -> dict[str, Any]:
    """Return what a profile of a pair is asked for, on the same scale as the scores."""
    scale = {"output": result.provenance.params["output"]} if result.schema.n_classes else {}
    return {"features": pair, "pair": pair, **scale}


def of_output(result: InteractionScores, output: str) -> InteractionScores:
    """Return a result about one of several classes alone, which checks then look at."""
    if len(result.output_names) <= 2:  # what is known of one of two is known of the other
        return result
    which = result.output_index(output)
    arrays: dict[str, Any] = {
        name: values[..., [which]] for name in OF_OUTPUTS
        if (values := getattr(result, name)) is not None
    }  # fmt: skip
    schema = result.schema.model_copy(update={"favourable": None})
    return replace(result, **arrays, schema=schema, output_names=(output,))


def show_numbers(result: InteractionScores, output: str, by: By) -> None:
    """List the strongest pairs with their numbers."""
    sets = scored_sets(result, output, by=by)
    st.markdown("**In numbers**")
    st.dataframe(
        _frame(sets), hide_index=True, column_config=_heads(sets), height=320,
    )  # fmt: skip
    if len(sets) > LISTED:
        note(f"The {LISTED} strongest of {len(sets):,}; files hold all.")


def _frame(sets: ScoredSets) -> pd.DataFrame:
    shown = slice(0, LISTED)
    n = len(sets.places[shown])
    columns: dict[str, Any] = {
        "pair": [sets.name(at) for at in range(n)],
        "value": sets.own[shown], "low": sets.low[shown], "high": sets.high[shown],
        "direction": [sets.way(at) for at in range(n)],
    }  # fmt: skip
    if sets.n_models > 1:
        cloud = sets.cloud()
        columns |= {
            "least": sets.values.min(0)[shown], "most": sets.values.max(0)[shown],
            "top": 100 * cloud.in_top[shown],
        }  # fmt: skip
    return pd.DataFrame(columns)


def _heads(sets: ScoredSets) -> dict[str, Any]:
    config = st.column_config
    unit, digits = ("%", "%.3g") if sets.by != "loss" else (sets.result.loss_unit, "%+.3g")
    names = {
        "value": f"this model, {unit}", "low": "95 % from", "high": "95 % to",
        "least": "models from", "most": "models to",
    }  # fmt: skip
    return {
        **{key: config.NumberColumn(name, format=digits) for key, name in names.items()},
        "top": config.ProgressColumn("in top 5", format="%.0f %%", min_value=0.0, max_value=100.0),
    }


def _key(result: InteractionScores, place: int) -> str:
    """Write a pair as it stands in the address: the positions of its features."""
    return "-".join(str(i) for i in result.sets[place] if i != NONE)


def _pick(result: InteractionScores, place: Any) -> None:
    """Look at the pair of a place that was clicked."""
    if isinstance(place, list) and place:  # some traces hand their data over in a list
        place = place[0]
    if not isinstance(place, int | float) or not 0 <= int(place) < len(result.sets):
        return
    if result.orders[int(place)] == PAIR:
        put(CHOICE, _key(result, int(place)))
