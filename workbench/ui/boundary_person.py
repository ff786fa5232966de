"""One person in full: the decision, another group, the nearest decided otherwise, a way out."""

from typing import Any

import numpy as np
import streamlit as st

from workbench import api
from workbench.core.boundary import NOBODY, BoundaryPeople
from workbench.core.flips import SELDOM
from workbench.core.people import demand
from workbench.core.results import Attribution, Counterfactuals
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.counterfactuals.search import NAME as SEARCH
from workbench.numerics.group_support import together
from workbench.plots.boundary import side_by_side
from workbench.plots.boundary_words import (
    flip_sentence,
    neighbour_sentence,
    person_sentence,
    points,
)
from workbench.plots.counterfactuals import changes_of, outcome
from workbench.plots.what_if import (
    change_sentence,
    counterfactual_sentence,
    effects_before_and_after,
)
from workbench.ui import cache
from workbench.ui.cost import Quote
from workbench.ui.drawn import draw, is_dark
from workbench.ui.frame import answer, empty_state, errors_shown, note
from workbench.ui.jobs import Ask, answer_to
from workbench.ui.place import Place
from workbench.ui.rashomon_pick import position_of
from workbench.ui.results import downloads, plain_figure
from workbench.ui.scenarios import full, with_values
from workbench.ui.state import choose, choose_several, put
from workbench.ui.text import markup, plain
from workbench.ui.what_if import ground_of
from workbench.workspace.background import background_source

KNOWN, KEPT = "person.known", 32
REFERENCE = 2000
CELL = "padding:.3rem .6rem;text-align:left;overflow-wrap:anywhere;vertical-align:top"
MARKED = "background:rgba(194,65,12,.16);font-weight:600"


def show_person(place: Place, result: BoundaryPeople, row: int) -> None:
    """Tell how a person of ``result`` is decided and what would have changed it."""
    position = position_of(place, row)
    if position is None:  # an older answer, and other rows by now
        note(f"Row {row} is not among these rows any more.")
        return
    demand(place.person, "run_small")
    answer(person_sentence(result, row))
    st.button(
        "Play with this row", icon=":material/tune:", type="tertiary", key=f"play-{row}",
        on_click=put, args=("row", position),
        help="Chooses the row; then open the page What if? in the menu.",
    )  # fmt: skip
    for heading, part in (
        ("Why, and would another group have changed it?", _other_group),
        ("Who is most alike, and decided otherwise?", _neighbour),
        ("What would have to be different?", _way_out),
    ):
        with st.container(border=True), errors_shown():
            st.markdown(f"**{heading}**")
            part(place, result, row, position)


def _other_group(place: Place, result: BoundaryPeople, row: int, position: int) -> None:
    """Explain the decision as it is, beside that of the same person in another group."""
    at = result.place_of(row)
    person = int(result.chosen[at])
    st.markdown(plain(flip_sentence(result, row)))
    possible = [str(i) for i in np.flatnonzero(np.isfinite(result.flip_scores[at]))]
    own = place.rows[[position]]
    before = _explained(place, own.X[0].double().numpy().copy(), position)
    name = f"person-{place.model.card.name}-row-{row}"
    if not possible:
        drawn = draw(before, "waterfall", output=result.favourable)
        plain_figure(drawn, name=f"{name}-why", alt=person_sentence(result, row))
        return
    strongest = str(result.strongest_flip(at))

    def words(level: str) -> str:
        i = int(level)
        attribute = result.attributes[result.flip_attributes[i]]
        score = points(float(result.flip_scores[at, i]))
        tips = result.flip_decided[at, i] != result.decided[person]
        end = f" · {'approved' if result.flip_decided[at, i] else 'refused'}" if tips else ""
        return f"{attribute} = {result.flip_levels[i]} · {score} of 100{end}"

    level = int(choose(
        st.selectbox, "Moved to", "person.flip", options=possible, default=strongest,
        format_func=words, width=460,
        help="The same person with this level of a protected column and everything else equal. "
        "Marked where that alone tips the decision.",
    ))  # fmt: skip
    attribute = result.attributes[result.flip_attributes[level]]
    if odd := _hardly_met(place, own, attribute, result.flip_levels[level]):
        st.warning(plain(odd), icon=":material/warning:")
    values = own.X[0].double().numpy().copy()
    j = result.schema.index(attribute)
    values[j] = _value_of(place, result, attribute, result.flip_levels[level])
    after = _explained(place, values, position)
    said = change_sentence(before, after, result.favourable)
    drawn = effects_before_and_after(
        before, after, output=result.favourable, dark=is_dark(), max_features=10
    )
    note(
        f"{said} Each feature has two bars: what it does for this person as is (faint), and in the "
        "other group (full). Where a feature that was not changed moves by more than its whisker, "
        "the model weighs it differently by group."
    )
    plain_figure(drawn, name=f"{name}-flip", alt=said)


def _hardly_met(place: Place, own: Table, attribute: str, level: str) -> str:
    """Warn of a level that goes with another value of the row as good as never; else empty.

    Only of categories: of a number that is cut into groups no pair of values can be named.
    """
    whole = cache.table(place.table, place.person.key)
    at = whole.schema.index(attribute)
    moved = whole.schema.features[at].categories
    if level not in moved:
        return ""
    codes = np.nan_to_num(whole.X.numpy(), nan=-1.0)
    pairs = []
    for feature, value in zip(own.schema.features, own.X[0].tolist(), strict=True):
        if not feature.categories or feature.name == attribute or np.isnan(value):
            continue
        j = whole.schema.index(feature.name)
        met = together(
            codes[:, at].astype(np.int64), len(moved), codes[:, j].astype(np.int64),
            len(feature.categories), share=SELDOM,
        )  # fmt: skip
        one, other = moved.index(level), int(value)
        if met.seldom[one, other]:
            pairs.append((int(met.seen[one, other]), feature.name, feature.categories[other]))
    if not pairs:
        return ""
    seen, name, shared = min(pairs)
    start = f"Only {seen:,}" if seen else "None"
    return (
        f"{start} of {counted(len(whole), 'row')} of the table {'have' if seen > 1 else 'has'} "
        f"{attribute} = {level} with {name} = {shared}: such a person is as good as never "
        "met, and the model has hardly learned about any. Do not read much into this flip."
    )


def _value_of(place: Place, result: BoundaryPeople, attribute: str, level: str) -> float:
    """Return the raw value that the run gave to a level: a code, or the median of its group."""
    feature = place.model.schema.features[place.model.schema.index(attribute)]
    if feature.categories:
        return float(feature.categories.index(level))
    a = result.attributes.index(attribute)
    inside = result.codes[:, a] == result.levels[a].index(level)
    at = np.isin(place.rows.ids.numpy(), result.ids[inside])
    column = place.rows.X[:, place.rows.schema.index(attribute)].numpy()[at]
    return float(np.median(np.round(column) if feature.integer else column))


def _explained(place: Place, values: np.ndarray, position: int) -> Attribution:
    """Explain values of a row once in a session; the oldest of many give way."""
    digest = cache.table_digest(place.table, place.person.key)
    key = place.model.digest, digest, place.person.key, position, values.tobytes()
    known: dict[Any, Attribution] = st.session_state.setdefault(KNOWN, {})
    if key not in known:
        with st.spinner("Explaining …"):
            row = with_values(place.rows[[position]], values)
            known[key] = full(place.model, row, ground_of(place))
        while len(known) > KEPT:
            del known[next(iter(known))]
    return known[key]


def _neighbour(place: Place, result: BoundaryPeople, row: int, _position: int) -> None:
    """Show the nearest who is decided otherwise beside the person, what differs marked."""
    said = neighbour_sentence(result, row)
    st.markdown(plain(said))
    at = result.place_of(row)
    if result.neighbour_ids[at] == NOBODY:
        return
    if result.contributions[at].any():
        drawn = draw(result, "person", row=row)
        plain_figure(drawn, name=f"person-{place.model.card.name}-row-{row}-nearest", alt=said)
    lines = side_by_side(result, row)
    _table(lines, row, int(result.neighbour_ids[at]))
    note(
        "Bars are in standard deviations, and 1 for another category. Protected columns do not "
        "count for who is similar. That two people differ in a feature "
        "does not mean that it made the difference."
    )


def _table(lines: list[tuple[str, str, str, bool]], row: int, other: int) -> None:
    """Write both people side by side; what is alike is folded away."""

    def html(shown: list[tuple[str, str, str, bool]]) -> str:
        head = "".join(
            f'<th style="{CELL};opacity:.7;font-weight:400">{markup(text)}</th>'
            for text in ("", f"row {row}", f"row {other}")
        )
        body = "".join(
            f'<tr><td style="{CELL};opacity:.8">{markup(name)}</td>'
            + "".join(
                f'<td style="{CELL};{MARKED if differs else ""}">{markup(text)}</td>'
                for text in (own, theirs)
            )
            + "</tr>"
            for name, own, theirs, differs in shown
        )
        return (
            '<table style="border-collapse:collapse;width:100%;font-size:.9rem;table-layout:fixed">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    st.html(html([line for line in lines if line[3]]))
    if alike := [line for line in lines if not line[3]]:
        with st.expander(f"{len(alike)} features are alike"):
            st.html(html(alike))


def _way_out(place: Place, result: BoundaryPeople, row: int, position: int) -> None:
    """Search for the smallest change within limits with which the model decides otherwise."""
    person = int(result.chosen[result.place_of(row)])
    others = [name for name in result.output_names if name != result.favourable]
    target = None if result.decided[person] else result.favourable
    if result.decided[person] and len(others) == 1:
        target = others[0]
    ask = _search(place, row, position, target)
    found = answer_to(
        ask, place.person, Counterfactuals, pressed=False, starts_itself=ask.is_small,
        slot=st.container(),
    )  # fmt: skip
    if found is None or found.is_stale:
        return
    changes = found.result
    said = counterfactual_sentence(changes, 0)
    st.markdown(f"**{plain(said)}**")
    if not len(changes.owners):
        if not changes.fulfilled[0]:
            empty_state("Keep fewer features as they are, and look again.", "search_off",
                        height=160)  # fmt: skip
        return
    for i in changes.of(0):
        told = f"{outcome(changes, int(i))}, distance {changes.distances[i]:.2f}"
        st.markdown(f"- {plain(changes_of(changes, int(i)))} · :gray[{plain(told)}]")
    note(
        "What would change this model's answer; whether a person could do so, or an equally good "
        "model would be moved as well, is another question."
    )
    downloads(found, f"change-{place.model.card.name}-row-{row}", place.person)


def _search(place: Place, row: int, position: int, target: str | None) -> Ask:
    schema = place.model.schema
    free = [f.name for f in schema.features if not f.immutable and "," not in f.name]
    numbers = [f.name for f in schema.features if f.kind != "categorical" and "," not in f.name]
    with st.container(horizontal=True):
        up = choose_several(
            "May only grow", "person.only_up", options=numbers, default=(), width=300,
            help="Numbers that may change in one direction alone, such as age.",
        )  # fmt: skip
        kept = choose_several(
            "Must stay", "person.keep", options=[name for name in free if name not in up],
            default=(), width=300, help="Features that this person cannot change, beside those "
            "that nobody can.",
        )  # fmt: skip
    settings = {"only_up": ",".join(up), "keep": ",".join(kept), "target": target}
    whole = cache.table(place.table, place.person.key)
    n = min(REFERENCE, len(background_source(place.model, whole, REFERENCE)))
    plan = api.plan(place.model, 1, n, method=SEARCH, **settings)
    return Ask(
        request=place.request(SEARCH, plan.params, rows=(position,), background=n),
        quote=Quote(plan.method, plan.params, plan.cost, 0.0, plan.notes),
        title=f"Nearest counterfactuals, {place.model.card.name}, row {row} of {place.table}",
        subject=(SEARCH, place.model.digest, place.table, row, *sorted(map(str, settings.items()))),
    )
