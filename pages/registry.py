"""Which models and versions are there, and how do two differ?"""

from workbench import ui

with ui.plain_page("Which models are there, and how do two differ?") as person:
    ui.model_list(person)
    ui.compare_models(person)
