"""What matters here, and why: a gap chosen beforehand, with a reason that goes into the report."""

import streamlit as st

from workbench.core.fairness_metrics import GAPS
from workbench.core.people import Person
from workbench.jobs.queue import Job
from workbench.ui.actions import act
from workbench.ui.fairness_choices import FAMILY
from workbench.ui.state import choose
from workbench.workspace.basket import Basket

# The reason is a person's own words: it is kept with the session, not in the address.
WHY, TYPED = "own.fairness_why", "widget.fairness_why"
MOST = 1500


def choose_primary(job: Job | None, person: Person) -> str:
    """Choose the gap that matters and say why; returns the remark for the report, or nothing."""
    primary = str(choose(
        st.selectbox, "The gap that matters here", f"{FAMILY}.primary", options=["", *GAPS],
        default="", format_func=lambda name: GAPS[name].title if name else "not chosen yet",
        help="Not all can be closed at once. Choose before you look, and write down why.",
        then=lambda: _keep(job, person),
    ))  # fmt: skip
    st.session_state[TYPED] = st.session_state.get(WHY, "")
    st.text_area(
        "Why this one", key=TYPED, max_chars=MOST, height=90, on_change=_keep, args=(job, person),
        placeholder="Who bears which mistake, and what the decision is for.",
    )  # fmt: skip
    if primary:
        st.caption(f"Compares {GAPS[primary].says}.")
    return remark(primary, str(st.session_state.get(WHY, "")))


def remark(primary: str, why: str) -> str:
    """Write a choice and its reason as a remark.

    Examples
    --------
    >>> remark("true_positive_rate_difference", "A refusal costs a student a year.")
    'The gap that matters here: equal opportunity difference. A refusal costs a student a year.'
    >>> remark("", "")
    ''
    """
    if not primary:
        return why.strip()
    title = GAPS[primary].title
    return f"The gap that matters here: {title[0].lower()}{title[1:]}. {why.strip()}".strip()


def _keep(job: Job | None, person: Person) -> None:
    """Keep what was typed, also where the result is in the report already."""
    st.session_state[WHY] = st.session_state.get(TYPED, "")
    if job is None:
        return
    basket = Basket(person.key)
    if any(item.job == job.id for item in basket.content.items):
        primary = str(st.session_state.get(f"widget.{FAMILY}.primary", ""))
        act(basket.remark, job.id, remark(primary, st.session_state[WHY]))
