"""What was tried one after another in this session: compared in one chart, undone, gone back to."""

from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from workbench.core.errors import AccessError
from workbench.core.fairness_metrics import GAPS
from workbench.core.remedies import Remedies
from workbench.core.wording import counted
from workbench.plots.remedies_iterations import Iteration, iterations, iterations_sentence
from workbench.plots.remedies_words import remedy_sentence, verdict
from workbench.ui.drawn import is_dark
from workbench.ui.frame import list_line, note
from workbench.ui.jobs import Answer
from workbench.ui.place import Place
from workbench.ui.queue import queue
from workbench.ui.remedies_choices import FAMILY, subject_of
from workbench.ui.results import plain_figure
from workbench.ui.state import open_link
from workbench.ui.text import plain

RUNS, BACK = "remedies.runs", "remedies.back"
MOST = 20
# What is chosen of a result: which remedy, which view, and the gap and rate that it draws.
LOOKED_AT = (f"{FAMILY}.shown", FAMILY, f"{FAMILY}.of_gap", f"{FAMILY}.of_rate")


@dataclass(frozen=True)
class Step:
    """One run of this session, and the remedy of it that was looked at last."""

    job: str
    remedy: str
    link: str


def remember(place: Place, found: Answer[Remedies], remedy: str) -> None:
    """Keep a finished run as the latest step, or what is looked at of one that is known."""
    steps = _steps(place)
    step = Step(found.job.id, remedy, _link_here(found))
    known = [at for at, own in enumerate(steps) if own.job == step.job]
    if known:
        steps[known[0]] = step
    else:
        steps.append(step)
        del steps[:-MOST]


def show_iterations(place: Place, found: Answer[Remedies]) -> None:
    """Compare what was tried so far, from two runs on; offer to go back, and to drop the last."""
    steps = _steps(place)
    if len(steps) < 2:
        return
    shown = [
        (step, Iteration(result, step.remedy))
        for step in steps
        if (result := _result(step, place)) is not None
    ]
    gap = found.result.gap
    alike = [pair for pair in shown if pair[1].result.group_names == found.result.group_names]
    with st.container(border=True):
        st.subheader("What you tried so far", anchor=False)
        drawn = [iteration for _, iteration in alike]
        plain_figure(
            iterations(drawn, gap=gap, dark=is_dark()), name=f"{FAMILY}-iterations",
            alt=iterations_sentence(drawn, gap=gap),
        )  # fmt: skip
        note(
            f"{GAPS[gap].title} and accuracy, step by step; 0 is the model as it is. Whiskers are "
            "95 % intervals of the change against it, over the same rows."
        )
        if len(alike) < len(shown):
            others = len(shown) - len(alike)
            note(f"{counted(others, 'step')} with other groups cannot be drawn beside these.")
        for number, (step, iteration) in enumerate(alike, 1):
            _line(number, step, iteration, found)
        st.button(
            "Undo the last", icon=":material/undo:", key=f"undo-{FAMILY}", on_click=_undo,
            args=(place,), help="Forgets the last step and goes back to the one before.",
        )  # fmt: skip


def _line(number: int, step: Step, iteration: Iteration, found: Answer[Remedies]) -> None:
    about, actions = list_line(f"{FAMILY}-{number}")
    result, remedy = iteration.result, iteration.remedy
    with about:
        title = result.titles[result.index(remedy)]
        goal = GAPS[result.gap].title
        st.markdown(f"**{number} {plain(title)}** · {plain(f'{goal}: {verdict(result, remedy)}')}")
        st.caption(plain(remedy_sentence(result, remedy)))
    if step.job == found.job.id:
        actions.caption("shown above")
    elif actions.button("Go back to it", icon=":material/history:", key=f"back-{step.job}"):
        open_link(step.link)


def _undo(place: Place) -> None:
    """Forget the last step; the page then goes to the one before."""
    steps = _steps(place)
    if len(steps) > 1:
        steps.pop()
        st.session_state[BACK] = steps[-1].link


def go_back() -> None:
    """Go to the step that an undo left, before what is chosen now becomes a step again."""
    if (link := st.session_state.pop(BACK, None)) is not None:
        open_link(link)


def _link_here(found: Answer[Remedies]) -> str:
    """Return the link of a run with what is looked at now: the remedy, the view, and its parts."""
    page, _, choices = found.job.link.partition("?")
    there = dict(parse_qsl(choices))
    for name in LOOKED_AT:
        there.pop(name, None)
        if (now := st.query_params.get(name)) is not None:
            there[name] = now
    return f"{page}?{urlencode(there)}"


def _steps(place: Place) -> list[Step]:
    every = st.session_state.setdefault(RUNS, {})
    return cast("list[Step]", every.setdefault(subject_of(place), []))


def _result(step: Step, place: Place) -> Remedies | None:
    """Return the result of a step; None where it had to make room for others."""
    try:
        found = queue().result(step.job, place.person.key)
    except AccessError:
        return None
    return found if isinstance(found, Remedies) else None
