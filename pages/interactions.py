"""Which features does the model use together?"""

from workbench import ui

with ui.page("Which features work together?") as place:
    ui.interactions(place)
