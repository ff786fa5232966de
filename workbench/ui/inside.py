"""Inside a network: the graph of its features, what is lost without an edge, and each feature."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from workbench import api
from workbench.core.local_basis import BASES
from workbench.core.results import LocalBasis
from workbench.engines.lib.graph import NAME
from workbench.plots.local_basis import (
    features_by_name,
    lib_sentence,
    show_worth,
    together_sentence,
    worth_of_edges,
)
from workbench.ui import cache
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import Quote
from workbench.ui.forms import params_form, whole_number
from workbench.ui.frame import answer, empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask, answer_to
from workbench.ui.place import Place
from workbench.ui.results import downloads, figure
from workbench.ui.state import choose

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
            found = answer_to(ask, place.person, LocalBasis, slot=st.container())
    if found is None:
        return
    with said, errors_shown():
        answer(lib_sentence(found.result))
        note(together_sentence(found.result))
    with left, errors_shown():
        _graph(found, place)
        _lost(found, place)
        _feature(found, place)
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
        settings: dict[str, Any] = params_form(method.params, FAMILY, leave_out={"dtype"})
    n_table = len(cache.table(place.table, place.person.key))
    plan = api.plan(place.model, len(place.rows), n_table, method=NAME, **settings)
    return Ask(
        request=place.request(NAME, plan.params, seed=seed),
        quote=Quote(plan.method, plan.params, plan.cost, 0.0, plan.notes),
        title=f"{method.title}, {place.model.card.name}, {place.rows_name}",
        subject=(NAME, place.model.digest, place.table, place.split, str(place.cohort)),
    )


def _graph(found: Answer[LocalBasis], place: Place) -> None:
    """Show the graph, and beside the slider what the network is worth with these edges alone."""
    result = found.result
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            basis = str(choose(
                st.segmented_control, "Basis", "inside_basis", options=list(BASES), default="lib",
                format_func=BASES.__getitem__, required=True, label_visibility="collapsed",
            ))  # fmt: skip
        counts = sorted({int(n) for n in result.all_edges_curve(basis).kept if n})
        needed = int(result.edges_required[result.basis_index(basis)].max())
        usual = min(counts, key=lambda n: abs(n - needed))
        edges = int(choose(
            st.select_slider, "Edges kept of every section", "inside_edges", options=counts,
            default=usual, help="The strongest ones; the network runs without all others.",
        ))  # fmt: skip
        _, worth = worth_of_edges(result, basis, edges)
        st.metric(
            f"With {edges:,} edges of every section, all cut at once",
            show_worth(result, worth),
            f"{_change(result, worth)} against the whole network", delta_color="off",
        )  # fmt: skip
        name = f"inside-{place.model.card.name}"
        figure(
            result,
            "graph",
            name=name,
            alt=lib_sentence(result),
            basis=basis,
            edges=edges,
        )
        note(ABOUT)
        downloads(found, name, place.person)


def _change(result: LocalBasis, worth: float) -> str:
    if result.worth_name == "accuracy":
        return f"{100 * (worth - result.base):+.1f} points"
    return f"{result.base - worth:+.4g}"


def _lost(found: Answer[LocalBasis], place: Place) -> None:
    """Show the curves of all three bases."""
    with st.container(border=True):
        st.markdown("**What is lost with fewer of them**")
        figure(
            found.result,
            "curves",
            name=f"inside-curves-{place.model.card.name}",
            alt=together_sentence(found.result),
        )


def _feature(found: Answer[LocalBasis], place: Place) -> None:
    """Show one feature: what excites it, what it writes, and the rows with the most of it."""
    result = found.result
    known = features_by_name(result)
    if not known:
        return
    with st.container(border=True):
        chosen = str(choose(
            st.selectbox, "Feature", "inside_feature", options=list(known),
            default=next(iter(known)), width=320,
        ))  # fmt: skip
        layer, j = known[chosen]
        if result.is_tied(layer)[j]:
            note("Its importance is within 1 % of a neighbour's: read them together, as a space.")
        views = ("feature", "loadings") if layer == 0 else ("feature",)
        for column, view in zip(st.columns(len(views)), views, strict=True):
            with column:
                figure(
                    result,
                    view,
                    name=f"inside-{view}-{place.model.card.name}",
                    alt=f"{chosen}: {view}",
                    feature=chosen,
                )
        st.dataframe(_most(result, layer, j), hide_index=True)


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
