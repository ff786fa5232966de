"""The report: results put aside, in an order, with what the author says of them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from workbench.core.people import Person
from workbench.core.wording import counted
from workbench.jobs.queue import Job
from workbench.ui.actions import act, show_fault
from workbench.ui.frame import answer, empty_state, errors_shown, list_line, note, side_by_side
from workbench.ui.jobs import STATES, again_button, cancel_button, progress_text
from workbench.ui.report_figures import chosen_figures
from workbench.ui.report_files import known_jobs, report_files
from workbench.ui.report_import import bring_analysis
from workbench.ui.state import open_link
from workbench.ui.text import plain
from workbench.workspace.basket import MAX_COMMENT, MAX_REMARK, MAX_TITLE, Basket, Item, Level

LEVELS: Mapping[Level, str] = {"summary": "Summary", "analyst": "Analyst", "auditor": "Auditor"}
MEANT: Mapping[Level, str] = {
    "summary": "Answers, one figure each, and every caveat: for who decides.",
    "analyst": "Figures, tables, checks and how each was made: for who works with it.",
    "auditor": "Everything, with all values, settings and digests: for who checks it.",
}
POLL = 1.0
# Results on the page at once: each has a dozen widgets, and a browser is slow with thousands.
AT_ONCE, PART = 10, "report-part"


def report_builder(person: Person) -> None:
    """Show what was put aside, let it be ordered and commented, and offer the files."""
    basket = Basket(person.key)
    content = basket.content
    if not content.items:
        answer("Nothing has been put aside yet.")
        with empty_state(
            "Press Add to report under any result. Results keep their numbers, their uncertainty "
            "and how they were made.",
            "note_add",
        ):
            if st.button("Explain a prediction", icon=":material/waterfall_chart:"):
                open_link("shapley?")
        bring_analysis(person, basket)
        return
    jobs = known_jobs(content, person)
    answer(_sentence(len(content.items), sum(_is_ready(job) for job in jobs.values())))
    left, right = side_by_side("report")
    with left, errors_shown():
        _list(person)
        bring_analysis(person, basket)
    with right:
        with st.container(border=True), errors_shown():
            _about(basket)
        with st.container(border=True), errors_shown():
            report_files(basket, person)


def _sentence(n: int, ready: int) -> str:
    """Say how many results there are to hand over.

    Examples
    --------
    >>> _sentence(2, 1), _sentence(1, 1)
    ('1 of 2 results is ready to hand over.', '1 result is ready to hand over.')
    >>> _sentence(2, 0)
    'Nothing is ready to hand over yet.'
    """
    if not ready:
        return "Nothing is ready to hand over yet."
    verb = "is" if ready == 1 else "are"
    if ready < n:
        return f"{ready:,} of {counted(n, 'result')} {verb} ready to hand over."
    return f"{counted(n, 'result')} {verb} ready to hand over."


def _is_ready(job: Job) -> bool:
    return job.state == "done" and not job.error


def _about(basket: Basket) -> None:
    """Ask for heading, comments and readers."""
    content = basket.content
    st.markdown("**About the report**")
    st.text_input(
        "Heading", max_chars=MAX_TITLE,
        **_field("report-heading", content.heading, partial(_rename, basket)),
    )  # fmt: skip
    st.text_area(
        "Comment", max_chars=MAX_COMMENT, height=110,
        placeholder="What is the report about, and what follows from it?",
        **_field("report-comment", content.comment, basket.comment),
    )  # fmt: skip
    chosen: Level = st.segmented_control(
        "Level", list(LEVELS), format_func=LEVELS.__getitem__, required=True,
        **_field("report-level", content.level, basket.address),
    )  # fmt: skip
    note(MEANT[chosen])


def _rename(basket: Basket, heading: str) -> None:
    if heading.strip():
        basket.rename(heading)


def _list(person: Person) -> None:
    """List what was put aside; while jobs run it looks after them."""
    jobs = known_jobs(Basket(person.key).content, person)
    (_watched if any(job.is_active for job in jobs.values()) else _items)(person)


@st.fragment(run_every=POLL)
def _watched(person: Person) -> None:
    show_fault()
    with errors_shown():
        jobs = known_jobs(Basket(person.key).content, person)
        if not any(job.is_active for job in jobs.values()):
            st.rerun()
        _items(person)


def _items(person: Person) -> None:
    basket = Basket(person.key)
    content = basket.content
    jobs = known_jobs(content, person)
    for place, item in list(enumerate(content.items))[_part(len(content.items))]:
        first, last = not place, place == len(content.items) - 1
        _show(item, basket, jobs.get(item.job), person, first=first, last=last)


def _part(n: int) -> slice:
    """Choose which of many results to look at."""
    if n <= AT_ONCE:
        return slice(n)
    starts = list(range(0, n, AT_ONCE))
    if st.session_state.get(PART) not in starts:
        st.session_state[PART] = starts[-1] if PART in st.session_state else 0
    st.segmented_control(
        "Results", starts, key=PART, required=True,
        format_func=lambda start: f"{start + 1:,} to {min(start + AT_ONCE, n):,}",
    )  # fmt: skip
    start = int(st.session_state[PART])
    return slice(start, start + AT_ONCE)


def _show(
    item: Item, basket: Basket, job: Job | None, person: Person, *, first: bool, last: bool
) -> None:
    with st.container(border=True, gap="small"):
        about, actions = list_line(f"item-{item.job}")
        about.markdown(f"**{plain(item.heading or item.title)}**")
        if item.heading:
            about.caption(plain(item.title))
        with actions:
            _actions(item, basket, job, first=first, last=last)
        _state(job, person)
        if job is not None and _is_ready(job):
            chosen_figures(item, basket, person)
        _words(item, basket)


def _actions(item: Item, basket: Basket, job: Job | None, *, first: bool, last: bool) -> None:
    st.button(
        "Up", icon=":material/arrow_upward:", key=f"up-{item.job}", disabled=first, type="tertiary",
        on_click=act, args=(basket.move, item.job, -1),
    )  # fmt: skip
    st.button(
        "Down", icon=":material/arrow_downward:", key=f"down-{item.job}", disabled=last,
        type="tertiary", on_click=act, args=(basket.move, item.job, 1),
    )  # fmt: skip
    if job is not None and job.link and st.button(
        "Open", icon=":material/open_in_new:", key=f"open-{item.job}", type="tertiary"
    ):  # fmt: skip
        open_link(job.link)
    st.button(
        "Remove", icon=":material/delete:", key=f"out-{item.job}", type="tertiary", on_click=act,
        args=(basket.remove, item.job),
    )  # fmt: skip


def _state(job: Job | None, person: Person) -> None:
    """Say of a job that is no result yet how it stands."""
    if job is None:
        st.warning("It is no longer there: its job was removed. Remove it here too.")
        return
    if _is_ready(job):
        return
    if job.is_active:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.fraction, text=plain(progress_text(job)))
            cancel_button(job, person.key)
        return
    word, icon = STATES[job.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{icon} {plain(job.error or word)}")
        again_button(job, person)


def _words(item: Item, basket: Basket) -> None:
    with st.expander("Title and remark", icon=":material/edit_note:", expanded=bool(item.remark)):
        st.text_input(
            "Title", max_chars=MAX_TITLE, placeholder=item.title,
            **_field(f"head-{item.job}", item.heading, partial(basket.head, item.job)),
        )  # fmt: skip
        st.text_area(
            "Remark", height=80, max_chars=MAX_REMARK,
            placeholder="What should the reader notice?",
            **_field(f"remark-{item.job}", item.remark, partial(basket.remark, item.job)),
        )  # fmt: skip


def _field(key: str, kept: str, keep: Callable[[Any], object]) -> dict[str, Any]:
    """Have a field show what is kept, whichever window wrote it, and keep only what is typed."""
    if st.session_state.get(key) != kept:
        st.session_state[key] = kept
    return {"key": key, "on_change": lambda: act(keep, st.session_state[key])}
