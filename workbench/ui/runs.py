"""Runs of parts of a page: what is asked, where the answer stands, and what is said until then."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.results import Result
from workbench.core.wording import counted
from workbench.ui import cache
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import Quote, quote, quote_measured
from workbench.ui.forms import params_form, settings_button, whole_number
from workbench.ui.frame import empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask, SomeResult, answer_to, is_under_way, was_stopped
from workbench.ui.methods import choose_effort, choose_seed
from workbench.ui.place import Place
from workbench.ui.text import plain

# Rows that are drawn to report on, and to admit models on, unless more are asked for.
USUAL_ROWS, MOST_ROWS, USUAL_ADMISSION = 500, 5000, 1000


@dataclass(frozen=True)
class Part(Generic[SomeResult]):
    """A part of a page that is about one run, and where on it everything is told.

    Attributes
    ----------
    said
        Above everything: the answer in a sentence.
    left, right, below
        Pictures; what is chosen about the run and about them; what needs the whole width.
    trust
        At the top of the right side.
    ask
        The run; None where something has to be chosen first.
    found
        None while something is to be chosen, or the run is not over.
    """

    said: DeltaGenerator
    left: DeltaGenerator
    right: DeltaGenerator
    below: DeltaGenerator
    trust: DeltaGenerator
    ask: Ask | None
    found: Answer[SomeResult] | None

    def end(self, result: Result) -> None:
        """Say how far to trust what is shown, and how it was computed."""
        with self.trust, errors_shown():
            trust_card(result)
        computed_card(result.provenance)


def show_part(
    place: Place, kind: type[SomeResult], choose_ask: Callable[[Place], Ask | str], *,
    key: str, heading: str, verb: str, icon: str, words: str = "",
) -> Part[SomeResult]:  # fmt: skip
    """Lay out a part of a page: let a run be chosen beside its answer, and get the answer.

    Parameters
    ----------
    choose_ask
        Shows the choices; returns the run, or what has to be chosen first.
    key
        Tells the part from others.
    heading, verb, icon
        Of the choices; on the button; of the place where the answer will stand.
    words
        What the run does, where it never starts by itself.
    """
    said = st.container()
    left, right = side_by_side(key)
    below = st.container()
    chosen: Ask | str = ""
    found: Answer[SomeResult] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown(f"**{heading}**")
            chosen = choose_ask(place)
    ask = chosen if isinstance(chosen, Ask) else None
    with left, errors_shown():
        if ask is not None:
            found = answer_of(place, ask, kind, verb, icon, key=f"run-{key}", words=words)
        elif isinstance(chosen, str) and chosen:
            empty_state(chosen, "help")
    return Part(said, left, right, below, trust, ask, found)


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
    with settings_button():
        n, seed = choose_count(place, family), choose_seed()
        settings = params_form(record.params, family, leave_out={*chosen, *by_hand}, defaults=usual)
    whole = cache.table(place.table, place.person.key)
    price = quote(place, method, n, len(whole), settings | dict(chosen))
    return announced(ask_of(place, method, price, seed=seed, count=n))


def ask_of(
    place: Place, method: str, price: Quote, *, seed: int, count: int | None = None,
    background: int = 0, title: str = "", subject: tuple[object, ...] = (),
) -> Ask:  # fmt: skip
    """Return the run of a method about the rows of a place.

    Parameters
    ----------
    count
        Rows that are drawn; by default all.
    title
        What it is called in the list of jobs; by default what the method is.
    subject
        What besides method and rows tells its answers from others.

    Raises
    ------
    WorkbenchError
        If the model lacks what the method asks of it.
    """
    record = api.list_methods()[method]
    n = len(place.rows) if count is None else count
    return Ask(
        request=place.request(
            method, price.params, count=n if n < len(place.rows) else None,
            background=background, seed=seed,
        ),
        quote=price,
        title=f"{title or record.title}, {place.model.card.name}, "
              f"{counted(n, 'row')} of {place.table}",
        subject=(
            method, place.model.digest, place.table, place.split, str(place.cohort), *subject
        ),
    )  # fmt: skip


def announced(ask: Ask) -> Ask:
    """Say below the choices of a run what to keep in mind about it, and what it takes."""
    note(api.list_methods()[ask.request.method].weakness)
    note(ask.quote.describe())
    return ask


def ask_about(place: Place, method: str, seed: int, **settings: Any) -> Ask:
    """Return the run of a method that looks at a whole labelled table, about the rows of a place.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    whole = cache.table(place.table, place.person.key)
    price = quote_measured(place, method, len(place.rows), len(whole), settings)
    return announced(ask_of(place, method, price, seed=seed))


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
    place: Place, ask: Ask, kind: type[SomeResult], verb: str, icon: str, *, key: str,
    words: str = "",
) -> Answer[SomeResult] | None:  # fmt: skip
    """Return the result of a run, or say what is going on or what to do.

    A small run starts by itself; any other, and one that came to nothing, has a button.

    Parameters
    ----------
    key
        Of the button.
    words
        What the run does, where it never starts by itself.
    """
    person, button, slot = place.person, st.empty(), st.container()
    stopped = was_stopped(ask, person)
    starts = ask.is_small and not words
    pressed = (not starts or stopped) and button.button(
        verb, type="primary", icon=":material/play_arrow:", key=key
    )
    found = answer_to(ask, person, kind, pressed=pressed, starts_itself=starts, slot=slot)
    if is_under_way(ask, person) or (found is not None and not found.is_stale):
        button.empty()
    elif stopped and not pressed:  # what went wrong is said; an older answer would hide it
        return None
    elif found is not None:
        st.warning(f"The settings have changed since: press {plain(verb)} to update this.")
    else:
        what = f"{words} " if words else ""
        empty_state(f"Press {verb}. {what}{ask.quote.describe()}.", icon)
    return found
