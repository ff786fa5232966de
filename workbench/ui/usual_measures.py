"""The measures that papers compare explanations by, as a further run on the same rows."""

import streamlit as st

from workbench import api
from workbench.core.measures import MEASURES
from workbench.core.results import Measures
from workbench.engines.lfa.measures import NAME
from workbench.plots.measures import measures_sentence
from workbench.ui.cards import computed_card, facts_list, trust_card
from workbench.ui.drawn import draw
from workbench.ui.explanation_runs import FAMILY, Wanted, answer_about, efforts_of, wanted_run
from workbench.ui.forms import params_form, settings_button
from workbench.ui.jobs import Answer, is_under_way
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.state import choose, peek
from workbench.ui.text import plain

DOING = ("Measure", "Measuring")
ALL = "all"


def choose_measures() -> bool:
    """Offer the usual measures."""
    return bool(choose(
        st.toggle, "The usual measures", "measures", default=False,
        help="Faithfulness correlation, infidelity, deletion and insertion, sensitivity and others "
        "that papers report, of all explanations at once.",
    ))  # fmt: skip


def show_measures(place: Place, wanted: Wanted, output: str, *, name: str) -> None:
    """Measure the explanations of the rows of another run, made with its settings."""
    asked = _wanted(place, wanted)
    st.caption(f"{plain(asked.about)}: {asked.ask.quote.describe()}")
    answer = answer_about(place, asked, Measures, DOING)
    if answer is not None:
        _show(place, answer, output, name)
    elif not is_under_way(asked.ask, place.person):
        st.caption("Press the button to measure them.")


def _wanted(place: Place, wanted: Wanted) -> Wanted:
    """Choose what the measures leave open; explanations are made as they were."""
    fields = api.list_methods()[NAME].params
    made = {k: v for k, v in wanted.ask.quote.params.items() if k in fields.model_fields}
    levels = efforts_of(place.model, NAME)
    effort = levels[str(peek("effort", "standard"))]
    with settings_button("Settings of the measures", width="content"):
        own = params_form(fields, FAMILY, leave_out=made, defaults=effort.settings)
    request = wanted.ask.request
    return wanted_run(
        place, NAME, made | own, row=wanted.row, count=wanted.count,
        background=request.background, seed=request.seed, given=wanted.given,
    )  # fmt: skip


def _show(place: Place, answer: Answer[Measures], output: str, name: str) -> None:
    result = answer.result
    said = measures_sentence(result, output)
    st.markdown(plain(said))
    shown = choose(
        st.selectbox, "Measure", "measure", options=[ALL, *result.measures], default=ALL,
        format_func=lambda key: MEASURES[key].title if key in MEASURES else "All measures",
        width=330,
    )  # fmt: skip
    with st.container(border=True):
        drawn = draw(
            result, "scores", output=output, measure=None if shown == ALL else shown,
        )  # fmt: skip
        plain_figure(drawn, name=f"{name}-measures", alt=said)
        downloads(answer, f"{name}-measures", place.person)
    trust_card(result)
    with st.expander("What the measures are", icon=":material/help:"):
        facts_list([
            (MEASURES[key].title, f"{MEASURES[key].about}; {how}")
            for key, how in zip(result.measures, result.settings_words, strict=True)
        ])  # fmt: skip
    computed_card(result.provenance)
