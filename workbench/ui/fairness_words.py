"""What the words of an audit mean, one click away."""

import streamlit as st

from workbench.core.fairness import ENOUGH
from workbench.core.fairness_metrics import FN, FP, GAPS, RATES, TN, TP, Cells, Gap
from workbench.ui.text import plain

CELLS = {TP: "TP", FP: "FP", FN: "FN", TN: "TN"}
WAYS = {
    "difference": "greatest less least {of}",
    "ratio": "least over greatest {of}",
    "worst": "the greater of the differences of {of}",
    "mean": "the mean of the differences of {of}",
}
READING = (
    "**Intervals** are 95 %: Wilson's for a rate, and for a gap made from resampled counts. "
    "**Beyond chance** means that fewer than 5 % of random groups of the same sizes show such a "
    "gap, after Holm's correction for every gap that was looked at. The greatest gap among groups "
    "is never 0, not even where all are treated alike; the more and the smaller the groups, the "
    f"wider it is by chance alone. Groups with fewer than {ENOUGH} rows behind a rate are shown "
    "and not ranked. **Drawn together** moves rates of small groups towards the others as far as "
    "chance explains how far apart they are."
)
IMPOSSIBLE = (
    "In every group, with p its base rate, `FPR = p / (1 - p) * (1 - PPV) / PPV * (1 - FNR)`. "
    "So where base rates differ, equal positive predictive values, equal false positive rates and "
    "equal false negative rates cannot be had together, unless nobody is ever decided wrongly. "
    "Which of them matters is a choice; make it, and write down why."
)
PITFALLS = (
    "**AOD, EOD.** These letters name different things in different tools, so that they are not "
    "used here. **Labels.** All but the selection rate take the labels for the truth; labels may "
    "hold the judgement of people. **Leaving the attribute out** of a model does not remove what "
    "other columns tell about it. **Costs and thresholds** that were chosen on these rows look "
    "better on them than they are."
)


def definitions() -> None:
    """Explain rates, gaps, and what cannot be had together."""
    with st.popover("What do these words mean?", icon=":material/menu_book:", width="stretch"):
        st.markdown(
            "TP, FN: people with the favourable outcome who get the favourable decision, or are "
            "refused. FP, TN: people without it who get the favourable decision, or are refused."
        )
        st.markdown("\n".join(["| rate | of 100 … | | counts |", "|---|---|---|---|", *(
            f"| {rate.title} | {rate.of_whom} | {rate.do} | {_sum(rate.counts)} / "
            f"({_sum(rate.of)}) |"
            for rate in RATES.values()
        )]))  # fmt: skip
        st.markdown("\n".join(["| gap | compares | is | elsewhere |", "|---|---|---|---|", *(
            f"| {gap.title} | {gap.says} | {_way(gap)} | {plain(gap.aka)} |"
            for gap in GAPS.values()
        )]))  # fmt: skip
        st.markdown(READING)
        st.markdown(f"**What cannot be had together.** {IMPOSSIBLE}")
        st.markdown(f"**Pitfalls.** {PITFALLS}")


def _sum(cells: Cells) -> str:
    return " + ".join(CELLS[cell] for cell in cells)


def _way(gap: Gap) -> str:
    return WAYS[gap.way].format(of=" and ".join(RATES[rate].title.lower() for rate in gap.of))
