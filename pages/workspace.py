"""What am I looking at: this model, this data, how good is it?"""

import streamlit as st

from workbench import ui

with ui.page("What am I looking at, and how good is it?") as place:
    said = st.container()
    ui.first_steps(place)
    view = ui.choose(
        st.segmented_control, "Show", "about", options=list(ui.ABOUT), default="quality",
        format_func=ui.ABOUT.get, required=True, label_visibility="collapsed",
    )  # fmt: skip
    if view == "quality":
        ui.quality(place, said)
    else:
        with said:
            ui.answer(ui.describe_place(place))
        if view == "data":
            ui.data_view(place)
        else:
            ui.model_view(place)
