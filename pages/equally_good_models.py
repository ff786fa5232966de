"""How much do models that are as good as this one disagree, and about whom?"""

from workbench import ui

with ui.page("How much do equally good models disagree?") as place:
    ui.equally_good_models(place)
