"""Whether a simpler model is about as good: learners, how rare good trees are, a small tree."""

from typing import Any

import streamlit as st

from workbench import api
from workbench.core.results import SimplerModels
from workbench.core.wording import counted, percent
from workbench.engines.rashomon.simpler import NAME
from workbench.plots import views_of, words
from workbench.plots.simpler_models import simpler_sentence
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Answer, Ask
from workbench.ui.methods import EFFORTS, choose_seed
from workbench.ui.needs import lacks_labels
from workbench.ui.place import Place
from workbench.ui.results import downloads, figure
from workbench.ui.runs import ask_about, show_part
from workbench.ui.state import choose, forget_under
from workbench.ui.text import plain

FAMILY = "simpler"
WHAT_IT_DOES = (
    "Five learners and some hundred thousand trees are tried on the table's training rows: ten "
    "seconds to a minute, on large tables longer."
)
VIEWS = {"learners": "Other learners", "trees": "How common good trees are"}
# What the views say, in a line below the figure.
NOTES = {
    "learners": "A simple model is likely where the best simple learner is within one standard "
    "error of the best of all. Many learners that come out alike are a sign of a large set of "
    "equally good models, in which a simple one can be expected.",
    "trees": "Every tree is held against the best of its own depth. Where good trees are common "
    "there is room for one that is simple besides; behind the elbow more depth makes them rare "
    "and hardly better.",
}


def simpler_models(place: Place) -> None:
    """Ask whether a simpler model is about as good, and show the answer."""
    if lacks_labels(place, "Whether a simpler model is as good"):
        return
    part = show_part(
        place, SimplerModels, _ask, key=FAMILY, heading="How hard to look",
        verb="Look for simpler models", icon="speed", words=WHAT_IT_DOES,
    )  # fmt: skip
    if (found := part.found) is None:
        return
    with part.said, errors_shown():
        answer(simpler_sentence(found.result))
    with part.left, errors_shown():
        _show(found, place)
    part.end(found.result)


def _ask(place: Place) -> Ask:
    method = api.list_methods()[NAME]
    efforts = {} if method.efforts is None else method.efforts(len(place.model.schema.features))
    # Keys of its own: other parts of a page may have an effort and a seed too.
    level = str(choose(
        st.segmented_control, "Effort", f"{FAMILY}_effort", options=list(efforts),
        default="standard", required=True, width="stretch", then=lambda: forget_under(FAMILY),
        help=plain(", ".join(f"{name}: {EFFORTS[name]}" for name in efforts)),
    ))  # fmt: skip
    with settings_button():
        seed = choose_seed(f"{FAMILY}_seed")
        settings: dict[str, Any] = params_form(
            method.params, FAMILY, defaults=efforts[level].settings
        )
    return ask_about(place, NAME, seed, **settings)


def _show(found: Answer[SimplerModels], place: Place) -> None:
    result = found.result
    name = f"simpler-{place.model.card.name}"
    with st.container(border=True):
        views = [view for view in views_of(result) if view in VIEWS]
        view = str(choose(
            st.segmented_control, "View", "simpler", options=views, default=views[0],
            format_func=VIEWS.get, required=True, label_visibility="collapsed",
        ))  # fmt: skip
        figure(result, view, name=name, alt=simpler_sentence(result))
        note(NOTES[view])
        downloads(found, name, place.person)
    _rules(result)


def _rules(result: SimplerModels) -> None:
    """Show the small tree as a card of rules, which read whole on a narrow screen too."""
    with st.container(border=True):
        st.markdown(f"**The small tree: {counted(len(result.rules), 'rule')}**")
        for rule, label, rows, loss in zip(
            result.rules, result.labels, result.rule_rows, result.rule_loss, strict=True
        ):
            how = words.number(float(loss)) if result.is_regression else percent(float(loss))
            st.markdown(f"**{plain(label)}** where {plain(rule)}")
            st.caption(plain(f"{counted(rows, 'training row')}; {result.loss_name} {how}"))
        note("Each row is under exactly one rule. Commonest first.")
