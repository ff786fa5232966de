"""The card that says which explanation to believe, or that none is, and what to do instead."""

from collections.abc import Callable, Mapping
from typing import Literal

import streamlit as st

from workbench.core.faithfulness import ADEQUATE, EXPLANATIONS
from workbench.core.results import Faithfulness
from workbench.core.wording import counted, percent
from workbench.engines.lfa.advisor import AS_GOOD, NOTHING, QUESTIONS
from workbench.engines.shapley.sampled_pairs import MOST_FEATURES
from workbench.plots.words import number
from workbench.ui.cards import key_figures
from workbench.ui.explanation_runs import Known
from workbench.ui.frame import answer, note
from workbench.ui.state import forget, put
from workbench.ui.text import plain
from workbench.ui.verdict import (
    BELIEVED,
    State,
    Verdict,
    answerable,
    is_silent,
    missed_words,
    neighbourhood_words,
    smaller,
    verdict_sentence,
)

# The edge of the card says at a glance how good the news is.
STYLE = """<style>
[class*="st-key-verdict-"] { border-left: .4rem solid #8b949e !important; }
.st-key-verdict-believe { border-left-color: #2da44e !important; }
.st-key-verdict-with_care, .st-key-verdict-not_here, .st-key-verdict-only_here {
  border-left-color: #bf8700 !important;
}
.st-key-verdict-none { border-left-color: #cf222e !important; }
</style>"""
Colour = Literal["green", "orange", "red", "gray"]
BADGES: Mapping[State, tuple[str, str, Colour]] = {
    "believe": ("To be believed here", "verified", "green"),
    "with_care": ("To be believed with care", "warning", "orange"),
    "not_here": ("Not for this row", "warning", "orange"),
    "only_here": ("For this row alone", "warning", "orange"),
    "none": ("No linear explanation is adequate", "cancel", "red"),
    "nothing": ("Nothing to recommend", "block", "gray"),
}
OTHERS = 2
NO_BREAK = "\N{NO-BREAK SPACE}"


def show_recommendation(known: Known) -> None:
    """Show the card: the answer, its numbers and reason; where none is adequate, ways out."""
    st.html(STYLE)
    found = known.verdict
    advice = found.advice
    with st.container(border=True, key=f"verdict-{found.state}"):
        label, icon, colour = BADGES[found.state]
        st.badge(label, icon=f":material/{icon}:", color=colour)
        answer(_unbroken(verdict_sentence(found)))
        if advice.method:
            _numbers(found)
            note(_why(found, known.best.result))
        if found.state in BELIEVED:
            return
        if not advice.method or is_silent(advice):
            st.markdown(plain(advice.instead))
        _ways_out(known, found)


def _numbers(found: Verdict) -> None:
    """Show what is known of the explanation in figures."""
    advice = found.advice
    label = "Recommended" if found.state in BELIEVED else "Best choice"
    figures = [(label, EXPLANATIONS[advice.method], f"{advice.calls:,} passes for a row")]
    if found.n_rows > 1:
        between = f"95 %: {missed_words(advice.low)} to {missed_words(advice.high)}"
        known = advice.high > NOTHING
        over = f"Missed over {counted(found.n_rows, 'row')}"
        figures.append((over, missed_words(advice.missed), between if known else ""))
    if found.row is not None:
        figures.append((f"Missed of row {found.row}", missed_words(found.missed_here), _own(found)))
    if advice.runner_up:
        missed = f"misses {missed_words(advice.runner_missed)}"
        figures.append(("Runner-up", EXPLANATIONS[advice.runner_up], missed))
    key_figures([(name, _unbroken(value), _unbroken(below)) for name, value, below in figures])


def _own(found: Verdict) -> str:
    """Say which explanation is better for the row alone, where one is."""
    own = found.own
    if own is None or not own.method or not AS_GOOD * own.missed < found.missed_here:
        return ""
    return f"best for it alone: {EXPLANATIONS[own.method]}, {missed_words(own.missed)}"


def _why(found: Verdict, result: Faithfulness) -> str:
    where = neighbourhood_words(result, found.advice.neighbourhood)
    more = ""
    if found.n_rows == 1:
        more = " From this row alone: more rows say whether that is luck."
    elif found.state == "with_care":
        more = f" Its interval reaches beyond {percent(ADEQUATE)}, where none is adequate."
    return f"Neighbourhood: {where}. {found.advice.reason}{more}"


def _ways_out(known: Known, found: Verdict) -> None:
    """Offer what can be done instead, each a button."""
    result = known.best.result
    others = answerable(
        result, known.question, output=known.output, budget=known.budget, row=known.beside
    )
    st.markdown("**What to do instead**")
    with st.container(horizontal=True, gap="small"):
        if known.budget is not None:
            _way("Allow any number of passes", "all_inclusive", forget, "passes")
        if (half := smaller(result, known.question)) is not None:
            name, size = half
            label = f"Look closer: {name.replace('_', ' ')} {number(size)}"
            _way(label, "zoom_in_map", put, f"lfa.{name}", size)
        for other in others[:OTHERS]:
            _way(QUESTIONS[other].words, "help", put, "question", other)
        if len(known.place.model.schema.features) <= MOST_FEATURES and st.button(
            "See which features work together", icon=":material/hub:"
        ):
            put("pairs", True)
            st.switch_page("pages/shapley.py")
        if st.button("Fit a function with pairs", icon=":material/function:"):
            put("part", "neighbourhood")
            put("function", "pairwise")
            st.switch_page("pages/local_models.py")
        if found.row is not None and st.button("Try values on this row", icon=":material/tune:"):
            st.switch_page("pages/what_if.py")


def _unbroken(text: str) -> str:
    """Keep numbers and their per cent sign on one line."""
    return text.replace(" %", f"{NO_BREAK}%")


def _way(label: str, icon: str, action: Callable[..., None], *args: object) -> None:
    st.button(plain(label), icon=f":material/{icon}:", on_click=action, args=args)
