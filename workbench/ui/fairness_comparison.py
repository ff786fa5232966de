"""Groups that are compared by a method: chosen beside, and the answer where there is one."""

from functools import partial

from workbench import api
from workbench.ui import cache
from workbench.ui.cost import quote
from workbench.ui.fairness_choices import (
    FAMILY,
    choices_key,
    choose_groups,
    still_to_choose,
)
from workbench.ui.forms import params_form, settings_button
from workbench.ui.jobs import Ask, SomeResult
from workbench.ui.methods import choose_seed
from workbench.ui.place import Place
from workbench.ui.runs import Part, announced, ask_of, show_part

GROUPS = ("by", "bins", "favourable")


def compare_groups(place: Place, method: str, kind: type[SomeResult]) -> Part[SomeResult]:
    """Choose groups, and compare them by a method that yields results of a kind."""
    return show_part(
        place, kind, partial(_choose, method), key=FAMILY, heading="Whose groups",
        verb="Compare the groups", icon="balance",
    )  # fmt: skip


def _choose(method: str, place: Place) -> Ask | str:
    """Choose groups and settings; returns the run, or what is still to be chosen.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model or the rows.
    """
    chosen = choose_groups(place)
    with settings_button():
        seed = choose_seed()
        settings = params_form(api.list_methods()[method].params, FAMILY, leave_out=GROUPS)
    if missing := still_to_choose(place, chosen):
        return missing
    whole = cache.table(place.table, place.person.key)
    price = quote(place, method, len(place.rows), len(whole), settings | chosen)
    return announced(ask_of(place, method, price, seed=seed, subject=choices_key(chosen)))
