"""Across equally good models: gaps between groups, and the model that makes them least."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.errors import WorkbenchError
from workbench.core.fairness_front import NONE, REPORTED, FairnessFront
from workbench.core.fairness_metrics import GAPS
from workbench.core.wording import percent
from workbench.engines.rashomon.fairness_front import NAME
from workbench.plots import views_of
from workbench.plots.fairness_front import GAPS_SHOWN, ROWS
from workbench.plots.fairness_front_words import (
    causes_sentence,
    front_sentence,
    left_out_sentence,
    luck_sentence,
    range_sentence,
    reading_sentence,
    unconfirmed_sentence,
    value_text,
)
from workbench.plots.words import counting_sentence
from workbench.ui import cache
from workbench.ui.drawn import draw
from workbench.ui.fairness_choices import (
    choose_groups,
    choose_partition,
    columns_of,
    cuts_of,
    still_to_choose,
)
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, empty_state, errors_shown, note
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import choose_seed
from workbench.ui.needs import lacks_classes, lacks_labels, lacks_layers
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.runs import ask_about, show_part
from workbench.ui.state import choose, open_link
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
WHAT_IT_DOES = (
    "Some sixty near-copies of the model are drawn or trained on towards a smaller gap: seconds to "
    "a few minutes."
)


def across_models(place: Place) -> None:
    """Look for models about as accurate that treat groups more alike, and show what was found."""
    if (
        lacks_labels(place, "How accurate models are")
        or lacks_classes(place, "no alternative could decide otherwise",
                         "Who is worse off, on this page, compares its errors by group.")
        or lacks_layers(place, "near-copies are made of networks")
    ):  # fmt: skip
        return
    if told := _nothing_to_compare(place):
        empty_state(told, "help")
        return
    part = show_part(
        place, FairnessFront, _choose, key=FAMILY, heading="Whose groups, which gap",
        verb="Look for alternatives", icon="balance", words=WHAT_IT_DOES,
    )  # fmt: skip
    if (found := part.found) is None:
        return
    with part.said, errors_shown():
        answer(front_sentence(found.result))
        note(luck_sentence(found.result))
        for tell in (counting_sentence, left_out_sentence, reading_sentence):
            if told := tell(found.result):
                note(told)
    with part.left:
        _show(found, place)
    part.end(found.result)


def _nothing_to_compare(place: Place) -> str:
    """Say why no groups can be made of the rows; empty where some can."""
    if columns_of(place.rows):
        return ""
    return (
        f"There is no column to group people by in {place.rows_name}. Choose a table that has "
        "one; a column that the model does not read serves as well."
    )


def _choose(place: Place) -> Ask | str:
    """Choose groups, the gap and settings; returns the run, or what is still to be chosen."""
    groups = choose_groups(place)
    return still_to_choose(place, groups) or _ask(place, groups)


def _ask(place: Place, groups: dict[str, str]) -> Ask:
    method = api.list_methods()[NAME]
    fields = method.params.model_fields
    by = choose_partition(
        groups["by"], "Groups by", f"{FAMILY}.partition",
        "Alternatives lessen the gap between one set of groups: of one attribute, or of all of "
        "them crossed.",
    )  # fmt: skip
    settings: dict[str, Any] = {
        "by": by, "bins": cuts_of(groups["bins"], by), "favourable": groups["favourable"],
    }  # fmt: skip
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
    with settings_button():
        seed = choose_seed(f"{FAMILY}_seed")
        settings |= params_form(method.params, FAMILY, leave_out=LEAVE_OUT)
    return ask_about(place, NAME, seed, **settings)


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
            drawn = draw(result, view, **options)
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
    warning = unconfirmed_sentence(result, int(which))
    ending = "alternative" if warning else "fairer"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        usual = f"{place.model.card.name[:52]}-{ending}"
        name = st.text_input("Name", usual, max_chars=64, key=f"{FAMILY}-name-{ending}", width=280)
        pressed = st.button("Save as a model", icon=":material/save:", key=f"{FAMILY}-save")
    if warning:
        st.warning(warning, icon=":material/warning:")
    if pressed:
        st.session_state.pop(SAVED, None)
        try:
            with st.spinner("Making the model again …"):
                st.session_state[SAVED] = _save(result, place, int(which), name.strip())
        except WorkbenchError as error:
            st.error(plain(str(error)))
    _say_saved()


def _save(result: FairnessFront, place: Place, which: int, name: str) -> str:
    sources.check_own_name(name)
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
