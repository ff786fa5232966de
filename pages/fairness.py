"""Who is worse off under the model?"""

from workbench import ui

with ui.page("Who is worse off, and how sure is that?") as place:
    ui.fairness(place)
