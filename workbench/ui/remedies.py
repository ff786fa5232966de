"""The page about remedies: what would help against a gap, what it costs, and who pays for it."""

import streamlit as st

from workbench.core.remedy_reading import most_helpful, tried
from workbench.core.results import Remedies
from workbench.plots.remedies_words import (
    multiplicity_sentence,
    remedies_sentence,
    remedy_sentence,
)
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.needs import lacks_classes, lacks_labels
from workbench.ui.place import Place
from workbench.ui.remedies_choices import FAMILY, choose_run, choose_wish
from workbench.ui.remedies_iterations import go_back, remember, show_iterations
from workbench.ui.remedies_views import choose_remedy, remedy_card, show_views
from workbench.ui.runs import show_part
from workbench.ui.text import plain

WHAT_IT_DOES = (
    "Each remedy is fitted on the training rows and judged on rows that it has not seen: seconds "
    "to minutes."
)


def remedies(place: Place) -> None:
    """Choose what to even out and what to try, run it, and show what came of it."""
    go_back()
    if lacks_classes(
        place, "nobody is granted or refused anything",
        "The page Fairness compares its errors by group.",
    ) or lacks_labels(place, "What would help"):  # fmt: skip
        return
    part = show_part(
        place, Remedies, _choose, key=FAMILY, heading="What to even out, and how",
        verb="Try the remedies", icon="balance", words=WHAT_IT_DOES,
    )  # fmt: skip
    if (found := part.found) is None:
        with part.said:
            answer("Nothing is known yet: choose what to even out and how, and try it.")
        return
    result = found.result
    with part.said, errors_shown():
        _say(result)
    with part.left, errors_shown():
        remedy = choose_remedy(result)
        show_views(found, place, remedy)
    with part.below, errors_shown():
        remedy_card(found, place, remedy)
        if not found.is_stale:
            remember(place, found, remedy)
        show_iterations(place, found)
    part.end(result)


def _choose(place: Place) -> Ask | str:
    wish = choose_wish(place)
    return wish if isinstance(wish, str) else choose_run(place, wish)


def _say(result: Remedies) -> None:
    """Answer the question of the page: what helps, whom, and how sure that is."""
    answer(remedies_sentence(result))
    if (best := most_helpful(result)) is not None:
        st.markdown(plain(remedy_sentence(result, best)))
    note(multiplicity_sentence(result))
    for remark in result.provenance.notes:  # rows that were seen before make numbers too good
        note(f"{remark[:1].upper()}{remark[1:]}.")
    if len(tried(result)) > 1:
        note(
            "Of several that are judged on the same rows, the best one looks better than it "
            "is: expect a little less of it on new rows."
        )
