"""What do I hand over?"""

from workbench import ui

with ui.plain_page("What do I hand over?") as person:
    ui.report_builder(person)
