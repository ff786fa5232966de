"""The model's card and the rows at hand, and the first steps of a newcomer."""

import pandas as pd
import streamlit as st

from workbench.core.schema import Feature, Schema
from workbench.core.wording import counted
from workbench.ui import cache
from workbench.ui.cards import facts_list
from workbench.ui.frame import two_halves
from workbench.ui.place import Place
from workbench.ui.queue import queue
from workbench.ui.results import overview_figure
from workbench.ui.state import choose
from workbench.ui.text import plain, size
from workbench.workspace import sources

ABOUT = {"quality": "How good is it?", "data": "The data", "model": "The model"}
PREVIEW = 50
DISMISSED = "tour.dismissed"


def first_steps(place: Place) -> None:
    """Greet those who have explained nothing yet; two clicks lead to a first explanation."""
    if st.session_state.get(DISMISSED) or any(
        job.method.startswith("shapley") for job in queue().jobs(place.person.key)
    ):
        return
    with st.container(border=True):
        st.markdown(
            "**New here?** The sidebar says which model and which rows all pages are about. "
            "This page says how good that model is. The next step: why did it decide as it did?"
        )
        with st.container(horizontal=True):
            if st.button("Explain the first row", type="primary",
                         icon=":material/waterfall_chart:"):  # fmt: skip
                st.switch_page("pages/shapley.py")
            if st.button("Bring your own data", icon=":material/table_rows:"):
                st.switch_page("pages/add_data.py")
            if st.button("Bring your own model", icon=":material/upload_file:"):
                st.switch_page("pages/add_model.py")
            st.button("Not now", type="tertiary", on_click=_dismiss)


def _dismiss() -> None:
    st.session_state[DISMISSED] = True


def describe_place(place: Place) -> str:
    """Say in one sentence what the model does and what the rows are."""
    schema, card = place.model.schema, place.model.card
    target = schema.target or "its target"
    does = f"predicts {target}" if schema.task == "regression" else (
        f"tells {_either(schema)} by {target}" if schema.n_classes else f"predicts {target}"
    )  # fmt: skip
    n, d = len(place.rows), len(schema.features)
    said = f"{card.name} {does} from {counted(d, 'feature')}"
    return f"{said}; {place.rows_name} holds {counted(n, 'row')}."


def _either(schema: Schema) -> str:
    if schema.n_classes > 4:
        return f"{schema.n_classes} classes apart"
    return " from ".join(schema.classes) if schema.n_classes == 2 else ", ".join(schema.classes)


def data_view(place: Place) -> None:
    """Show the rows: a few of them, what is missing, the classes, and one feature at a time."""
    stats = cache.overview(place.table, place.person.key, place.split, str(place.cohort))
    left, right = two_halves("data")
    with left:
        overview_figure(stats, "classes")
    with right:
        overview_figure(stats, "missing")
    with st.container(border=True):
        names = place.model.schema.names
        name = choose(
            st.selectbox, "Feature", "feature", options=list(names), default=names[0], width=320
        )
        overview_figure(stats, "feature", name)
    st.markdown(f"**The first {min(PREVIEW, len(place.rows))} rows**")
    st.dataframe(place.rows[:PREVIEW].to_frame(), height=320)
    st.markdown("**What the columns mean**")
    st.dataframe(schema_frame(place.rows.schema), hide_index=True)


def schema_frame(schema: Schema) -> pd.DataFrame:
    """Return one line per feature, as people speak of it."""
    return pd.DataFrame([
        {
            "column": feature.name,
            "label": feature.label,
            "kind": feature.kind,
            "values": _values(feature),
            "protected": feature.protected,
            "immutable": feature.immutable,
            "may be missing": feature.has_missing,
        }
        for feature in schema.features
    ])


def _values(feature: Feature) -> str:
    if feature.categories:
        return ", ".join(feature.categories)
    if feature.range is None:
        return feature.unit
    low, high = (feature.show(bound) for bound in feature.range)
    return f"{low} to {high}"


def model_view(place: Place) -> None:
    """Show the card of the model."""
    card, model = place.model.card, place.model
    n_parameters = sum(p.numel() for p in model.network.parameters())
    able = ", ".join(sorted(model.capabilities)).replace("_", " ")
    own = " · your upload" if place.reference.startswith(sources.MINE) else ""
    with st.container(border=True):
        st.markdown(f"**{plain(card.title or card.name)}**")
        facts_list([
            ("Model", f"{model.name}{own}"),
            ("Use", card.intended_use or "not stated"),
            ("Limits", card.limits or "not stated"),
            ("Licence", card.licence or "not stated"),
            ("Network", f"{card.network.name}, {n_parameters:,} parameters"
             if n_parameters else card.network.name),
            ("Weights", size(sum(p.numel() * p.element_size() for p in model.network.parameters()))
             if n_parameters else "outside: a black box"),
            ("Engines may use", able),
            ("Trained on", _training(place)),
            ("Made by", card.created_by or "not stated"),
            ("SHA-256", model.digest),
        ])  # fmt: skip
    st.markdown("**What the columns mean**")
    st.dataframe(schema_frame(model.schema), hide_index=True)


def _training(place: Place) -> str:
    card = place.model.card
    if not card.training_table:
        return "not stated"
    return f"{card.training_table}, {card.training_rows:,} rows; {card.split}"
