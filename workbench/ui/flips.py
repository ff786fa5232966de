"""If it were another: protected attributes set to all that they could be."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import AttributeFlips
from workbench.core.schema import listing
from workbench.engines.fairness.flipping import NAME
from workbench.plots.flips_people import FURTHEST, choices_of, number_of, people_in_order
from workbench.plots.flips_words import (
    flips_sentence,
    groups_sentence,
    person_sentence,
    plausible_sentence,
    score_sentence,
)
from workbench.plots.words import counting_sentence
from workbench.ui.cost import quote
from workbench.ui.drawn import draw
from workbench.ui.fairness_choices import choose_groups
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.methods import choose_seed
from workbench.ui.needs import lacks_classes
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import announced, ask_of, show_part
from workbench.ui.state import choose, peek, put

FAMILY = "flips"
PERSON = f"{FAMILY}.row"
# People in the list; any other is named by a click.
LISTED = 200
MODES = {
    "rows": "These people", "uniform": "Any input", "conditional": "Somebody alike",
}  # fmt: skip
VIEWS = {"rates": "By group", "people": "Everybody", "moves": "How far scores move"}
ALIKE = (
    "Each person is held against a real one of the other group who is much like them. Two who are "
    "much alike may be decided otherwise anyway: the band shows how often two of one group are."
)
BESIDE_AN_AUDIT = (
    "An audit may show no group worse off while somebody is refused because of an attribute; both "
    "can be true. An audit is an average over all people of a group, in which what one loses "
    "another may gain; a flip holds one person against the same person with one value changed."
)
ABOUT = {
    "rates": "Refused because of it: the same person would get the favourable decision under "
    "another value. Hollow marks leave out alternatives that are hardly ever met, such as a woman "
    "who is a husband.",
    "people": "Each point is a person: across as they are, upwards as another. Off the dotted "
    "diagonal the attribute moves the score; a click shows the person below.",
    "moves": "Each dot is a person and how far the probability moves under the alternative that "
    "moves it most.",
}


def flips(place: Place) -> None:
    """Ask whose decision would change with a protected attribute alone, and show the answer."""
    if lacks_classes(
        place, "no decision could be another",
        "Who is worse off, on this page, compares its errors by group.",
    ):  # fmt: skip
        return
    part = show_part(
        place, AttributeFlips, _ask, key=FAMILY, heading="What to set",
        verb="Set the attributes", icon="swap_horiz",
    )  # fmt: skip
    if (found := part.found) is None:
        return
    result, name = found.result, f"flips-{place.model.card.name}"
    with part.said, errors_shown():
        answer(flips_sentence(result))
        for tell in (counting_sentence, groups_sentence, score_sentence, plausible_sentence):
            if told := tell(result):
                note(told)
        note(BESIDE_AN_AUDIT)
    with part.left, errors_shown():
        with st.container(border=True):
            _show_view(result, name)
            downloads(found, name, place.person)
        with st.container(border=True):
            _show_person(result, name)
    part.end(result)


def _ask(place: Place) -> Ask | str:
    """Choose attributes, whom to ask of, and the rest; or say what has to be chosen first."""
    record = api.list_methods()[NAME]
    mode = str(choose(
        st.segmented_control, "Ask of", f"{FAMILY}.mode", options=list(MODES), default="rows",
        format_func=MODES.get, required=True,
        help="These people with another value; any input that the schema allows; or somebody of "
        "the other group who is much like each person.",
    ))  # fmt: skip
    asked = choose_groups(place)
    chosen, unread = (asked, ()) if mode == "conditional" else _readable(place, asked)
    if unread:
        said = f"The model does not read {listing(unread)}: setting it changes no decision."
        if not chosen["by"]:
            return (
                f"{said} Choose Somebody alike under Ask of, which shows what stands in for it, "
                "or another attribute."
            )
        note(f"{said} What stands in for it shows under Somebody alike.")
    if not chosen["by"]:
        return "Choose an attribute that decisions should not depend on."
    if not chosen["favourable"]:
        return "Choose which class people hope for."
    unused = {"samples"} if mode != "uniform" else set()
    unused |= {"neighbours"} if mode != "conditional" else set()
    with settings_button():
        seed = choose_seed(f"{FAMILY}_seed")
        settings = params_form(
            record.params, FAMILY, leave_out={"by", "bins", "favourable", "mode", *unused}
        )
    n = len(place.rows)
    price = quote(place, NAME, n, n, settings | chosen | {"mode": mode})
    return announced(ask_of(place, NAME, price, seed=seed))


def _readable(place: Place, chosen: dict[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Leave out columns that the model does not read; returns these as well."""
    known = set(place.model.schema.names)
    named = chosen["by"].split(",") if chosen["by"] else []
    cuts = [cut for cut in chosen["bins"].split(";") if cut.partition("=")[0] in known]
    kept = {"by": ",".join(name for name in named if name in known), "bins": ";".join(cuts)}
    return {**chosen, **kept}, tuple(name for name in named if name not in known)


def _show_view(result: AttributeFlips, name: str) -> None:
    view = str(choose(
        st.segmented_control, "View", f"{FAMILY}_view", options=list(VIEWS), default="rates",
        format_func=VIEWS.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    options: dict[str, Any] = {}
    if view == "people":
        options["to"] = str(choose(
            st.selectbox, "As", f"{FAMILY}.to", options=choices_of(result), default=FURTHEST,
        ))  # fmt: skip
    drawn = draw(result, view, **options)
    plain_figure(
        drawn, name=f"{name}-{view}", alt=flips_sentence(result),
        on_point=_pick if view == "people" else None,
    )  # fmt: skip
    note(ALIKE if result.mode == "conditional" and view == "rates" else ABOUT[view])


def _show_person(result: AttributeFlips, name: str) -> None:
    """Choose one person, and show what is decided of them as anybody else."""
    st.markdown("**One person**")
    offered = [str(result.ids[i]) for i in people_in_order(result)[:LISTED]]
    picked = str(peek(PERSON, ""))
    if picked not in offered and picked.isdecimal() and int(picked) in set(result.ids.tolist()):
        offered.insert(0, picked)
    row = str(choose(
        st.selectbox, "Row", PERSON, options=offered, default=offered[0],
        help="Those who are refused because of it come first, then those who are favoured.",
    ))  # fmt: skip
    note(person_sentence(result, number_of(result, row)))
    drawn = draw(result, "person", row=row)
    plain_figure(drawn, name=f"{name}-person", alt=person_sentence(result, number_of(result, row)))


def _pick(point: Mapping[str, Any]) -> None:
    """Show the person who was clicked."""
    row = point.get("customdata")
    if isinstance(row, list):
        row = row[0] if row else None
    if isinstance(row, int | float) and row >= 0:
        put(PERSON, str(int(row)))
