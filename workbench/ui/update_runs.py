"""Runs of the parts of the page that ask what to do about equally good models."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import streamlit as st

from workbench import api
from workbench.core.results import Result
from workbench.core.wording import counted
from workbench.ui import cache
from workbench.ui.cost import quote
from workbench.ui.forms import params_form
from workbench.ui.frame import empty_state, note
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way, was_stopped
from workbench.ui.methods import choose_effort, choose_seed
from workbench.ui.place import Place

MOST_ROWS = 5000
SomeResult = TypeVar("SomeResult", bound=Result)


def choose_run(
    place: Place, method: str, family: str, *, chosen: Mapping[str, Any], by_hand: Collection[str]
) -> Ask:
    """Choose effort and settings of a method about the rows of a place; returns the run.

    Parameters
    ----------
    chosen
        Settings that were chosen elsewhere; ``by_hand`` are left out of the form with them.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    record = api.list_methods()[method]
    levels = {} if record.efforts is None else record.efforts(len(place.model.schema.features))
    effort = levels[choose_effort(family, list(levels))].settings if levels else {}
    with st.popover("Settings", icon=":material/tune:", width="stretch"):
        seed = choose_seed()
        settings = params_form(
            record.params, family, leave_out={*chosen, *by_hand}, defaults=effort
        )
    note(record.weakness)
    n = min(len(place.rows), MOST_ROWS)
    whole = cache.table(place.table, place.person.key)
    price = quote(place, method, n, len(whole), settings | dict(chosen))
    note(price.describe())
    return Ask(
        request=place.request(
            method, price.params, count=n if n < len(place.rows) else None, seed=seed
        ),
        quote=price,
        title=f"{record.title}, {place.model.card.name}, {counted(n, 'row')} of {place.table}",
        subject=(method, place.model.digest, place.table, place.split, str(place.cohort)),
    )


def answer_of(
    place: Place, ask: Ask, kind: type[SomeResult], verb: str, icon: str
) -> Answer[SomeResult] | None:
    """Return the result of a run, or say what is going on or what to do."""
    person = place.person
    button, slot = st.empty(), st.container()
    pressed = (not ask.is_small or was_stopped(ask, person)) and button.button(
        verb, type="primary", icon=":material/play_arrow:", key=f"run-{ask.request.method}",
    )  # fmt: skip
    found = answer_to(ask, person, kind, pressed=pressed, starts_itself=ask.is_small, slot=slot)
    if found is not None and found.is_stale:
        st.warning("The settings have changed since: press the button to update this.")
    if found is None and not is_under_way(ask, person):
        empty_state(f"Press the button: {ask.quote.describe()}.", icon)
    return found
