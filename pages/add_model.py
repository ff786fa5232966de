"""Which model would you like to look into?"""

from workbench import ui

with ui.plain_page("Which model would you like to look into?", needs="upload") as person:
    ui.own_models(person)
    ui.upload_model(person)
