"""Figures of remedies, and a card of the one that is looked at."""

from typing import Any

import streamlit as st

from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.remedies import Remedies
from workbench.core.remedy_catalogue import REMEDIES, STAGES
from workbench.core.remedy_reading import focus
from workbench.core.wording import counted
from workbench.plots import options_of, views_of
from workbench.plots.remedies_words import (
    cautions,
    gaps_sentence,
    guarantee_sentence,
    multiplicity_sentence,
    remedies_sentence,
    remedy_sentence,
    verdict,
    who_sentence,
)
from workbench.ui.cards import facts_list
from workbench.ui.drawn import draw
from workbench.ui.frame import note
from workbench.ui.jobs import Answer
from workbench.ui.place import Place
from workbench.ui.remedies_choices import FAMILY
from workbench.ui.remedies_keep import keep_as_model, show_code
from workbench.ui.results import downloads, plain_figure
from workbench.ui.state import choose
from workbench.ui.text import duration, plain

LABELS = {
    "board": "Gain and price", "conflicts": "All gaps", "gaps": "Its gaps", "groups": "Groups",
    "who": "Who changes", "multiplicity": "Left to chance", "trials": "Search",
}  # fmt: skip
ABOUT = {
    "board": "The star is the model as it is, an arrow leads to each remedy. Further to the better "
    "side the gap is less, further up more decisions are right.",
    "conflicts": "Each gap under each remedy, in points: blue is less and vermilion more, beyond "
    "chance; grey may be chance. What evens out one gap may widen another.",
    "gaps": "Every gap before and after the remedy that is looked at.",
    "groups": "A rate of each group before and after the remedy that is looked at.",
    "who": "Who gains and who loses the favourable decision under the remedy that is looked at.",
    "multiplicity": "Whose decision another network would turn that was trained in the same way.",
    "trials": "Networks that a search tried: chosen on validation rows, shown on these.",
}
OF_ONE = frozenset({"gaps", "groups", "who"})


def choose_remedy(result: Remedies) -> str:
    """Choose the remedy to look at closely; the most helpful one at first."""
    options = list(result.names[1:])
    return str(choose(
        st.selectbox, "Look closely at", f"{FAMILY}.shown", options=options,
        default=result.names[focus(result)],
        format_func=lambda name: f"{REMEDIES[name].title}: {verdict(result, name)}",
    ))  # fmt: skip


def show_views(found: Answer[Remedies], place: Place, remedy: str) -> None:
    """Draw the view that was chosen, say what it shows, and offer files."""
    result = found.result
    name = f"remedies-{place.model.card.name}"
    views = list(views_of(result))
    with st.container(border=True):
        view = str(choose(
            st.segmented_control, "View", FAMILY, options=views, default=views[0],
            format_func=lambda key: LABELS.get(key, key), required=True,
            label_visibility="collapsed",
        ))  # fmt: skip
        options: dict[str, Any] = {"remedy": remedy} if view in OF_ONE else {}
        offered = options_of(result, view)
        if "gap" in offered:
            options["gap"] = _choose_from("Gap", "of_gap", offered["gap"], GAPS)
        if "rate" in offered:
            options["rate"] = _choose_from("Rate", "of_rate", offered["rate"], RATES)
        drawn = draw(result, view, **options)
        plain_figure(drawn, name=f"{name}-{view}", alt=_said(result, view, remedy))
        note(ABOUT[view])
        if view != "board":
            note(_said(result, view, remedy))
        downloads(found, name, place.person)


def _choose_from(label: str, key: str, options: list[str], titles: Any) -> str:
    return str(choose(
        st.selectbox, label, f"{FAMILY}.{key}", options=options, default=options[0],
        format_func=lambda name: titles[name].title,
    ))  # fmt: skip


def _said(result: Remedies, view: str, remedy: str) -> str:
    if view in {"gaps", "groups", "who"}:
        words = {"gaps": gaps_sentence, "groups": remedy_sentence, "who": who_sentence}[view]
        return words(result, remedy)
    return multiplicity_sentence(result) if view == "multiplicity" else remedies_sentence(result)


def remedy_card(found: Answer[Remedies], place: Place, remedy: str) -> None:
    """Show one remedy: what it does, what changes, what to watch out for, and how to keep it."""
    result = found.result
    r, about = result.index(remedy), REMEDIES[remedy]
    with st.container(border=True):
        st.subheader(about.title, anchor=False)
        st.caption(plain(f"{STAGES[about.stage][:1].upper()}{STAGES[about.stage][1:]}."))
        st.markdown(plain(about.does))
        st.markdown(plain(remedy_sentence(result, r)))
        for text in (*cautions(result, r), about.watch):
            st.markdown(f":orange[:material/warning:] {plain(text)}")
        with st.expander("What was chosen, and what it took", icon=":material/info:"):
            facts_list([
                ("Chosen", result.settings[r] or "nothing"),
                ("Promised", guarantee_sentence(result, r) or "nothing"),
                ("Gaps", gaps_sentence(result, r)),
                ("Took", f"{counted(int(result.trainings[r]), 'network')} trained, "
                         f"{duration(float(result.seconds[r]))}"),
                ("Fitted on", f"{result.n_train:,} training rows; chosen on "
                              f"{result.n_validation:,} validation rows"),
                ("Source", about.source or "the workbench"),
            ])  # fmt: skip
        show_code(found, place, remedy)
        keep_as_model(found, place, remedy)
