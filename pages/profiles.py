"""How does the output move with one feature, and with two?"""

from workbench import ui

with ui.page("How does the output move with a feature?") as place:
    ui.profiles(place)
