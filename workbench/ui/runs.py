"""Runs within a page: asked once, computed once, stopped on request."""

import time
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.ui.cost import Quote, remember_speed
from workbench.ui.frame import Place

RESULTS, LATEST, ASKED, RUNNING, CANCELLED = (
    f"run.{name}" for name in ("results", "latest", "asked", "running", "cancelled")
)
KEPT = 8
# A run this small starts without being asked; it takes a second or so on a CPU.
AT_ONCE = 10_000_000
# Before this many seconds a progress bar would only flicker.
PATIENCE = 0.4
REFRESH = 0.1


@dataclass(frozen=True)
class Request:
    """Everything that decides a result; two equal requests have the same one.

    Attributes
    ----------
    digest
        Digest of the model.
    row
        Position of the row within the split; None for ``count`` rows drawn with the seed.
    settings
        Parameters of the method as pairs.
    """

    digest: str
    table: str
    split: str
    row: int | None
    count: int
    method: str
    background: int
    seed: int
    settings: tuple[tuple[str, Any], ...]

    @property
    def subject(self) -> tuple[object, ...]:
        """What is explained, whichever way: an older answer about it may stay in view."""
        return self.digest, self.table, self.split, self.row is None

    def rows(self, table: Table) -> Table:
        """Take the rows out of the split."""
        return table.sample(self.count, seed=self.seed) if self.row is None else table[[self.row]]


@dataclass(frozen=True)
class Answer:
    """A result, and whether it still answers what is asked now."""

    result: Attribution
    is_stale: bool


def answer_to(
    request: Request, quote: Quote, place: Place, *, asked: bool, slot: DeltaGenerator
) -> Answer | None:
    """Return the result of a request, computing it where it is small or was asked for.

    A click anywhere ends a page's script, and with it the run: the progress bar is where it
    notices. A run that was asked for starts again then, unless the click was on Cancel or the
    request is another one by now.

    Returns
    -------
    The result; else the latest one about the same subject; None where there is none.

    Raises
    ------
    WorkbenchError
        If the engine refuses.
    """
    state = st.session_state
    results: dict[Request, Attribution] = state.setdefault(RESULTS, {})
    latest: dict[object, Request] = state.setdefault(LATEST, {})
    if asked:
        state[ASKED] = request
        state.pop(CANCELLED, None)
    wanted = state.get(ASKED) == request or (request.row is not None and is_small(quote))
    if request not in results and wanted and state.get(CANCELLED) != request:
        results[request] = _compute(request, quote, place, slot)
        while len(results) > KEPT:
            del results[next(iter(results))]
    if request in results:
        latest[request.subject] = request
        return Answer(results[request], is_stale=False)
    older = results.get(latest[request.subject]) if request.subject in latest else None
    return None if older is None else Answer(older, is_stale=True)


def is_small(quote: Quote) -> bool:
    """Tell whether a run may start without being asked."""
    return quote.evaluations <= AT_ONCE


def was_cancelled(request: Request) -> bool:
    """Tell whether the user stopped this very run."""
    return bool(st.session_state.get(CANCELLED) == request)


def _compute(request: Request, quote: Quote, place: Place, slot: DeltaGenerator) -> Attribution:
    st.session_state[RUNNING] = request
    rows = request.rows(place.rows)
    background = api.background_for(
        place.model, place.rows, n=request.background, seed=request.seed
    )
    result = api.explain(
        place.model, rows, background, method=request.method, seed=request.seed,
        progress=_Bar(slot), **dict(request.settings),
    )  # fmt: skip
    slot.empty()
    remember_speed(quote, result.provenance)
    return result


class _Bar:
    """Progress with a Cancel button; each change lets Streamlit end the script, if it must."""

    def __init__(self, slot: DeltaGenerator) -> None:
        self._slot = slot
        self._bar: DeltaGenerator | None = None
        self._next = time.monotonic() + PATIENCE

    def __call__(self, done: int, total: int, message: str) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + REFRESH
        if self._bar is None:
            panel = self._slot.container(horizontal=True, vertical_alignment="center")
            self._bar = panel.empty()
            panel.button("Cancel", icon=":material/stop_circle:", on_click=_cancel, key="cancel")
        self._bar.progress(min(1.0, done / total), text=f"{done:,} of {total:,} {message}")


def _cancel() -> None:
    st.session_state[CANCELLED] = st.session_state.get(RUNNING)
    st.session_state.pop(ASKED, None)
