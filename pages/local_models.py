"""What simple model does the network follow near a row, and how far does it hold?"""

from workbench import ui

with ui.page("Which simple model does it follow near a row?") as place:
    ui.local_models(place)
