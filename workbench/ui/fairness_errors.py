"""For whom a model of a number errs more: groups compared, and how sure that is."""

from typing import Any

import streamlit as st

from workbench.core.error_audit import MEASURES
from workbench.core.results import ErrorAudit
from workbench.engines.fairness.errors import NAME
from workbench.plots.error_audit import OFF, errors_sentence
from workbench.plots.words import counting_sentence
from workbench.ui.drawn import draw
from workbench.ui.fairness_choices import FAMILY
from workbench.ui.fairness_comparison import compare_groups
from workbench.ui.frame import answer, errors_shown, note
from workbench.ui.place import Place
from workbench.ui.results import downloads, plain_figure
from workbench.ui.state import choose

VIEWS = {"groups": "Groups", "gaps": "Gaps"}
ABOUT = {
    "groups": "A whisker is what the measure could be with this many rows. A group whose target "
    "varies more is predicted worse by any model.",
    "gaps": "The grey band is what people dealt out at random would show: a gap inside it says "
    "nothing. Filled dots are beyond chance after correction for all gaps that were looked at.",
}


def who_is_predicted_worse(place: Place) -> None:
    """Compare the errors of groups, and show the answer."""
    part = compare_groups(place, NAME, ErrorAudit)
    if (found := part.found) is None:
        return
    name = f"group-errors-{place.model.card.name}"
    with part.left, st.container(border=True), errors_shown():
        _show(found.result, name, part.said)
        downloads(found, name, place.person)
    part.end(found.result)


def _show(result: ErrorAudit, name: str, said: Any) -> None:
    names = list(result.partition_names)
    by = str(choose(
        st.selectbox, "Groups by", f"{FAMILY}.partition", options=names, default=names[0], width=260
    ))  # fmt: skip
    view = str(choose(
        st.segmented_control, "View", f"{FAMILY}.view", options=list(VIEWS), default="groups",
        format_func=VIEWS.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    options: dict[str, Any] = {"partition": by}
    if view == "groups":
        options["measure"] = choose(
            st.selectbox, "Measure", f"{FAMILY}.measure", options=list(MEASURES), default=OFF,
            format_func=lambda measure: MEASURES[measure][0], width=260,
        )  # fmt: skip
    told = errors_sentence(result, names.index(by))
    with said:
        answer(told)
        if counted := counting_sentence(result):
            note(counted)
    plain_figure(draw(result, view, **options), name=f"{name}-{view}", alt=told)
    note(ABOUT[view])
    with st.expander("The numbers of every group", icon=":material/table:"):
        frame = result.to_frame()
        st.dataframe(frame[frame["partition"] == by], hide_index=True, height="content")
