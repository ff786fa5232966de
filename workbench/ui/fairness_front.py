"""Across equally good models: gaps between groups, and the model that makes them least."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.errors import WorkbenchError
from workbench.core.fairness_front import NONE, REPORTED, FairnessFront
from workbench.core.fairness_metrics import GAPS
from workbench.core.wording import percent
from workbench.engines.rashomon.fairness_front import NAME
from workbench.plots import render, views_of
from workbench.plots.fairness_front import GAPS_SHOWN, ROWS
from workbench.plots.fairness_front_words import (
    causes_sentence,
    front_sentence,
    luck_sentence,
    range_sentence,
    value_text,
)
from workbench.ui import cache
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.cost import Quote
from workbench.ui.forms import params_form, whole_number
from workbench.ui.frame import answer, empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer, Ask, answer_to, is_under_way, was_stopped
from workbench.ui.place import Place
from workbench.ui.results import downloads, is_dark, plain_figure
from workbench.ui.state import choose, choose_several, open_link
from workbench.ui.text import plain
from workbench.workspace import sources
from workbench.workspace.store import Workspace

FAMILY, SAVED = "front", "front.saved"
LEAVE_OUT = ("by", "bins", "favourable", "gap", "eps", "explorers", "push", "ridge")
TITLES = {
    "plane": "Accuracy and gap of each model",
    "ranges": "How far each gap lies apart among models about as accurate",
    "change": "What the alternative changes",
    "causes": "Which features make the groups' scores differ, before and after",
}
WHERE = {"reported": "Rows reported on", "validation": "Rows that chose"}


def across_models(place: Place) -> None:
    """Look for models about as accurate that treat groups more alike, and show what was found."""
    if place.rows.y is None:
        empty_state(
            f"Accuracy and gaps cannot be told: {place.rows_name} holds no true values. Add the "
            "table again with its target column.", "help",
        )  # fmt: skip
        return
    if not place.model.schema.n_classes or "perturbable" not in place.model.capabilities:
        empty_state(
            "Alternatives are near-copies of a network that decides among classes. Choose such a "
            "model.", "help",
        )  # fmt: skip
        return
    said = st.container()
    left, right = side_by_side(FAMILY)
    ask: Ask | None = None
    found: Answer[FairnessFront] | None = None
    with right:
        trust = st.container()
        with st.container(border=True), errors_shown():
            st.markdown("**Whose groups, which gap**")
            ask = _ask(place)
    if ask is not None:
        with left, errors_shown():
            found = _answer(place, ask)
    if found is None:
        return
    with said, errors_shown():
        answer(front_sentence(found.result))
        note(luck_sentence(found.result))
    with left:
        _show(found, place)
    with trust, errors_shown():
        trust_card(found.result)
    computed_card(found.result.provenance)


def _columns(place: Place) -> tuple[list[str], list[str]]:
    """Return the columns that groups can be made of, and those to begin with."""
    tables = [place.rows] if place.rows.aside is None else [place.rows, place.rows.aside]
    features = [f for table in tables for f in table.schema.features if f.kind != "image_patch"]
    names = [feature.name for feature in features]
    protected = [feature.name for feature in features if feature.protected and feature.categories]
    usual = protected or [feature.name for feature in features if feature.categories]
    return names, (usual or names)[:1]


def _ask(place: Place) -> Ask:
    method = api.list_methods()[NAME]
    fields = method.params.model_fields
    names, usual = _columns(place)
    by = choose_several("Groups by", f"{FAMILY}.by", options=names, default=usual)
    settings: dict[str, Any] = {"by": ",".join(by or usual)}
    settings["bins"] = str(choose(
        st.text_input, "Where to cut numbers", f"{FAMILY}.bins", default="", max_chars=200,
        placeholder="age=25,60", help=fields["bins"].description,
    ))  # fmt: skip
    schema = place.model.schema
    favourable = place.rows.schema.favourable or schema.favourable or schema.classes[-1]
    settings["favourable"] = str(choose(
        st.selectbox, "What people hope for", f"{FAMILY}.favourable", default=favourable,
        options=schema.classes,
    ))  # fmt: skip
    settings["gap"] = str(choose(
        st.selectbox, "Gap to lessen", f"{FAMILY}.gap", default=fields["gap"].default,
        options=list(GAPS_SHOWN), format_func=lambda name: GAPS[name].title,
        help=fields["gap"].description,
    ))  # fmt: skip
    lost = choose(
        st.number_input, "Points of accuracy it may cost", f"{FAMILY}.points", default=1.0,
        valid=lambda value: isinstance(value, int | float) and 0 <= value <= 50,
        min_value=0.0, max_value=50.0, step=0.5, help=fields["eps"].description,
    )  # fmt: skip
    settings["eps"] = float(lost) / 100
    with st.popover("Settings", icon=":material/tune:", width="stretch"):
        seed = whole_number(
            "Seed", f"{FAMILY}_seed", 0, 0, 2**31 - 1, "The same seed gives the same numbers.",
            width="stretch",
        )  # fmt: skip
        settings |= params_form(method.params, FAMILY, leave_out=LEAVE_OUT)
    n_table = len(cache.table(place.table, place.person.key))
    # Training on and drawing take the time, of which evaluations of the model say little.
    plan = api.plan(place.model, len(place.rows), n_table, method=NAME, **settings)
    return Ask(
        request=place.request(NAME, plan.params, seed=seed),
        quote=Quote(plan.method, plan.params, plan.cost, 0.0, plan.notes),
        title=f"{method.title}, {place.model.card.name}, {place.rows_name}",
        subject=(NAME, place.model.digest, place.table, place.split, str(place.cohort)),
    )


def _answer(place: Place, ask: Ask) -> Answer[FairnessFront] | None:
    """Return the result, or say what is going on or what to do: it never starts by itself."""
    person = place.person
    button, slot = st.empty(), st.container()
    pressed = button.button(
        "Look for alternatives", type="primary", icon=":material/balance:", key=f"run-{FAMILY}"
    )
    stopped = was_stopped(ask, person)
    found = answer_to(ask, person, FairnessFront, pressed=pressed, starts_itself=False, slot=slot)
    runs = is_under_way(ask, person)
    if runs or (found is not None and not found.is_stale):
        button.empty()
    elif stopped and not pressed:  # what went wrong is said; an older answer would hide it
        return None
    elif found is not None:
        st.warning("The settings have changed since: press the button to update this.")
    else:
        empty_state(
            "Press the button: some sixty near-copies of the model are drawn or trained on towards "
            "a smaller gap. That takes seconds to a few minutes.", "balance",
        )  # fmt: skip
    return found


def _show(found: Answer[FairnessFront], place: Place) -> None:
    result, name = found.result, f"equally-good-{place.model.card.name}"
    sentences = {
        "plane": front_sentence(result), "ranges": range_sentence(result),
        "change": luck_sentence(result), "causes": causes_sentence(result),
    }  # fmt: skip
    for view in views_of(result):
        if view in {"change", "causes"} and not sentences[view]:
            continue
        with st.container(border=True), errors_shown():
            st.markdown(f"**{TITLES[view]}**")
            if view in {"ranges", "causes"}:
                note(sentences[view])
            options = {}
            if view == "plane":
                options["rows"] = str(choose(
                    st.segmented_control, "Rows", f"{FAMILY}.rows", options=list(ROWS),
                    default="reported", format_func=WHERE.get, required=True,
                    label_visibility="collapsed",
                ))  # fmt: skip
            drawn = render(result, view, dark=is_dark(), **options)
            plain_figure(drawn, name=f"{name}-{view}", alt=sentences[view] or TITLES[view])
    with st.container(border=True), errors_shown():
        if not found.is_stale:
            _offer(result, place)
    downloads(found, name, place.person)


def _offer(result: FairnessFront, place: Place) -> None:
    """Offer to keep a model of the front as one of the person's own."""
    st.markdown("**Save as a model**")
    q = result.at
    chosen = int(result.chosen[q])
    best = [m for m in range(1, len(result)) if result.front[m, REPORTED, q] and m != chosen]
    best.sort(key=lambda m: -float(result.accuracy[m, REPORTED, 0]))
    offered = ([] if chosen == NONE else [chosen]) + best
    if not offered:
        note("No model of these is better than the given one in anything.")
        return

    def told(m: int) -> str:
        start = "The alternative: " if m == chosen else ""
        return (
            f"{start}{percent(float(result.accuracy[m, REPORTED, 0]))} right, gap "
            f"{value_text(result.gap, result.gaps[m, REPORTED, q])}"
        )

    note(
        "It is made again, asked about the same rows, and kept among your models with a card that "
        "says what it is an alternative to."
    )
    which = st.selectbox("Which", offered, format_func=told, key=f"{FAMILY}-which")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        usual = f"{place.model.card.name[:55]}-fairer"
        name = st.text_input("Name", usual, max_chars=64, key=f"{FAMILY}-name", width=280)
        pressed = st.button("Save as a model", icon=":material/save:", key=f"{FAMILY}-save")
    if pressed:
        st.session_state.pop(SAVED, None)
        try:
            with st.spinner("Making the model again …"):
                st.session_state[SAVED] = _save(result, place, int(which), name.strip())
        except WorkbenchError as error:
            st.error(plain(str(error)))
    _say_saved()


def _save(result: FairnessFront, place: Place, which: int, name: str) -> str:
    whole = cache.table(place.table, place.person.key)
    root = Workspace(place.person.key).models_root
    folder = api.save_front_model(
        place.model, whole, result, name, place.rows, which=which, into=root
    )
    return f"{sources.MINE}{folder.parent.name}@{folder.name}"


def _say_saved() -> None:
    reference = st.session_state.get(SAVED)
    if reference is None:
        return
    st.success(
        f"Kept as {plain(reference.removeprefix(sources.MINE))}: it was read back and decides as "
        "the picture says."
    )
    with st.container(horizontal=True):
        if st.button("See how good it is", icon=":material/speed:", key=f"{FAMILY}-see"):
            open_link(f"?model={reference}")
        if st.button(
            "Explain a prediction", icon=":material/waterfall_chart:", key=f"{FAMILY}-explain"
        ):
            open_link(f"shapley?model={reference}")
