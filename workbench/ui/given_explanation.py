"""An explanation that somebody brings, to be looked at beside those that are made here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from workbench import api
from workbench.core.attribution import Attribution
from workbench.core.people import demand, may
from workbench.core.settings import settings
from workbench.core.wording import counted
from workbench.interop.uploaded import take_in
from workbench.jobs.given import attribution_in
from workbench.jobs.request import Request
from workbench.ui import cache
from workbench.ui.actions import removal
from workbench.ui.frame import errors_shown, note
from workbench.ui.jobs import Ask
from workbench.ui.own_tables import KINDS, MEGABYTE, release
from workbench.ui.place import Place
from workbench.ui.state import choose, put
from workbench.ui.text import plain, size
from workbench.workspace.given import GivenEntry, find_given, given_entries, remove_given
from workbench.workspace.store import Workspace

NONE, TURN = "", "given.turn"


@dataclass(frozen=True)
class Given:
    """An explanation that was brought, and the rows of the page that it explains.

    Attributes
    ----------
    positions
        Of these rows among the rows of the page.
    """

    entry: GivenEntry
    values: Attribution
    positions: tuple[int, ...]

    def drawn(self, place: Place, count: int, seed: int) -> tuple[int, ...]:
        """Return rows that it explains, drawn with the seed where there are more."""
        if len(self.positions) <= count:
            return self.positions
        explained = place.rows[list(self.positions)].sample(count, seed=seed).ids.tolist()
        places = {int(row): at for at, row in enumerate(place.rows.ids)}
        return tuple(sorted(places[row] for row in explained))


def choose_given(place: Place, made: Mapping[str, Any]) -> Given | None:
    """Offer to bring an explanation, and to choose one of those that were brought.

    Parameters
    ----------
    made
        Settings of the run, which say on which scale the model is looked at.
    """
    fitting = {
        entry.name: entry
        for entry in given_entries(place.person.key)
        if (entry.model_digest, entry.table) == (place.model.digest, place.table)
    }
    if not fitting and not may(place.person, "upload"):
        return None
    with (
        st.expander("An explanation from elsewhere", icon=":material/upload_file:"),
        errors_shown(),
    ):
        name = NONE
        if fitting:
            name = str(choose(
                st.selectbox, "Beside ours", "given", options=[NONE, *fitting], default=NONE,
                format_func=lambda key: _told(fitting[key]) if key in fitting else "none",
            ))  # fmt: skip
        if may(place.person, "upload"):
            _bring(place, made)
        if name:
            return _chosen(place, fitting[name])
    return None


def _told(entry: GivenEntry) -> str:
    return f"{entry.name} ({counted(entry.n_rows, 'row')})"


def _chosen(place: Place, entry: GivenEntry) -> Given:
    path, _ = find_given(entry.reference, place.person.key)
    values = attribution_in(path)
    positions = np.flatnonzero(np.isin(place.rows.ids.numpy(), values.ids))
    n = counted(len(positions), "row")
    note(f"{entry.original_name} explains {n} of {place.rows_name}. Only these are looked at.")
    removal(
        f"The explanation {entry.name} is removed from this machine; results with it stay.",
        f"given-{entry.name}", remove_given, place.person.key, entry.name,
    )  # fmt: skip
    return Given(entry, values, tuple(positions.tolist()))


def _bring(place: Place, made: Mapping[str, Any]) -> None:
    """Take a file in as soon as it is there."""
    turn, limit = st.session_state.setdefault(TURN, 0), settings().max_file_bytes
    file = st.file_uploader(
        "Attributions of these rows", type=[*KINDS, Attribution.kind], key=f"given-{turn}",
        max_upload_size=max(1, limit // MEGABYTE),
        help="A result file of this model (.attribution), or a table: CSV, TSV, Parquet, Feather "
        "or Excel (.xlsx), with a column for each feature, or with columns feature and attribution "
        "and a line for each number. In a table a column row says which rows are meant; without "
        f"one they are all {counted(len(place.rows), 'row')} of {place.rows_name}, in their "
        f"order. At most {size(limit)}. Nothing in it is ever executed.",
    )  # fmt: skip
    if file is None:
        return
    demand(place.person, "upload")
    try:
        with st.spinner("Taking it in …"):
            workspace = Workspace(place.person.key)
            entry = take_in(
                workspace, workspace.receive(file, file.name), place.model, table=place.table,
                rows=place.rows, whole=cache.table(place.table, place.person.key),
                background=api.background_for(place.model, place.rows, fewer=True),
                output="score" if made.get("output") == "score" else "probability",
            )  # fmt: skip
    finally:
        release(file)
        st.session_state[TURN] = turn + 1
    put("given", entry.name)
    st.rerun()


def beside(ask: Ask, given: Given, rows: tuple[int, ...]) -> Ask:
    """Return a run that looks at an explanation from elsewhere beside its own, on these rows."""
    asked = ask.request.model_dump() | {
        "rows": rows, "count": None, "given": given.entry.reference,
        "given_digest": given.entry.sha256,
    }  # fmt: skip
    title = f"{ask.title}, beside {plain(given.entry.name)}"
    return replace(ask, request=Request(**asked), title=title)
