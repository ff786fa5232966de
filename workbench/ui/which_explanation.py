"""Which explanation to believe: the recommendation first, then all that it rests on.

One run holds explanations of the chosen row against neighbourhoods, the other those of rows that
are drawn: what a method misses of one row may be luck, what it misses of many says whether it is
to be relied on. Another question, class or limit on passes computes nothing again.
"""

import streamlit as st

from workbench.core.results import Faithfulness
from workbench.core.wording import counted
from workbench.engines.lfa.advisor import QUESTIONS
from workbench.plots.faithfulness_words import faithfulness_sentence
from workbench.ui.cards import computed_card, trust_card
from workbench.ui.explanation_runs import (
    Known,
    Wanted,
    answer_about,
    choose_budget,
    choose_question,
    choose_runs,
    fitting,
)
from workbench.ui.faithful_where import show_matrix, show_methods, show_worst
from workbench.ui.frame import empty_state, errors_shown, note, side_by_side
from workbench.ui.jobs import Answer
from workbench.ui.place import Place
from workbench.ui.recommendation import show_recommendation
from workbench.ui.results import downloads
from workbench.ui.several import show_several
from workbench.ui.shapley import choose_output, choose_rows, describe_row
from workbench.ui.state import choose
from workbench.ui.text import plain
from workbench.ui.usual_measures import choose_measures, show_measures
from workbench.ui.verdict import verdict_sentence

DOING = ("Compare", "Comparing")


def which_explanation(place: Place) -> None:
    """Show which explanation to believe for a question, and what all of them say."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row, count = choose_rows(place)
        output = choose_output(place, row)
        asked = st.container(width=330)
    if row is not None:
        note(describe_row(place, row))
    card, told = st.container(), st.container()
    left, right = side_by_side()
    below = st.container()
    wanted: tuple[Wanted | None, Wanted | None] = None, None
    with right, st.container(border=True):
        st.markdown("**How it is measured**")
        with errors_shown():
            wanted = choose_runs(place, row, count)
        budget = choose_budget()
    with told:
        own, drawn = fitting(*(answer_about(place, each, Faithfulness, DOING) for each in wanted))
    found = drawn or own
    with asked:
        question = choose_question(place, None if found is None else found.result)
    if found is None:
        with left:
            empty_state("What each explanation misses, and what it says, appears here.", "balance")
        return
    known = Known(place, own, drawn, output, question, budget)
    with card, errors_shown():
        show_recommendation(known)
    with left, errors_shown(), st.container(border=True):
        _neighbourhood(known)
    with below:
        _all(known, wanted[1] or wanted[0])


def _all(known: Known, wanted: Wanted | None) -> None:
    """Show what explanations say, where they are faithful, and how all was computed."""
    for part in (_several, _everywhere):
        with errors_shown():
            part(known)
    if choose_measures() and wanted is not None:
        with errors_shown():
            show_measures(known.place, wanted, known.output, name=_name(known.best))
    for answer in (known.row, known.rows):
        if answer is not None:
            computed_card(answer.result.provenance)


def _neighbourhood(known: Known) -> None:
    """Show what each explanation misses where the question is about."""
    st.markdown(f"**{plain(QUESTIONS[known.question].words)} What each explanation misses**")
    said = verdict_sentence(known.verdict)
    neighbourhood = QUESTIONS[known.question].neighbourhood
    show_methods(known.best.result, neighbourhood, known.output, said=said, name=_name(known.best))


def _several(known: Known) -> None:
    """Show what explanations say of the row, or how far they agree over the rows."""
    answer = known.row or known.best
    about = _about(answer.result)
    st.subheader(f"What do they say of {plain(about)}, and do they agree?", anchor=False)
    show_several(answer.result, known.output, believed=known.verdict.believed, name=_name(answer))
    if known.row is not None:
        downloads(known.row, _name(known.row), known.place.person)


def _everywhere(known: Known) -> None:
    """Show the matrix, and the rows behind a cell of it."""
    st.subheader("Where is each of them faithful?", anchor=False)
    answer, name = known.best, _name(known.best)
    if known.row is not None and known.rows is not None:
        shown = choose(
            st.segmented_control, "Matrix of", "matrix", options=["rows", "row"], default="rows",
            format_func={
                "rows": counted(len(known.rows.result), "row"), "row": _about(known.row.result),
            }.get, required=True, label_visibility="collapsed",
        )  # fmt: skip
        answer = known.row if shown == "row" else known.rows
    said = faithfulness_sentence(answer.result, output=known.output)
    st.markdown(plain(said))
    left, right = side_by_side("matrix")
    with left, st.container(border=True):
        show_matrix(answer.result, known.output, said=said, name=name)
        if answer is known.rows:
            downloads(answer, name, known.place.person)
    with right:
        if len(answer.result) > 1:
            with st.container(border=True):
                advice = known.verdict.advice
                show_worst(
                    known.place, answer.result, known.output, method=advice.method,
                    neighbourhood=advice.neighbourhood,
                )  # fmt: skip
        trust_card(answer.result)


def _about(result: Faithfulness) -> str:
    return f"row {result.ids[0]}" if len(result) == 1 else counted(len(result), "row")


def _name(answer: Answer[Faithfulness]) -> str:
    """Return what files and figures of a result are called."""
    result = answer.result
    model = result.provenance.model.partition("@")[0].rpartition(":")[2]
    rows = f"row-{result.ids[0]}" if len(result) == 1 else f"{len(result)}-rows"
    return f"explanations-{model}-{rows}"
