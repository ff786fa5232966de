"""What the parts of the page about local models share: rows, background, and how a run is made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from workbench import api
from workbench.core.method import Effort
from workbench.core.results import LocalFunctions, LocalModels, Result
from workbench.core.wording import counted
from workbench.ui.cards import trust_card
from workbench.ui.frame import note
from workbench.ui.jobs import Answer, Ask
from workbench.ui.place import Place
from workbench.ui.runs import answer_of
from workbench.ui.shapley import ask_for
from workbench.ui.state import put
from workbench.ui.text import plain

SomeResult = TypeVar("SomeResult", bound=Result)
SomeLocal = TypeVar("SomeLocal", bound=LocalModels | LocalFunctions)


@dataclass(frozen=True)
class Look:
    """What a part of the page looks at.

    Attributes
    ----------
    row
        Position of one row; None for ``count`` rows that are drawn.
    output
        Whose probability or value is explained.
    """

    place: Place
    row: int | None
    count: int
    output: str

    @property
    def one(self) -> bool:
        """Whether it is about a single row."""
        return self.row is not None

    @property
    def about(self) -> str:
        """The rows in words, as people number them."""
        if self.row is None:
            return counted(self.count, "row")
        return f"row {int(self.place.rows.ids[self.row])}"

    def name(self, what: str) -> str:
        """Return what figures and files of a result are called."""
        rows = self.about.replace(",", "").replace(" ", "-")
        return f"{what}-{self.place.model.card.name}-{rows}"

    def ask(
        self, method: str, settings: Mapping[str, Any], *, background: int, seed: int, way: str = ""
    ) -> Ask:
        """Return a run of a method on these rows.

        Parameters
        ----------
        way
            An older answer stays in view where this is the same.

        Raises
        ------
        WorkbenchError
            If the settings do not fit the model or each other.
        """
        asked = ask_for(
            self.place, method, settings, row=self.row, count=self.count, background=background,
            seed=seed,
        )  # fmt: skip
        return replace(asked, subject=(method, *asked.subject, self.row, way))

    def answer(self, ask: Ask, kind: type[SomeResult], verb: str) -> Answer[SomeResult] | None:
        """Return the result of a run, or say what is going on or what to do."""
        verb, key = f"{verb} {self.about}", f"run-{ask.request.method}"
        return answer_of(self.place, ask, kind, verb, "play_circle", key=key)

    def trust(self, result: LocalModels | LocalFunctions) -> None:
        """Show how far to trust what is said of the chosen output."""
        trust_card(of_output(result, self.output))


def of_output(result: SomeLocal, output: str) -> SomeLocal:
    """Return a result about one of several classes alone, which checks then look at."""
    if len(result.output_names) <= 2:  # what is known of one of two is known of the other
        return result
    which = result.output_index(output)
    arrays: dict[str, Any] = {
        name: value[..., [which]] for name, value in vars(result).items()
        if isinstance(value, np.ndarray) and value.ndim > 1 and name != "data"
    }  # fmt: skip
    schema = result.schema.model_copy(update={"favourable": None})
    return replace(result, **arrays, schema=schema, output_names=(output,))


def levels_of(method: str, look: Look) -> Mapping[str, Effort]:
    """Return the levels of effort that a method has for this model."""
    efforts = api.list_methods()[method].efforts
    return {} if efforts is None else efforts(len(look.place.model.schema.features))


def open_button(look: Look, number: int, text: str, *, key: str) -> None:
    """Show a line about a row as a button that opens it on this page.

    Parameters
    ----------
    number
        The row's number in its table.
    """
    at = np.flatnonzero(look.place.rows.ids.numpy() == number)
    if not len(at):  # an older answer, and a table that has changed since
        note(text)
        return
    st.button(
        plain(text), icon=":material/arrow_forward:", type="tertiary", key=f"open-{key}-{number}",
        on_click=_open, args=(int(at[0]),), help=f"Look at row {number} alone.",
    )  # fmt: skip


def _open(position: int) -> None:
    put("mode", "one")
    put("row", position)
