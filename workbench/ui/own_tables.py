"""The tables that a person has brought, uploads that wait, and the room that is left."""

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from workbench.core.people import Person
from workbench.core.settings import settings
from workbench.core.wording import counted
from workbench.ui import cache
from workbench.ui.actions import act, removal
from workbench.ui.frame import answer, list_line
from workbench.ui.state import open_link
from workbench.ui.text import duration, plain, size
from workbench.workspace import sources
from workbench.workspace.records import Draft, TableEntry
from workbench.workspace.store import Workspace

DRAFT, TURN, EDITED = "upload.draft", "upload.turn", "upload.edited"
KINDS = ["csv", "tsv", "txt", "parquet", "pq", "feather", "arrow", "xlsx"]
MEGABYTE = 2**20


def own_tables(person: Person) -> None:
    """List the person's tables with what can be done with each."""
    workspace = Workspace(person.key)
    workspace.clean_up()
    tables = workspace.tables()
    usage = workspace.usage()
    n = len(tables)
    answer(
        f"You have {n:,} table{'s' * (n != 1)} here; {size(usage.total)} of {size(usage.limit)} "
        "are used."
        if n
        else "Bring a table of your own: it stays in your folder, and nobody else sees it."
    )
    for entry in tables:
        _show(entry, workspace, person)


def _show(entry: TableEntry, workspace: Workspace, person: Person) -> None:
    schema = workspace.table_schema(entry.name)
    fitting = _model_for(entry.reference, person)
    with st.container(border=True):
        about, actions = list_line(f"table-{entry.name}")
        with about:
            much = (
                counted(entry.n_rows, "row"), counted(entry.n_features, "feature"),
                size(entry.n_bytes),
            )  # fmt: skip
            st.markdown(f"**{plain(entry.name)}** · {', '.join(much)}")
            target = f"target {schema.target}" if schema.target else "no target"
            st.caption(plain(f"{target} · from {entry.original_name}"))
            if not fitting:
                st.caption("No model here reads these columns yet.")
        with actions:
            _actions(entry, workspace, fitting)


def _actions(entry: TableEntry, workspace: Workspace, fitting: str | None) -> None:
    if fitting and st.button("Explain", icon=":material/waterfall_chart:", key=f"use-{entry.name}"):
        open_link(f"shapley?model={fitting}&table={entry.reference}")
    if entry.mapping is None:
        st.button(
            "Edit", icon=":material/edit:", key=f"edit-{entry.name}", on_click=_edit,
            args=(entry.name,), help="Read the file again with another schema.",
        )  # fmt: skip
    removal(
        f"The table {entry.name} and its file are removed from this machine.",
        entry.name, workspace.remove_table, entry.name,
    )  # fmt: skip


def _edit(name: str) -> None:
    st.session_state[EDITED] = name
    st.session_state.pop(DRAFT, None)


def edited_table() -> str | None:
    """Return the name of the table whose columns are being changed."""
    name = st.session_state.get(EDITED)
    return None if name is None else str(name)


def _model_for(reference: str, person: Person) -> str | None:
    for entry in sources.list_models(person.key):
        model = cache.card(entry.reference, person.key)
        if model is not None and reference in cache.tables_for(model.schema, person.key):
            return entry.reference
    return None


def upload_table(person: Person) -> Draft | None:
    """Take a file in; returns the upload that is being looked at, if there is one.

    The file leaves the memory of the browser's session as soon as it lies in the folder.

    Raises
    ------
    WorkbenchError
        If it is too large or too much; nothing is kept then.
    """
    workspace = Workspace(person.key)
    turn = st.session_state.setdefault(TURN, 0)
    limit = settings().max_file_bytes
    given = st.file_uploader(
        "A file with a header and a row for each case",
        type=KINDS, key=f"upload-{turn}", max_upload_size=max(1, limit // MEGABYTE),
        help=f"CSV, TSV, Parquet, Feather or Excel (.xlsx), at most {size(limit)}. "
             "Nothing in it is ever executed.",
    )  # fmt: skip
    if given is not None:
        try:
            with st.spinner("Taking it in …"):
                draft = workspace.receive(given, given.name)
        finally:
            release(given)
            st.session_state[TURN] = turn + 1
        st.session_state[DRAFT] = draft.id
        st.session_state.pop(EDITED, None)
        st.rerun()
    waiting = workspace.drafts()
    chosen = next((d for d in waiting if d.id == st.session_state.get(DRAFT)), None)
    _others(workspace, [draft for draft in waiting if draft != chosen])
    return chosen


def release(given: UploadedFile) -> None:
    """Take a file out of the server's memory, where Streamlit keeps it until the window closes."""
    given.close()
    context = get_script_run_ctx()
    kept = None if context is None else context.uploaded_file_mgr
    if context is not None and isinstance(kept, MemoryUploadedFileManager):
        kept.remove_file(context.session_id, given.file_id)


def _others(workspace: Workspace, waiting: list[Draft]) -> None:
    if not waiting:
        return
    hours = duration(settings().draft_hours * 3600)
    n = len(waiting)
    with st.expander(f"{n} unfinished upload{'s' * (n != 1)}, each kept for {hours}"):
        for draft in waiting:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(f"{draft.original_name}, {size(draft.n_bytes)}"), width="stretch")
                st.button("Go on", key=f"on-{draft.id}", on_click=_go_on, args=(draft.id,))
                st.button(
                    "Discard",
                    key=f"off-{draft.id}",
                    on_click=act,
                    args=(workspace.discard, draft),
                )


def _go_on(key: str) -> None:
    st.session_state[DRAFT] = key
    st.session_state.pop(EDITED, None)
