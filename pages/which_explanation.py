"""Which explanation is to be believed, for this model, this row and this question?"""

from workbench import ui

with ui.page("Which explanation should I believe?") as place:
    ui.which_explanation(place)
