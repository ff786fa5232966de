"""What if this row were otherwise, and what would have to be different?"""

import streamlit as st

from workbench import ui

with ui.page("What if this row were different?") as place:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row = ui.choose_one_row(place)
        output = ui.choose_output(place, row)
        order = ui.choose_order()
    unlocked = ui.choose_unlocked(place)
    ui.note(ui.describe_row(place, row))
    setting = ui.setting_for(place, row, output, unlocked=unlocked)
    ui.play_with(setting, order)
    ui.find_nearest(setting)
    ui.pins(setting)
