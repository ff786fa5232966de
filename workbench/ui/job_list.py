"""The list of jobs: what waits, runs and has ended, each with what can be done with it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from workbench.core.people import Person, may
from workbench.core.wording import counted
from workbench.engines.fastshap.train import NAME as TRAINING
from workbench.jobs.queue import Job
from workbench.ui.actions import act, show_fault
from workbench.ui.frame import answer, empty_state, errors_shown, list_line
from workbench.ui.jobs import AT_ONCE, STATES, again_button, cancel_button, progress_text
from workbench.ui.queue import queue
from workbench.ui.results import add_to_report
from workbench.ui.state import choose, open_link
from workbench.ui.text import duration, plain

# Seconds between looks: while something waits or runs, and otherwise.
REFRESH, RARELY = 1.0, 10.0
SHOWN = 25


def job_list(person: Person) -> None:
    """Show a person's jobs; an administrator may look at everybody's."""
    with st.container(horizontal=True, vertical_alignment="center"):
        small = choose(
            st.toggle, "Show quick looks too", "small", default=False,
            help=f"Runs of at most {AT_ONCE:,} model evaluations, which pages start by themselves.",
        )  # fmt: skip
        everyone = may(person, "administer") and person.key != "local" and choose(
            st.toggle, "Everybody's jobs", "everyone", default=False,
        )  # fmt: skip
    active = any(job.is_active for job in _jobs(person, everyone=bool(everyone)))
    st.fragment(_list, run_every=REFRESH if active else RARELY)(
        person, small=bool(small), everyone=bool(everyone), active=active
    )


def _jobs(person: Person, *, everyone: bool) -> Sequence[Job]:
    return queue().everyone() if everyone else queue().jobs(person.key)


def _list(person: Person, *, small: bool, everyone: bool, active: bool) -> None:
    """Show the list as it is now, often while there is something to watch."""
    show_fault()
    with errors_shown():
        jobs = _jobs(person, everyone=everyone)
        if any(job.is_active for job in jobs) != active:
            st.rerun()
        answer(_sentence(jobs))
        chosen = [job for job in jobs if small or job.is_active or job.evaluations > AT_ONCE]
        if not chosen:
            _nothing(hidden=len(jobs))
            return
        for job in chosen[:SHOWN]:
            _show(job, person)
        if len(chosen) > SHOWN:
            st.caption(f"and {len(chosen) - SHOWN:,} older ones")


def _nothing(*, hidden: int) -> None:
    said = (
        f"Nothing large has been run. {hidden:,} quick look{'s' * (hidden != 1)} can be shown."
        if hidden
        else "Nothing has been run yet. Explain something, and it appears here: it goes on when "
        "you close the window, and its result stays."
    )
    with empty_state(said, "assignment_turned_in", height=240):
        if st.button("Explain a prediction", icon=":material/waterfall_chart:"):
            open_link("shapley?")


def _sentence(jobs: Sequence[Job]) -> str:
    """Say in one line how things stand.

    Examples
    --------
    >>> _sentence([])
    'Nothing is running.'
    """
    running = sum(job.state == "running" for job in jobs)
    waiting = sum(job.state == "queued" for job in jobs)
    done = sum(job.state == "done" for job in jobs)
    if not running and not waiting:
        return f"Nothing is running; {done:,} finished." if done else "Nothing is running."
    return f"{running:,} running, {waiting:,} waiting, {done:,} finished."


def _show(job: Job, person: Person) -> None:
    word, icon = STATES[job.state]
    with st.container(border=True, gap="xsmall"):
        about, actions = list_line(job.id)
        with about:
            st.markdown(f"{icon} **{plain(job.title)}**")
            whose = "" if job.owner == person.key else f" · of {job.owner}"
            st.caption(plain(f"{word} · {_when(job)}{whose}"))
        with actions:
            _actions(job, person)
        if job.is_active:
            st.progress(job.fraction, text=plain(progress_text(job)))
        if job.error:
            st.caption(f":material/error: {plain(job.error)}")


def _actions(job: Job, person: Person) -> None:
    if job.owner != person.key:
        if job.is_active:
            cancel_button(job, job.owner)
        return
    if job.link and st.button("Open", icon=":material/open_in_new:", key=f"open-{job.id}"):
        open_link(job.link)
    if job.is_active:
        cancel_button(job, person.key)
        return
    if job.state != "done" or job.error:
        again_button(job, person)
    elif job.method != TRAINING:  # what it makes is kept with the model, and no result to read
        add_to_report(job, person, width="content")
    st.button(
        "Remove", icon=":material/delete:", key=f"remove-{job.id}", on_click=act,
        args=(queue().remove, job.id, person.key), help="Takes the job off this list.",
    )  # fmt: skip


def _when(job: Job) -> str:
    """Say when a job was submitted and how long it took."""
    age = max(0.0, datetime.now(UTC).timestamp() - job.created)
    said = f"{duration(age)} ago" if age >= 1 else "just now"
    if job.started and job.finished:
        said += f" · took {duration(job.finished - job.started)}"
    return f"{said} · at most {counted(job.evaluations, 'model evaluation')}"
