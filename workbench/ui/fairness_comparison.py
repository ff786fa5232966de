"""Groups that are compared by a method: chosen beside, and the answer where there is one."""

from dataclasses import dataclass
from typing import Any, Generic

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.wording import counted
from workbench.ui import cache
from workbench.ui.cost import quote
from workbench.ui.fairness_choices import (
    FAMILY,
    choices_key,
    choose_groups,
    still_to_choose,
)
from workbench.ui.forms import params_form
from workbench.ui.frame import empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask, SomeResult
from workbench.ui.methods import choose_seed
from workbench.ui.place import Place
from workbench.ui.update_runs import answer_of

GROUPS = ("by", "bins", "favourable")


@dataclass(frozen=True)
class Compared(Generic[SomeResult]):
    """An answer, and where on the page it is told.

    Attributes
    ----------
    said
        Above everything: the answer in a sentence.
    left, right
        Pictures; and what else is to be chosen about them.
    trust
        At the top of the right side.
    found
        None while something is to be chosen, or the comparison runs.
    """

    said: DeltaGenerator
    left: DeltaGenerator
    right: DeltaGenerator
    trust: DeltaGenerator
    found: Answer[SomeResult] | None


def compare_groups(place: Place, method: str, kind: type[SomeResult]) -> Compared[SomeResult]:
    """Choose groups, and compare them by a method that yields results of a kind."""
    said = st.container()
    left, right = side_by_side(FAMILY)
    ask: Ask | str = ""
    found: Answer[SomeResult] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**Whose groups**")
            ask = _choose(place, method)
    if isinstance(ask, Ask):
        with left, errors_shown():
            found = answer_of(place, ask, kind, "Compare the groups", "balance")
    elif ask:
        with left:
            empty_state(ask, "help")
    return Compared(said, left, right, trust, found)


def _choose(place: Place, method: str) -> Ask | str:
    """Choose groups and settings; returns the run, or what is still to be chosen.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model or the rows.
    """
    record = api.list_methods()[method]
    chosen = choose_groups(place)
    with st.popover("Settings", icon=":material/tune:", width="stretch"):
        seed = choose_seed()
        settings: dict[str, Any] = params_form(record.params, FAMILY, leave_out=GROUPS)
    note(record.weakness)
    if missing := still_to_choose(place, chosen):
        return missing
    whole = cache.table(place.table, place.person.key)
    price = quote(place, method, len(place.rows), len(whole), settings | chosen)
    note(price.describe())
    rows = counted(len(place.rows), "row")
    return Ask(
        request=place.request(method, price.params, seed=seed),
        quote=price,
        title=f"{record.title}, {place.model.card.name}, {rows} of {place.table}",
        subject=(
            method, place.model.digest, place.table, place.split, str(place.cohort),
            *choices_key(chosen),
        ),
    )  # fmt: skip
