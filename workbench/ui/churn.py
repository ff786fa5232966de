"""Whose decisions an update would change, and which ones a real update did."""

from dataclasses import replace
from typing import Any

import streamlit as st
import torch

from workbench import api
from workbench.core.rashomon import EXPLORERS
from workbench.core.results import Churn
from workbench.core.table import Table
from workbench.core.wording import percent
from workbench.engines.rashomon.churn import NAME
from workbench.engines.rashomon.explore import EXPLORE, explorers_of
from workbench.engines.rashomon.params import AUTO
from workbench.plots import options_of, render, views_of
from workbench.plots.churn_words import (
    churn_sentence,
    group_sentence,
    noise_sentence,
    update_sentence,
)
from workbench.plots.words import number
from workbench.ui import cache
from workbench.ui.drawn import draw, is_dark
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import choose_run, show_part
from workbench.ui.state import choose, choose_several
from workbench.workspace import sources

FAMILY = "churn"
BY_HAND = frozenset({"tolerances"})
PUBLISHED, NO_UPDATE = "published-", ""
LISTED = 200
LABELS = {
    "tolerances": "By tolerance", "rows": "Who changes", "groups": "Groups", "pairs": "Models",
    "update": "The update",
}  # fmt: skip
NOT_IN_A_REPORT = (
    "A report shows what the run foresaw; the update, which it did not know, is in the files "
    "below (HTML, CSV, JSON)."
)
ABOUT = {
    "tolerances": "How much changes, by how good a model has to be. On grey ground a tolerance "
    "cannot be told from 0.",
    "rows": "Rows that most prospective models decide otherwise; colours say what that would do.",
    "pairs": "The share of rows that each two prospective models decide differently.",
}


def churn_of_updates(place: Place) -> None:
    """Show what replacing the model would change about the rows of a place."""
    part = show_part(
        place, Churn, _choose, key=FAMILY, heading="What may replace the model",
        verb="Foresee an update", icon="published_with_changes",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result = found.result
    with part.right, st.container(border=True), errors_shown():
        result = _with_update(place, result)
    name = f"churn-{place.model.card.name}"
    with part.left:
        tolerance = _choose_tolerance(result)
    with part.left, st.container(border=True), errors_shown():
        _show_view(result, tolerance, name)
        downloads(replace(found, result=result), name, place.person)
    with part.said, errors_shown():
        answer(churn_sentence(result, tolerance))
        if doubt := noise_sentence(result, tolerance):
            note(doubt)
        if result.update:
            note(update_sentence(result, tolerance))
    with part.below, errors_shown():
        _who(result, tolerance)
    part.end(result)


def _choose(place: Place) -> Ask:
    chosen = {"explorers": _choose_explorers(place)}
    return choose_run(place, NAME, FAMILY, chosen=chosen, by_hand=BY_HAND)


def _choose_explorers(place: Place) -> tuple[str, ...]:
    offered = [key for key in EXPLORERS if key in EXPLORE and not key.startswith(PUBLISHED)]
    usual = explorers_of(place.model, (AUTO,))
    chosen = choose_several(
        "Prospective models", "churn.explorers", options=offered, default=list(usual),
        format_func=lambda key: EXPLORERS[key],
        help="Where models come from that are as good and might replace this one.",
    )  # fmt: skip
    return chosen or usual


def _choose_tolerance(result: Churn) -> float:
    labels = [number(float(value)) for value in result.tolerances]
    chosen = labels[-1]
    if len(set(labels)) == len(labels) > 1:
        chosen = str(choose(
            st.select_slider, "Tolerance", "churn.tolerance", options=labels, default=chosen,
            help=f"By how much the {result.loss_name} of a model may exceed the given model's.",
        ))  # fmt: skip
    return float(result.tolerances[len(labels) - 1 - labels[::-1].index(chosen)])


def _with_update(place: Place, result: Churn) -> Churn:
    """Choose the model that did replace this one, and ask it about the same rows."""
    st.markdown("**Hold it against a real update**")
    offered = _possible_updates(place)
    if not offered:
        note("There is no other model of the same columns and classes here.")
        return result
    chosen = str(choose(
        st.selectbox, "Replaced by", "churn.update", options=[NO_UPDATE, *offered],
        default=NO_UPDATE, format_func=lambda key: key or "nothing yet",
    ))  # fmt: skip
    if not chosen:
        return result
    rows = Table(
        place.model.schema, torch.from_numpy(result.data), torch.from_numpy(result.ids),
        name=place.table,
    )  # fmt: skip
    with st.spinner("Asking the update"):
        return api.realised_churn(result, cache.model(chosen, place.person.key), rows)


def _possible_updates(place: Place) -> list[str]:
    """List other models that read the same columns and decide among the same classes."""
    own = place.model.schema
    wanted = cache.features_of(own)
    found = []
    for entry in sources.list_models(place.person.key):
        card = cache.card(entry.reference, place.person.key)
        if card is None or f"{card.name}@{card.version}" == place.model.name:
            continue
        same = cache.features_of(card.schema) == wanted
        if same and sorted(card.schema.classes) == sorted(own.classes):
            found.append(entry.reference)
    return found


def _show_view(result: Churn, tolerance: float, name: str) -> None:
    """Draw the view that was chosen, and say what it shows."""
    views = list(views_of(result))
    view = str(choose(
        st.segmented_control, "View", "churn_view", options=views, default=views[0],
        format_func=LABELS.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    by: str | None = None
    said = ABOUT.get(view, churn_sentence(result, tolerance))
    if view == "groups":
        offered = options_of(result, view)["by"]
        by = str(choose(st.selectbox, "By", "churn.by", options=offered, default=offered[0]))
        said = group_sentence(result, by, tolerance)
    if view == "update":
        said = update_sentence(result, tolerance)
    note(said)
    options = {"by": by} if by else {}
    if view == "update":  # the page looked at it, the run that a report shows did not
        drawn = render(result, view, tolerance=tolerance, dark=is_dark())
        note(NOT_IN_A_REPORT)
    else:
        drawn = draw(result, view, tolerance=tolerance, **options)
    plain_figure(drawn, name=f"{name}-{view}", alt=said)


def _who(result: Churn, tolerance: float) -> None:
    """List the rows that are most likely to change, as a table that can be taken along."""
    frame = result.rows_frame(tolerance)
    if frame["flips"].isna().all():
        return
    st.subheader("Who would be affected?", anchor=False)
    likely = int((frame["flips"] > 0).sum())
    changed = "decided otherwise" if result.classifies else (
        f"moved by more than {number(result.movement)}"
    )  # fmt: skip
    note(
        f"{percent(likely / len(frame))} of the rows are {changed} by some prospective model; the "
        f"likeliest first, {min(LISTED, len(frame)):,} of {len(frame):,} rows."
    )
    if not result.classifies:  # a value has no other side
        frame = frame.drop(columns="margin")
    st.dataframe(frame.head(LISTED), hide_index=True, column_config=_heads(result))


def _heads(result: Churn) -> dict[str, Any]:
    config = st.column_config
    heads: dict[str, Any] = {
        "flips": config.ProgressColumn(
            "models that change it", format="percent", min_value=0.0, max_value=1.0
        ),
        "low": config.NumberColumn("95 % from", format="percent"),
        "high": config.NumberColumn("95 % to", format="percent"),
        "margin": config.NumberColumn("margin", format="%.3f"),
    }
    if not result.classifies:
        heads["decision"] = config.NumberColumn("prediction", format="%.4g")
    return heads
