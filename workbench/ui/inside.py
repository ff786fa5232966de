"""Inside a network: the graph of its features, what is lost without an edge, and each feature."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import torch

from workbench import api
from workbench.core.local_basis import BASES
from workbench.core.results import LocalBasis
from workbench.core.table import Table
from workbench.core.wording import counted, percent
from workbench.engines.lib.cuts import layer_names
from workbench.engines.lib.graph import NAME
from workbench.plots import render
from workbench.plots.basis_row import row_graph, row_sentence
from workbench.plots.local_basis import (
    ALL_LAYERS,
    CUTS,
    accuracy_bounds,
    features_by_name,
    lib_sentence,
    show_worth,
    together_sentence,
    worth_of_edges,
)
from workbench.report.graphml import to_graphml
from workbench.ui import cache
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import Quote
from workbench.ui.forms import params_form, whole_number
from workbench.ui.frame import answer, empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask
from workbench.ui.place import Place
from workbench.ui.results import downloads, is_dark, plain_figure
from workbench.ui.state import choose, choose_several, put
from workbench.ui.update_runs import answer_of

FAMILY = "inside"
ABOUT = (
    "Columns are layers, dots are features with the most important on top, in the colour of the "
    "community that they work in. A line is as wide as the root of its share of the strongest edge "
    "of its section. The outputs stand on the right."
)
MOST_EXCITING = 8


def inside(place: Place) -> None:
    """Show what a network computes on the way from its inputs to its outputs."""
    if place.rows.y is None:
        empty_state(
            f"What can be left out is told by labelled rows, and {place.rows_name} holds no true "
            "values. Add the table again with its target column.", "help",
        )  # fmt: skip
        return
    if "black_box" in place.model.capabilities:
        empty_state(
            "This model is a black box: it shows no layers to look into. Choose a network of the "
            "catalogue.", "help",
        )  # fmt: skip
        return
    said = st.container()
    left, right = side_by_side(FAMILY)
    ask: Ask | None = None
    found: Answer[LocalBasis] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**How to look**")
            ask = _ask(place)
    if ask is not None:
        with left, errors_shown():
            found = answer_of(place, ask, LocalBasis, "Look inside", "schema", key=f"run-{FAMILY}")
    if found is None:
        with said:
            answer("What its layers do is not known yet.")
        return
    with said, errors_shown():
        answer(lib_sentence(found.result))
        note(together_sentence(found.result))
    with left, errors_shown():
        _graph(found, place)
        _lost(found, place)
        _feature(found, place)
        _row(found, place)
    with trust, errors_shown():
        trust_card(found.result)
    computed_card(found.result.provenance)


def _ask(place: Place) -> Ask:
    method = api.list_methods()[NAME]
    with st.popover("Settings", icon=":material/tune:", width="stretch"):
        seed = whole_number(
            "Seed", f"{FAMILY}_seed", 0, 0, 2**31 - 1, "The same seed gives the same numbers.",
            width="stretch",
        )  # fmt: skip
        layers = choose_several(
            "Layers to cut at", f"{FAMILY}.layers", options=layer_names(place.model.network),
            default=(), placeholder="All", help=method.params.model_fields["layers"].description,
        )  # fmt: skip
        settings: dict[str, Any] = params_form(method.params, FAMILY, leave_out={"dtype", "layers"})
    n_table = len(cache.table(place.table, place.person.key))
    plan = api.plan(place.model, len(place.rows), n_table, method=NAME, layers=layers, **settings)
    return Ask(
        request=place.request(NAME, plan.params, seed=seed),
        quote=Quote(plan.method, plan.params, plan.cost, 0.0, plan.notes),
        title=f"{method.title}, {place.model.card.name}, {place.rows_name}",
        subject=(NAME, place.model.digest, place.table, place.split, str(place.cohort)),
    )


def _graph(found: Answer[LocalBasis], place: Place) -> None:
    """Show the graph, and beside the slider what the network is worth with these edges alone."""
    result, name = found.result, f"inside-{place.model.card.name}"
    with st.container(border=True):
        basis = str(choose(
            st.segmented_control, "Basis", "inside_basis", options=list(BASES), default="lib",
            format_func=BASES.__getitem__, required=True, label_visibility="collapsed",
        ))  # fmt: skip
        slider, worth_of = st.columns([3, 2], vertical_alignment="center")
        counts = sorted({int(n) for n in result.all_edges_curve(basis).kept if n})
        with slider:
            edges = int(choose(
                st.select_slider, "Edges kept of every section", "inside_edges", options=counts,
                default=_usual(result, counts),
                help="The strongest ones; the network runs without all others.",
            ))  # fmt: skip
        _, worth = worth_of_edges(result, basis, edges)
        with worth_of:
            what, value = show_worth(result, worth).rsplit(" ", 1)
            if result.worth_name == "accuracy":
                what, value = "accuracy", percent(worth)
            st.metric(
                f"{what.capitalize()}, all sections cut", value,
                f"{_change(result, worth)} by cutting", delta_color="off", delta_arrow="off",
            )  # fmt: skip
            note(_how_sure(result, worth))
        drawn = render(result, "graph", basis=basis, edges=edges, dark=is_dark())
        plain_figure(
            drawn, name=f"{name}-graph", alt=lib_sentence(result),
            on_point=lambda point: _pick(result, point),
        )  # fmt: skip
        note(ABOUT)
        downloads(found, name, place.person)
        st.download_button(
            "GraphML", lambda: to_graphml(result, basis).encode(), on_click="ignore",
            file_name=f"{name}-{basis}.graphml", mime="application/graphml+xml",
            icon=":material/hub:", key=f"download-{name}-graphml",
            help="Features and edges of this basis, for Gephi, yEd or networkx.",
        )  # fmt: skip


def _usual(result: LocalBasis, counts: list[int]) -> int:
    """Return the count of edges that is shown first: as many as the neediest section takes."""
    needed = int(result.edges_required[0].max())
    return min(counts, key=lambda n: abs(n - needed))


def _pick(result: LocalBasis, point: Mapping[str, Any]) -> None:
    """Show the card of a feature that was clicked."""
    name = str(point.get("customdata") or "")
    if name in features_by_name(result):
        put("inside_feature", name)


def _change(result: LocalBasis, worth: float) -> str:
    if result.worth_name == "accuracy":
        return f"{100 * (worth - result.base):+.1f} points"
    return f"{result.base - worth:+.4g}"


def _how_sure(result: LocalBasis, worth: float) -> str:
    """Say on how many rows that was found, and how far the accuracy may be off."""
    rows = counted(result.judged, "row")
    if result.worth_name != "accuracy":
        return f"On {rows}."
    low, high = accuracy_bounds(worth, result.judged)
    return f"On {rows}; 95 %: {percent(float(low))} to {percent(float(high))}."


def _lost(found: Answer[LocalBasis], place: Place) -> None:
    """Show the curves of all three bases."""
    result = found.result
    with st.container(border=True):
        st.markdown("**What is lost with fewer of them**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            cut = str(choose(
                st.segmented_control, "Cut", "inside_cut", options=list(CUTS), default="edges",
                format_func=str.capitalize, required=True, label_visibility="collapsed",
            ))  # fmt: skip
            layer = str(choose(
                st.selectbox, "Layer", "inside_layer",
                options=[ALL_LAYERS, *result.layer_names[:-1]], default=ALL_LAYERS,
                label_visibility="collapsed", format_func=str.capitalize, width=220,
            ))  # fmt: skip
        drawn = render(result, "curves", cut=cut, layer=layer, dark=is_dark())
        plain_figure(
            drawn, name=f"inside-curves-{place.model.card.name}", alt=together_sentence(result)
        )


def _feature(found: Answer[LocalBasis], place: Place) -> None:
    """Show one feature: what excites it, what it writes, and the rows with the most of it."""
    result = found.result
    known = features_by_name(result)
    if not known:
        return
    with st.container(border=True):
        st.markdown("**One feature**")
        chosen = str(choose(
            st.selectbox, "Feature", "inside_feature", options=list(known),
            default=next(iter(known)), format_func=str.capitalize, width=320,
            help="Or click one in the graph.",
        ))  # fmt: skip
        layer, j = known[chosen]
        if result.is_tied(layer)[j]:
            note("Its importance is within 1 % of a neighbour's: read them together, as a space.")
        for column, view in zip(st.columns(2), ("feature", "loadings"), strict=True):
            with column:
                drawn = render(result, view, feature=chosen, dark=is_dark())
                plain_figure(
                    drawn, name=f"inside-{view}-{place.model.card.name}", alt=f"{chosen}: {view}"
                )
        note("Rows with the most of it, then those with the least")
        st.dataframe(_most(result, layer, j), hide_index=True)


def _row(found: Answer[LocalBasis], place: Place) -> None:
    """Show how one of the rows passes through the features."""
    result = found.result
    if not int(result.sizes[0, :-1].sum()):
        return
    rows = [int(i) for i in result.ids]
    with st.container(border=True):
        st.markdown("**One row on its way**")
        chosen = int(choose(
            st.selectbox, "Row", "inside_row", options=rows, default=rows[0], width=200
        ))  # fmt: skip
        X = torch.from_numpy(result.data[[rows.index(chosen)]])
        row = Table(place.model.schema, X, torch.tensor([chosen]), name=place.rows.name)
        passed = api.local_basis_row(place.model, result, row)
        answered = int(passed.features[-1].argmax())
        note(row_sentence(result, passed, answered))
        drawn = row_graph(result, passed, dark=is_dark())
        plain_figure(
            drawn, name=f"inside-row-{place.model.card.name}",
            alt=row_sentence(result, passed, answered),
        )  # fmt: skip


def _most(result: LocalBasis, layer: int, j: int) -> pd.DataFrame:
    """Return the rows that are shown with the most and the least of a feature."""
    values = result.features[:, result.feature_range(layer).start + j]
    order = np.argsort(-values, kind="stable")
    ends = order if len(order) <= 2 * MOST_EXCITING else np.concatenate(
        [order[:MOST_EXCITING], order[-MOST_EXCITING:]]
    )  # fmt: skip
    classes = result.schema.classes
    said = result.predictions.argmax(1) if classes else result.predictions[:, 0]
    return pd.DataFrame({
        "row": result.ids[ends],
        "feature": values[ends],
        "true": [classes[int(v)] if classes else v for v in result.truth[ends]],
        "predicted": [classes[int(v)] if classes else v for v in said[ends]],
    })
