"""What is running, what has finished?"""

from workbench import ui

with ui.plain_page("What is running, and what has finished?") as person:
    ui.job_list(person)
