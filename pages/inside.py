"""What does the network compute on the way?"""

from workbench import ui

with ui.page("What does it compute on the way?") as place:
    ui.inside(place)
