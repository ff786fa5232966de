"""What rows would you like to look at?"""

from workbench import ui

with ui.plain_page("Which rows would you like to look at?", needs="upload") as person:
    ui.own_tables(person)
    draft, edited = ui.upload_table(person), ui.edited_table()
    if draft is not None:
        ui.table_form(draft, person)
    elif edited is not None:
        ui.edit_form(edited, person)
