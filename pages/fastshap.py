"""Train a network that explains a model in one pass, and see how far off it is."""

import streamlit as st

from workbench import ui

with ui.page("Can a network explain it at once, and how well?") as place:
    ui.note(
        "A FastSHAP explainer is a network that was trained to give Shapley values at once: "
        "thousands of rows in a second, and explanations that move while one drags a slider."
    )
    with ui.errors_shown():
        ui.explainer_list(place)
    st.subheader("Train another" if place.model.explainers else "Train one", anchor=False)
    with ui.errors_shown():
        ui.train_explainer(place)
