"""The runs that hold explanations against neighbourhoods, and what is asked of their results."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from workbench import api
from workbench.core.faithfulness import GIVEN
from workbench.core.method import Effort
from workbench.core.model import Model
from workbench.core.results import Faithfulness
from workbench.engines.lfa.advisor import QUESTIONS, questions_for
from workbench.engines.lfa.matrix import NAME
from workbench.ui.forms import params_form, settings_button
from workbench.ui.frame import errors_shown
from workbench.ui.given_explanation import Given, beside, choose_given
from workbench.ui.jobs import Answer, Ask, SomeResult, answer_to, is_under_way, was_stopped
from workbench.ui.methods import choose_background, choose_effort, choose_seed
from workbench.ui.place import Place
from workbench.ui.shapley import ask_for
from workbench.ui.state import choose
from workbench.ui.text import plain
from workbench.ui.verdict import Verdict, verdict

FAMILY = "lfa"
DRAWN = 100
MOST_PASSES = 1_000_000_000
FIRST_QUESTION = "removed"
# Questions that rows have to allow: numbers to move, gradients along a way.
OF_NUMBERS, OF_GRADIENTS = frozenset({"moved", "moved-further"}), frozenset({"path"})


@dataclass(frozen=True)
class Wanted:
    """A run, the rows that it is about in words, as a position, or how many, and what is given."""

    ask: Ask
    about: str
    row: int | None
    count: int
    given: Given | None = None


@dataclass(frozen=True)
class Known:
    """What is known so far, and what is asked of it.

    Attributes
    ----------
    row, rows
        Of the chosen row, and of rows that were drawn; None while there is nothing.
    """

    place: Place
    row: Answer[Faithfulness] | None
    rows: Answer[Faithfulness] | None
    output: str
    question: str
    budget: int | None

    @property
    def best(self) -> Answer[Faithfulness]:
        """Of both, what says more."""
        found = self.rows or self.row
        if found is None:
            raise ValueError("nothing is known yet")
        return found

    @property
    def beside(self) -> Faithfulness | None:
        """The row that is asked about."""
        return None if self.row is None else self.row.result

    @property
    def verdict(self) -> Verdict:
        """What to believe."""
        return verdict(
            self.best.result, self.question, output=self.output, budget=self.budget,
            row=self.beside,
        )  # fmt: skip


def choose_runs(place: Place, row: int | None, count: int) -> tuple[Wanted | None, Wanted | None]:
    """Choose effort and settings; returns the run on the chosen row and the one on drawn rows.

    Raises
    ------
    WorkbenchError
        If the settings do not fit each other.
    """
    record = api.list_methods()[NAME]
    levels = efforts_of(place.model, NAME)
    effort = levels[choose_effort(FAMILY, list(levels))]
    with settings_button():
        background, seed = choose_background(place, effort, FAMILY), choose_seed()
        hidden = {"output"} if place.model.schema.task == "regression" else set()
        settings = params_form(record.params, FAMILY, leave_out=hidden, defaults=effort.settings)
    given = choose_given(place, settings)
    common = {"background": background, "seed": seed}
    n_drawn = min(DRAWN, len(place.rows)) if row is not None else count
    own = drawn = None
    if row is not None:
        own = wanted_run(place, NAME, settings, row=row, count=1, given=given, **common)
    if given is not None:
        n_drawn = min(n_drawn, len(given.positions))
    if n_drawn > 1:
        drawn = wanted_run(place, NAME, settings, row=None, count=n_drawn, given=given, **common)
    for wanted in (own, drawn):
        if wanted is not None:
            st.caption(f"{plain(wanted.about)}: {wanted.ask.quote.describe()}")
    return own, drawn


def efforts_of(model: Model, method: str) -> Mapping[str, Effort]:
    """Return how hard a method may try on a model."""
    record = api.list_methods()[method]
    return {} if record.efforts is None else record.efforts(len(model.schema.features))


def wanted_run(
    place: Place, method: str, settings: Mapping[str, Any], *, row: int | None, count: int,
    background: int, seed: int, given: Given | None = None,
) -> Wanted:  # fmt: skip
    """Return a run of a method on one row, or on some that are drawn.

    Parameters
    ----------
    given
        An explanation from elsewhere to look at beside ours, where it explains the rows; of those
        that it explains some are drawn.

    Raises
    ------
    WorkbenchError
        If the settings do not fit each other.
    """
    ask = ask_for(place, method, settings, row=row, count=count, background=background, seed=seed)
    about = f"{count:,} rows" if row is None else f"row {int(place.rows.ids[row])}"
    if given is not None and row is None:
        ask = beside(ask, given, given.drawn(place, count, seed))
    elif given is not None and row in given.positions:
        ask = beside(ask, given, (int(row or 0),))
    elif given is not None:
        st.caption(f"{plain(given.entry.original_name)} does not explain {plain(about)}.")
    return Wanted(replace(ask, subject=(method, *ask.subject, row)), about, row, count, given)


def answer_about(
    place: Place, wanted: Wanted | None, kind: type[SomeResult], doing: tuple[str, str]
) -> Answer[SomeResult] | None:
    """Return the result of a run; small ones start by themselves, faults become sentences.

    Parameters
    ----------
    doing
        What it does with explanations, as a button and as a line above its progress say it.
    """
    if wanted is None:
        return None
    ask, found = wanted.ask, None
    with errors_shown():
        head, button, slot = st.empty(), st.empty(), st.container()
        offered = not ask.is_small or was_stopped(ask, place.person)
        pressed = offered and button.button(
            f"{doing[0]} explanations of {wanted.about}", icon=":material/play_arrow:",
            type="primary", key=f"run-{ask.request.method}-{wanted.about}",
        )  # fmt: skip
        found = answer_to(
            ask, place.person, kind, pressed=pressed, starts_itself=ask.is_small, slot=slot
        )
        if found is not None and not found.is_stale:
            button.empty()
        elif is_under_way(ask, place.person):
            button.empty()
            head.caption(f"{doing[1]} explanations of {plain(wanted.about)} …")
        elif found is not None:
            head.warning(f"The settings have changed since this about {plain(wanted.about)}.")
    return found


def fitting(
    row: Answer[Faithfulness] | None, rows: Answer[Faithfulness] | None
) -> tuple[Answer[Faithfulness] | None, Answer[Faithfulness] | None]:
    """Leave out of two results the older one, where they come from different settings."""
    if row is None or rows is None:
        return row, rows
    one, other = (_settings_of(answer) for answer in (row, rows))
    if one == other:
        return row, rows
    return (None, rows) if row.is_stale else (row, None)


def _settings_of(answer: Answer[Faithfulness]) -> tuple[object, ...]:
    record = answer.result.provenance
    # An explanation from elsewhere may be of one of both alone, and changes nothing of ours.
    made = {name: value for name, value in record.params.items() if name != GIVEN}
    return made, record.seed, record.background_digest, record.model_digest


def choose_question(place: Place, known: Faithfulness | None) -> str:
    """Choose what one wants to know: of the questions that rows of this kind allow."""
    offered = _offered(place.model) if known is None else questions_for(known)
    first = FIRST_QUESTION if FIRST_QUESTION in offered else offered[0]
    return str(choose(
        st.selectbox, "Question", "question", options=list(offered), default=first,
        format_func=lambda key: QUESTIONS[key].words if key in QUESTIONS else str(key),
        help="An explanation answers one question well and another one badly. The question says "
        "around which rows it has to be faithful.",
    ))  # fmt: skip


def choose_budget() -> int | None:
    """Choose how often the model may be asked for one row, when it is explained later on."""
    value = choose(
        st.number_input, "Passes per row, at most", "passes", default=None,
        valid=lambda n: isinstance(n, int | float) and 1 <= n <= MOST_PASSES and n == int(n),
        min_value=1, max_value=MOST_PASSES, step=1, value=None, placeholder="any number",
        help="How often the model may be asked for one row in use. Explanations that need more "
        "are not recommended.",
    )  # fmt: skip
    return None if value is None else int(value)


def _offered(model: Model) -> tuple[str, ...]:
    """Return the questions that rows of a model allow, as far as it is known without a result."""
    barred: frozenset[str] = frozenset()
    if all(feature.kind == "categorical" for feature in model.schema.features):
        barred |= OF_NUMBERS
    if "differentiable" not in model.capabilities:
        barred |= OF_GRADIENTS
    return tuple(key for key in QUESTIONS if key not in barred)
