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
from workbench.plots.basis_both import fewest_of_both, worth_of_both
from workbench.plots.basis_redundancy import NO_UNITS, redundancy_sentence, switching_layers
from workbench.plots.basis_row import row_graph, row_sentence
from workbench.plots.local_basis import (
    ALL_LAYERS,
    accuracy_bounds,
    features_by_name,
    lib_sentence,
    loss_bounds,
    together_sentence,
    worth_kept,
)
from workbench.plots.words import MINUS, signed
from workbench.report.graphml import to_graphml
from workbench.ui import cache
from workbench.ui.cost import quote
from workbench.ui.drawn import draw, is_dark
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import choose_seed
from workbench.ui.needs import lacks_labels, lacks_layers
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import announced, ask_of, show_part
from workbench.ui.state import choose, choose_several, put

FAMILY = "inside"
ABOUT = (
    "Columns are layers, dots are features with the most important on top, in the colour of the "
    "community that they work in. A line is as wide as the root of its share of the strongest edge "
    "of its section. The outputs stand on the right."
)
MOST_EXCITING = 8
LEFT_OUT = {"edges": "Fewer edges", "features": "Fewer features", "both": "Fewer of both"}
SLIDERS = {
    "edges": ("Edges kept of every section", "The strongest ones; the network runs without all "
              "others."),
    "features": ("Features kept of every layer", "The most important ones; all others stand at "
                 "their mean while the network runs."),
}  # fmt: skip
BOTH_ABOUT = (
    SLIDERS["features"][1],
    "The strongest ones between the features that are left; the network runs without all others.",
)


def inside(place: Place) -> None:
    """Show what a network computes on the way from its inputs to its outputs."""
    if lacks_labels(place, "What can be left out") or lacks_layers(
        place, "it shows no layers to look into"
    ):
        return
    part = show_part(
        place, LocalBasis, _ask, key=FAMILY, heading="How to look", verb="Look inside",
        icon="schema",
    )  # fmt: skip
    if (found := part.found) is None:
        with part.said:
            answer("What its layers do is not known yet.")
        return
    with part.said, errors_shown():
        answer(lib_sentence(found.result))
        note(together_sentence(found.result))
    with part.left, errors_shown():
        cut = _graph(found, place)
        _lost(found, place, cut)
        _unused(found, place)
        _feature(found, place)
        _row(found, place)
    part.end(found.result)


def _ask(place: Place) -> Ask:
    method = api.list_methods()[NAME]
    with settings_button():
        seed = choose_seed(f"{FAMILY}_seed")
        layers = choose_several(
            "Layers to cut at", f"{FAMILY}.layers", options=layer_names(place.model.network),
            default=(), placeholder="All", help=method.params.model_fields["layers"].description,
        )  # fmt: skip
        settings: dict[str, Any] = params_form(method.params, FAMILY, leave_out={"dtype", "layers"})
    whole = cache.table(place.table, place.person.key)
    price = quote(place, NAME, len(place.rows), len(whole), settings | {"layers": layers})
    return announced(ask_of(place, NAME, price, seed=seed))


def _graph(found: Answer[LocalBasis], place: Place) -> str:
    """Show the graph, and beside the slider what the network is worth with this alone.

    Returns what is left out, of which there is a curve: features or edges.
    """
    result, name = found.result, f"inside-{place.model.card.name}"
    with st.container(border=True):
        basis = str(choose(
            st.segmented_control, "Basis", "inside_basis", options=list(BASES), default="lib",
            format_func=BASES.__getitem__, required=True, label_visibility="collapsed",
        ))  # fmt: skip
        cut = str(choose(
            st.segmented_control, "Leave out", "inside_cut",
            options=[each for each in LEFT_OUT if each != "both" or result.both_worth.size],
            default="edges", format_func=LEFT_OUT.__getitem__, required=True,
            label_visibility="collapsed",
        ))  # fmt: skip
        slider, worth_of = st.columns([3, 2], vertical_alignment="center")
        with slider:
            kept = _sliders(result, cut)
        if cut == "both":
            *_, worth, error = worth_of_both(result, basis, **kept)
        else:
            _, worth, error = worth_kept(result, cut, basis, kept[cut])
        with worth_of:
            _worth(result, cut, worth, error)
        drawn = draw(result, "graph", basis=basis, **kept)
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
    return "edges" if cut == "both" else cut


def _sliders(result: LocalBasis, cut: str) -> dict[str, int]:
    """Ask how many features, edges, or both stay."""
    if cut != "both":
        return {cut: _slider(result, cut)}
    features, edges = fewest_of_both(result)
    tried = {"features": (result.both_features, features), "edges": (result.both_edges, edges)}
    return {
        each: int(choose(
            st.select_slider, SLIDERS[each][0], f"inside_both_{each}", options=counts.tolist(),
            default=usual, help=about,
        ))
        for (each, (counts, usual)), about in zip(tried.items(), BOTH_ABOUT, strict=True)
    }  # fmt: skip


def _slider(result: LocalBasis, cut: str) -> int:
    """Ask how many features, or edges, stay; at first enough for the neediest layer or section."""
    whole = result.all_nodes_curve if cut == "features" else result.all_edges_curve
    needed = result.nodes_required if cut == "features" else result.edges_required
    counts = sorted({int(n) for n in whole().kept if n})
    usual = next((n for n in counts if n >= needed[0].max()), counts[-1])
    label, about = SLIDERS[cut]
    return int(choose(
        st.select_slider, label, f"inside_{cut}", options=counts, default=usual, help=about
    ))  # fmt: skip


def _worth(result: LocalBasis, cut: str, worth: float, error: float) -> None:
    """Show what the network is worth with so much left of it, and how sure that is."""
    if result.worth_name == "accuracy":
        what, value = "Accuracy", percent(worth)
        change = f"{signed(100 * (worth - result.base), 1)} points"
    else:
        what, value = "Squared error", f"{-worth:,.4g}"
        change = _more(result.base - worth)
    everywhere = "sections" if cut == "edges" else "layers"
    st.metric(
        f"{what}, all {everywhere} cut", value, f"{change} by cutting", delta_color="off",
        delta_arrow="off",
    )  # fmt: skip
    note(_how_sure(result, worth, error))


def _pick(result: LocalBasis, point: Mapping[str, Any]) -> None:
    """Show the card of a feature that was clicked."""
    name = str(point.get("customdata") or "")
    if name in features_by_name(result):
        put("inside_feature", name)


def _how_sure(result: LocalBasis, worth: float, error: float) -> str:
    """Say on how many rows that was found, and how far it may be off."""
    rows = counted(result.judged, "row")
    if result.worth_name == "accuracy":
        low, high = map(float, accuracy_bounds(worth, result.judged))
        return f"On {rows}; 95 %: {percent(low)} to {percent(high)}."
    if np.isnan(error):
        return f"On {rows}."
    low, high = loss_bounds(worth, error, result.base)
    return f"On {rows}; 95 % of the change: {_more(low)} to {_more(high)}."


def _more(value: float) -> str:
    """Write a change of an error."""
    return f"{value:+,.4g}".replace("-", MINUS)


def _lost(found: Answer[LocalBasis], place: Place, cut: str) -> None:
    """Show the curves of all three bases."""
    result = found.result
    with st.container(border=True):
        st.markdown(f"**What is lost with fewer {cut}**")
        layer = str(choose(
            st.selectbox, "Layer", "inside_layer",
            options=[ALL_LAYERS, *result.layer_names[:-1]], default=ALL_LAYERS,
            label_visibility="collapsed", format_func=str.capitalize, width=220,
        ))  # fmt: skip
        drawn = draw(result, "curves", cut=cut, layer=layer)
        plain_figure(
            drawn, name=f"inside-curves-{place.model.card.name}", alt=together_sentence(result)
        )


def _unused(found: Answer[LocalBasis], place: Place) -> None:
    """Show what the dimensions of each layer are good for, and which units do the same."""
    result, name = found.result, place.model.card.name
    said = redundancy_sentence(result)
    with st.container(border=True):
        st.markdown("**What is not used**")
        note(said)
        drawn = draw(result, "used")
        plain_figure(drawn, name=f"inside-used-{name}", alt=said)
        if not (known := switching_layers(result)):
            note(NO_UNITS)
            return
        units = str(choose(
            st.selectbox, "Units of", "inside_units", options=list(known),
            default=next(iter(known)), format_func=str.capitalize, width=220,
        ))  # fmt: skip
        drawn = draw(result, "alike", units=units)
        plain_figure(drawn, name=f"inside-alike-{name}", alt=said)


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
                drawn = draw(result, view, feature=chosen)
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
