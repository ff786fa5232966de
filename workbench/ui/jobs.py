"""Runs within a page: asked once, computed once by a worker, stopped on request, never lost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.core.errors import AccessError
from workbench.core.people import Person, demand
from workbench.core.results import Result
from workbench.jobs.queue import Job
from workbench.jobs.request import Request
from workbench.ui.actions import act, show_fault
from workbench.ui.cost import Quote
from workbench.ui.frame import errors_shown
from workbench.ui.queue import queue
from workbench.ui.state import link_to
from workbench.ui.text import duration, plain

RESULTS, LATEST = "run.results", "run.latest"
KEPT = 8
# A run this small starts without being asked; it takes a second or so on a CPU.
AT_ONCE = 10_000_000
# How long a page waits for a run that may be over at once, before it shows progress instead.
PATIENCE = 0.35
POLL = 0.5
STOPPED = {
    "cancelled": "Cancelled: press the button to start again.",
    "interrupted": "The workbench was stopped while this was running: press the button to start "
    "again.",
    "done": "The result had to make room for others: press the button to compute it again.",
}


@dataclass(frozen=True)
class Ask:
    """A run that a page may want.

    Attributes
    ----------
    title
        What it is, for the list of jobs.
    subject
        What is explained, whichever way: an older answer about it may stay in view.
    notes
        Choices made for the user, kept with the result.
    """

    request: Request
    quote: Quote
    title: str
    subject: tuple[object, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_small(self) -> bool:
        """Whether the run may start without being asked."""
        return self.quote.evaluations <= AT_ONCE


SomeResult = TypeVar("SomeResult", bound=Result)


@dataclass(frozen=True)
class Answer(Generic[SomeResult]):
    """A result, the job it came from, and whether it still answers what is asked now."""

    result: SomeResult
    job: Job
    is_stale: bool


def answer_to(
    ask: Ask,
    person: Person,
    kind: type[SomeResult],
    *,
    pressed: bool,
    starts_itself: bool,
    slot: DeltaGenerator,
    draw: Callable[[SomeResult], None] | None = None,
) -> Answer[SomeResult] | None:
    """Return the result of a run, submitting it where it was asked for or starts by itself.

    While it runs, or when it came to nothing, ``slot`` says so, and shows what is known so far. A
    refresh, another tab and a restarted server find the same job.

    Parameters
    ----------
    draw
        Draws the result as far as it is known, again whenever more is.

    Returns
    -------
    The result; else, unless a part of it is in view, the latest one about the same subject; None
    where there is none.

    Raises
    ------
    WorkbenchError
        If the person may not run it, or a limit is reached.
    """
    job = queue().find(ask.request, person.key)
    if pressed or (job is None and starts_itself):
        job = _submit(ask, person)
    if job is not None and job.is_active:
        job = queue().wait(job.id, person.key, PATIENCE)
    if job is not None and job.state == "done":
        found = _result(job, person, kind)
        if found is None and starts_itself:  # it had to make room for others
            job = queue().wait(_submit(ask, person).id, person.key, PATIENCE)
            found = _result(job, person, kind) if job.state == "done" else None
        if found is not None:
            st.session_state.setdefault(LATEST, {})[ask.subject] = job
            return Answer(found, job, is_stale=False)
    if job is not None:
        with slot:
            if _show_state(job, person, kind, draw):
                return None
    older = st.session_state.get(LATEST, {}).get(ask.subject)
    found = None if older is None else _result(older, person, kind)
    return None if found is None or older is None else Answer(found, older, is_stale=True)


def was_stopped(ask: Ask, person: Person) -> bool:
    """Tell whether this very run came to nothing, so that it does not start by itself again."""
    job = queue().find(ask.request, person.key)
    return job is not None and job.state in {"cancelled", "interrupted", "failed"}


def is_under_way(ask: Ask, person: Person) -> bool:
    """Tell whether this very run waits or runs."""
    job = queue().find(ask.request, person.key)
    return job is not None and job.is_active


def _submit(ask: Ask, person: Person) -> Job:
    demand(person, "run_small" if ask.is_small else "run")
    return queue().submit(
        ask.request, owner=person.key, title=ask.title, cost=ask.quote.cost, notes=ask.notes,
        link=link_to(),
    )  # fmt: skip


def _result(job: Job, person: Person, kind: type[SomeResult]) -> SomeResult | None:
    """Load a result, or take it from the few that the session keeps; None if it was removed."""
    results: dict[str, Result] = st.session_state.setdefault(RESULTS, {})
    if job.id not in results:
        try:
            results[job.id] = queue().result(job.id, person.key)
        except AccessError:
            return None
        while len(results) > KEPT:
            del results[next(iter(results))]
    found = results[job.id]
    return found if isinstance(found, kind) else None


def _show_state(
    job: Job,
    person: Person,
    kind: type[SomeResult],
    draw: Callable[[SomeResult], None] | None,
) -> bool:
    """Say how far a run is or how it ended; returns whether a part of its result is in view."""
    if job.is_active:
        job_panel(job.id, person.key, kind, draw)
    elif job.error:
        st.error(plain(job.error), icon=":material/error:")
    elif job.state in STOPPED:
        st.info(STOPPED[job.state])
        if draw is not None and queue().preview(job.id, person.key) is not None:
            with st.expander("What it knew when it was stopped", icon=":material/hourglass_top:"):
                _draw_preview(job, person.key, kind, draw)
        return False
    return draw is not None and queue().preview(job.id, person.key) is not None


@st.fragment(run_every=POLL)
def job_panel(
    job_id: str,
    owner: str,
    kind: type[SomeResult] | None = None,
    draw: Callable[[SomeResult], None] | None = None,
) -> None:
    """Show how far a job is, what it knows, and Cancel; the page runs again when it is over."""
    show_fault()
    with errors_shown():
        job = queue().get(job_id, owner)
        if not job.is_active:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.fraction, text=plain(progress_text(job)))
            cancel_button(job, owner)
        if kind is not None:
            _draw_preview(job, owner, kind, draw)


def _draw_preview(
    job: Job,
    owner: str,
    kind: type[SomeResult],
    draw: Callable[[SomeResult], None] | None,
) -> bool:
    known = None if draw is None else queue().preview(job.id, owner)
    if draw is None or not isinstance(known, kind):
        return False
    draw(known)
    return True


def progress_text(job: Job) -> str:
    """Say how far a job is and how long it may still take.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> progress_text(SimpleNamespace(state="queued", position=2))
    'waiting, 2 jobs before this one'
    """
    if job.state == "queued":
        ahead = job.position
        if not ahead:
            return "starting"
        return f"waiting, {ahead} job{'s' * (ahead > 1)} before this one"
    if not job.total or not job.done:
        return "starting"
    left = "" if job.eta is None else f" · about {duration(job.eta)} left"
    return f"{100 * job.fraction:.0f} % done{left}"


def cancel_button(job: Job, owner: str) -> None:
    """Offer to stop a job; it stops between two batches."""
    st.button(
        "Cancel", icon=":material/stop_circle:", key=f"cancel-{job.id}",
        on_click=act, args=(queue().cancel, job.id, owner),
    )  # fmt: skip


def again_button(job: Job, person: Person) -> None:
    """Offer to run a job again."""
    st.button(
        "Run again", icon=":material/replay:", key=f"again-{job.id}",
        on_click=act, args=(_rerun, job, person),
    )  # fmt: skip


def _rerun(job: Job, person: Person) -> None:
    """Run a job again as whoever the person is today."""
    demand(person, "run_small" if job.evaluations <= AT_ONCE else "run")
    queue().rerun(job.id, person.key)


STATES: Mapping[str, tuple[str, str]] = {
    "queued": ("waiting", ":gray[:material/hourglass_empty:]"),
    "running": ("running", ":blue[:material/progress_activity:]"),
    "done": ("finished", ":green[:material/check_circle:]"),
    "failed": ("failed", ":red[:material/error:]"),
    "cancelled": ("cancelled", ":gray[:material/cancel:]"),
    "interrupted": ("interrupted", ":orange[:material/power_off:]"),
}
