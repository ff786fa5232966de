"""What helps against a gap between groups?"""

from workbench import ui

with ui.page("What would help, and what would it cost?") as place:
    ui.remedies(place)
