"""Who is decided narrowly, and why?"""

from workbench import ui

with ui.page("Who is decided narrowly, and what would have changed it?") as place:
    ui.boundary_people(place)
