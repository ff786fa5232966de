"""Is this workbench in order?"""

from workbench import ui

with ui.plain_page("Is this workbench in order?", needs="administer"):
    ui.health()
