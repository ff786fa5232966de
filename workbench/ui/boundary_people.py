"""The page about people: who is decided narrowly, and one of them in full."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.boundary import WHO
from workbench.core.results import BoundaryPeople
from workbench.engines.fairness.people import NAME
from workbench.engines.fairness.people_params import PeopleParams
from workbench.plots import options_of, views_of
from workbench.plots.boundary_words import (
    chosen_sentence,
    people_sentence,
    tolerance_sentence,
)
from workbench.ui import cache
from workbench.ui.boundary_person import show_person
from workbench.ui.cost import quote
from workbench.ui.drawn import draw
from workbench.ui.fairness_choices import choose_groups
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import choose_seed
from workbench.ui.needs import lacks_classes
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import announced, ask_of, show_part
from workbench.ui.state import choose, forget, peek, put

FAMILY, PERSON = "people", "person"
VIEWS = {"strip": "One by one", "scores": "Everybody"}
ABOUT = {
    "strip": "Each line is a person, the closest to the decision first. The mark is the score by "
    "this model, the bar what equally good models say: a wide one means that the decision hangs "
    "on which of them was chosen. Click a mark to look at the person.",
    "scores": "How many people have each score. The hatched part is decided otherwise by at least "
    "one model that is as good.",
}
# Chosen elsewhere: whose groups, who is looked at, and which rows.
BY_HAND = frozenset({"by", "bins", "favourable", "who", "people"})


def boundary_people(place: Place) -> None:
    """Show who is decided narrowly, and one of them in full."""
    if lacks_classes(
        place, "nobody is refused or approved", "The page Fairness compares its errors by group."
    ):
        return
    part = show_part(
        place, BoundaryPeople, _choose, key=FAMILY, heading="Who is compared, and with what",
        verb="Look for people", icon="group",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result = found.result
    with part.said, errors_shown():
        answer(people_sentence(result))
        note(f"{chosen_sentence(result)} {tolerance_sentence(result)}")
    with part.left, st.container(border=True), errors_shown():
        _show(place, found)
    with part.below, errors_shown():
        _one(place, result)
    part.end(result)


def _choose(place: Place) -> Ask | str:
    """Choose whom to look at, groups and settings; or say what has to be chosen first."""
    who, groups = _choose_who(place), choose_groups(place)
    if not groups["favourable"]:
        return "Say which class people hope for: nobody knows it for this model and table."
    return _ask(place, groups, who)


def _choose_who(place: Place) -> str:
    known = place.rows.y is not None
    options = [key for key in WHO if known or not key.startswith("wrongly")]
    return str(choose(
        st.segmented_control, "Who", f"{FAMILY}.who", options=options, default="refused",
        format_func=WHO.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip


def _ask(place: Place, groups: dict[str, str], who: str) -> Ask:
    """Choose settings; returns the run.

    Raises
    ------
    WorkbenchError
        If the settings do not fit the model.
    """
    settings: dict[str, Any] = {"who": who, **groups}
    with settings_button():
        row = choose(
            st.number_input, "Look at this row as well", f"{FAMILY}.row", default=None,
            min_value=0, step=1, placeholder="row number of the file", help="In place of the "
            "closest: the number of one row of the file.",
            valid=lambda number: number is None or _is_row(place, number),
        )  # fmt: skip
        seed = choose_seed(f"{FAMILY}_seed")
        settings |= params_form(PeopleParams, FAMILY, leave_out=BY_HAND)
    if row is not None:
        settings["people"] = str(int(row))
    whole = cache.table(place.table, place.person.key)
    price = quote(place, NAME, len(place.rows), len(whole), settings)
    title = f"{api.list_methods()[NAME].title} ({WHO[who].lower()})"
    return announced(ask_of(place, NAME, price, seed=seed, title=title))


def _is_row(place: Place, number: Any) -> bool:
    known = isinstance(number, int | float) and float(number).is_integer()
    return known and int(number) in set(place.rows.ids.tolist())


def _show(place: Place, found: Answer[BoundaryPeople]) -> None:
    """Draw the view that was chosen; a mark that is clicked becomes the person in full."""
    result = found.result
    name = f"people-{place.model.card.name}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        views = [view for view in views_of(result) if view in VIEWS]
        view = str(choose(
            st.segmented_control, "View", "people_view", options=views, default=views[0],
            format_func=VIEWS.get, required=True, label_visibility="collapsed",
        ))  # fmt: skip
        options = {
            key: str(choose(
                st.selectbox, "Coloured by", f"people_view.{key}", options=offered,
                default=offered[0], width=210, label_visibility="collapsed",
            ))
            for key, offered in options_of(result, view).items() if len(offered) > 1
        }  # fmt: skip
    note(ABOUT[view])
    drawn = draw(result, view, **options)
    clicks = view == "strip" and len(result.chosen) > 0
    plain_figure(
        drawn, name=f"{name}-{view}", alt=f"{people_sentence(result)} {chosen_sentence(result)}",
        on_point=partial(_pick, result) if clicks else None,
    )  # fmt: skip
    downloads(found, name, place.person)


def _pick(result: BoundaryPeople, point: Mapping[str, Any]) -> None:
    """Look at the person whose mark was clicked."""
    row = point.get("customdata")
    row = row[0] if isinstance(row, list) and row else row
    if isinstance(row, int | float) and int(row) in result.ids[result.chosen]:
        put(PERSON, str(int(row)))


def _one(place: Place, result: BoundaryPeople) -> None:
    """Choose one of the people looked at, and tell everything about that one."""
    if not len(result.chosen):
        return
    st.subheader("One person in full", anchor=False)
    rows = [str(row) for row in result.ids[result.chosen]]
    if peek(PERSON, "") not in {"", *rows}:  # other settings, other people
        forget(PERSON)
    row = choose(
        st.selectbox, "Person", PERSON, options=rows, default=rows[0], width=320,
        format_func=lambda number: f"Row {number}", label_visibility="collapsed",
    )  # fmt: skip
    show_person(place, result, int(row))
