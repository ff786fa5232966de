"""Runs of parts of a page: of how many rows, with which settings, and their answer."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.results import Result
from workbench.core.wording import counted
from workbench.ui import cache
from workbench.ui.cost import Quote, quote
from workbench.ui.forms import params_form, whole_number
from workbench.ui.frame import empty_state, note
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way, was_stopped
from workbench.ui.methods import choose_effort, choose_seed
from workbench.ui.place import Place

# Rows that are drawn to report on, and to admit models on, unless more are asked for.
USUAL_ROWS, MOST_ROWS, USUAL_ADMISSION = 500, 5000, 1000
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
    usual = {"admission_rows": USUAL_ADMISSION, **effort}
    with st.popover("Settings", icon=":material/tune:", width="stretch"):
        n, seed = choose_count(place, family), choose_seed()
        settings = params_form(record.params, family, leave_out={*chosen, *by_hand}, defaults=usual)
    note(record.weakness)
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


def ask_about(place: Place, method: str, seed: int, **settings: Any) -> Ask:
    """Return the run of a method that looks at a whole labelled table, about the rows of a place.

    It says nothing of seconds: what takes the time is not what evaluations of the model take.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    whole = cache.table(place.table, place.person.key)
    plan = api.plan(place.model, len(place.rows), len(whole), method=method, **settings)
    return Ask(
        request=place.request(method, plan.params, seed=seed),
        quote=Quote(plan.method, plan.params, plan.cost, 0.0, plan.notes),
        title=f"{api.list_methods()[method].title}, {place.model.card.name}, {place.rows_name}",
        subject=(method, place.model.digest, place.table, place.split, str(place.cohort)),
    )


def choose_count(place: Place, family: str) -> int:
    """Choose how many rows are reported on, where not all of a few."""
    n = len(place.rows)
    if n <= USUAL_ROWS:
        return n
    return whole_number(
        "Rows", f"{family}.count", USUAL_ROWS, 2, min(n, MOST_ROWS),
        f"Rows that are reported on, drawn at random from the {n:,} of {place.rows_name}.",
        width="stretch",
    )  # fmt: skip


def answer_of(
    place: Place, ask: Ask, kind: type[SomeResult], verb: str, icon: str, *, key: str = ""
) -> Answer[SomeResult] | None:
    """Return the result of a run, or say what is going on or what to do.

    Parameters
    ----------
    key
        Of the button, where a page has several runs of one method.
    """
    button = st.empty()
    stopped = was_stopped(ask, place.person)
    pressed = (not ask.is_small or stopped) and _pressed(
        button, verb, key or f"run-{ask.request.method}"
    )
    words = f"Press the button: {ask.quote.describe()}."
    return _answer(place, ask, kind, button, words, icon, pressed=pressed, starts=ask.is_small)


def answer_when_pressed(
    place: Place, ask: Ask, kind: type[SomeResult], verb: str, words: str, icon: str, *, key: str
) -> Answer[SomeResult] | None:
    """Return the result of a run that never starts by itself, or say what is going on.

    Parameters
    ----------
    words
        Said before the first run: what the button starts, and how long that takes.
    """
    button = st.empty()
    pressed = _pressed(button, verb, key)
    return _answer(place, ask, kind, button, words, icon, pressed=pressed, starts=False)


def _pressed(button: DeltaGenerator, verb: str, key: str) -> bool:
    return button.button(verb, type="primary", icon=":material/play_arrow:", key=key)


def _answer(
    place: Place, ask: Ask, kind: type[SomeResult], button: DeltaGenerator, words: str, icon: str,
    *, pressed: bool, starts: bool,
) -> Answer[SomeResult] | None:  # fmt: skip
    person, slot = place.person, st.container()
    stopped = was_stopped(ask, person)
    found = answer_to(ask, person, kind, pressed=pressed, starts_itself=starts, slot=slot)
    if is_under_way(ask, person) or (found is not None and not found.is_stale):
        button.empty()
    elif stopped and not pressed:  # what went wrong is said; an older answer would hide it
        return None
    elif found is not None:
        st.warning("The settings have changed since: press the button to update this.")
    else:
        empty_state(words, icon)
    return found
