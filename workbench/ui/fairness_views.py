"""Ways to look at an audit, each with its choices."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from workbench.core.fairness import FairnessAudit
from workbench.core.fairness_metrics import RATES, TPR
from workbench.numerics.audit_reading import clearest, clearest_look
from workbench.plots import views_of
from workbench.plots.fairness import COUNTED
from workbench.plots.fairness_thresholds import threshold_sentence
from workbench.plots.fairness_words import audit_sentence, conflicts_sentence
from workbench.ui.drawn import draw
from workbench.ui.fairness_choices import FAMILY
from workbench.ui.frame import note
from workbench.ui.results import plain_figure
from workbench.ui.state import choose
from workbench.ui.text import plain

VIEWS = {
    "groups": "Groups", "gaps": "Gaps", "intersections": "Crossed", "thresholds": "Thresholds",
    "roc": "Ranking", "calibration": "Calibration", "xauc": "Across groups",
}  # fmt: skip
ABOUT = {
    "groups": "A whisker is what the rate could be with this many rows. Grey rings are told by "
    "too few rows to be compared, which is no sign that they are treated alike. Drawn together "
    "moves rates told by few rows towards the others, by as much as chance may have moved them.",
    "gaps": "The grey band is what people dealt out at random would show: a gap inside it says "
    "nothing. Filled dots are beyond chance after correction for all gaps that were looked at.",
    "intersections": "Every cell is a group. Cells without colour have too few rows, or nobody.",
    "thresholds": "From the counts of this run, without asking the model again. The cheapest "
    "thresholds are chosen on these rows, and cost a little more on others.",
    "roc": "Where the dots of two groups differ, so do their errors, even on the same curve.",
    "calibration": "The same score should mean the same chance for everybody.",
    "xauc": "Down: somebody with the favourable outcome; across: somebody without it.",
}
OF_RATE = frozenset({"groups", "intersections", "thresholds"})
COUNTS = {COUNTED[0]: "As counted", COUNTED[1]: "Drawn together"}


@dataclass(frozen=True)
class Look:
    """What of an audit is looked at."""

    partition: int
    rate: str


def choose_look(result: FairnessAudit) -> Look:
    """Choose the rate and whose groups the page is about; at first the clearest gap's."""
    names, first = list(result.partition_names), clearest_look(result)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by, of = st.container(width=260), st.container(width=260)
    with of:
        rate = str(choose(
            st.selectbox, "Rate", f"{FAMILY}.rate", options=list(RATES),
            default=TPR if first is None else first[1], format_func=lambda name: RATES[name].title,
        ))  # fmt: skip
    with by:
        partition = choose(
            st.selectbox, "Groups by", f"{FAMILY}.partition", options=names,
            default=names[
                first[0] if first is not None and rate == first[1] else clearest(result, rate)
            ],
        )  # fmt: skip
    return Look(result.partition_index(str(partition)), rate)


def show_views(result: FairnessAudit, look: Look, name: str) -> None:
    """Show a view of an audit below its choices."""
    views = [view for view in VIEWS if view in views_of(result)]
    view = str(choose(
        st.segmented_control, "View", f"{FAMILY}.view", options=views, default=views[0],
        format_func=VIEWS.get, required=True, label_visibility="collapsed",
    ))  # fmt: skip
    options: dict[str, Any] = {"partition": look.partition}
    if view == "intersections" and len(result.partitions[look.partition]) < 2:
        options["partition"] = None
    if view in OF_RATE:
        options["rate"] = look.rate
    said = conflicts_sentence(result, look.partition) if view == "gaps" else (
        audit_sentence(result, look.partition, look.rate)
    )  # fmt: skip
    if view == "groups":
        options["count"] = choose(
            st.segmented_control, "Rates", f"{FAMILY}.count", options=list(COUNTED),
            default=COUNTED[0], format_func=COUNTS.get, required=True,
            label_visibility="collapsed",
        )  # fmt: skip
    if view == "thresholds":
        options |= _choose_costs()
        said = threshold_sentence(
            result, look.partition, options["threshold"], options["cost_false_positive"],
            options["cost_false_negative"],
        )  # fmt: skip
    if view in {"gaps", "thresholds"}:
        st.markdown(plain(said))
    plain_figure(draw(result, view, **options), name=f"{name}-{view}", alt=said)
    note(ABOUT[view])


def _choose_costs() -> dict[str, float]:
    with st.container(horizontal=True):
        return {
            "threshold": _slide("Threshold", "at", 0.5, 0.0, 1.0, 0.005),
            "cost_false_positive": _slide("Cost of a wrong yes", "wrong_yes", 1.0, 0.1, 10.0, 0.1),
            "cost_false_negative": _slide("Cost of a wrong no", "wrong_no", 1.0, 0.1, 10.0, 0.1),
        }


def _slide(label: str, key: str, default: float, low: float, high: float, step: float) -> float:
    return float(choose(
        st.slider, label, f"{FAMILY}.{key}", default=default, min_value=low, max_value=high,
        step=step, width=220,
        valid=lambda value: isinstance(value, int | float) and low <= value <= high,
    ))  # fmt: skip


def show_numbers(result: FairnessAudit, look: Look) -> None:
    """Show the rate of every group as a table, with sizes and reasons."""
    frame = result.to_frame()
    chosen = frame[
        (frame["partition"] == result.partition_names[look.partition])
        & (frame["rate"] == look.rate)
    ]  # fmt: skip
    number = st.column_config.NumberColumn
    heads = {
        "value": number(RATES[look.rate].title, format="percent"),
        "low": number("95 % from", format="percent"),
        "high": number("95 % to", format="percent"),
        "n": number("of rows", format="%d"),
        "size": number("rows", format="%d"),
        "difference": number("against the largest group", format="%+.3f"),
    }
    shown = pd.DataFrame(chosen[["group", "size", "n", "value", "low", "high", "difference",
                                 "reason"]])  # fmt: skip
    with st.expander("The numbers of every group", icon=":material/table:"):
        st.dataframe(shown, hide_index=True, column_config=heads, height="content")
