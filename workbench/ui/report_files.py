"""The files of a report: written in a process of its own, and handed over when they are there."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from workbench.analysis import analysis_of, to_yaml
from workbench.analysis.building import (
    OUT,
    Build,
    Order,
    cancel_build,
    find_build,
    start_build,
)
from workbench.core.errors import AccessError, WorkbenchError
from workbench.core.people import Person, demand
from workbench.core.wording import counted
from workbench.jobs.queue import Job
from workbench.operations.chromium import find_chromium
from workbench.ui.actions import act, show_fault
from workbench.ui.frame import errors_shown, note
from workbench.ui.queue import queue
from workbench.ui.text import plain
from workbench.workspace.basket import Basket, Content, Item

POLL = 0.5
ORDERED = "report.order"
MIMES = {
    "html": ("HTML", "description", "text/html", "One page that opens anywhere, offline."),
    "pdf": ("PDF", "picture_as_pdf", "application/pdf", "The same on paper."),
    "json": ("JSON", "data_object", "application/json", "Every number, for programs."),
    "zip": ("CSV", "table", "application/zip", "A table for each result, for spreadsheets."),
    "ipynb": ("notebook", "terminal", "application/x-ipynb+json", "Runs the steps in Python."),
    "yaml": ("analysis file", "replay", "application/yaml", "Runs it all again: workbench run."),
}


def known_jobs(content: Content, person: Person) -> dict[str, Job]:
    """Return the jobs of what was put aside that are still there."""
    found = {}
    for item in content.items:
        try:
            found[item.job] = queue().get(item.job, person.key)
        except AccessError:
            continue
    return found


def _order(content: Content, person: Person) -> Order | None:
    """Return what to write of what is finished; None where nothing is.

    Every result is read for the digest of its numbers, so it is made once for each content.

    Raises
    ------
    InvalidInputError
        If one name stood for two models or tables.
    """
    jobs = known_jobs(content, person)
    items = [
        item for item in content.items
        if item.job in jobs and jobs[item.job].state == "done" and not jobs[item.job].error
    ]  # fmt: skip
    if not items:
        return None
    made_of = (content, tuple((item.job, jobs[item.job].key) for item in items))
    if st.session_state.get(ORDERED, (None,))[0] != made_of:
        st.session_state[ORDERED] = (made_of, _ordered(content, items, person))
    order: Order = st.session_state[ORDERED][1]
    return order


def _ordered(content: Content, items: Sequence[Item], person: Person) -> Order:
    analysis = analysis_of(
        [queue().request(item.job, person.key) for item in items],
        title=content.heading,
        comments=[part.strip() for part in content.comment.split("\n\n") if part.strip()],
        level=content.level,
        titles=[item.heading for item in items],
        remarks=[item.remark for item in items],
        figures=[item.figures for item in items],
        results=[queue().result(item.job, person.key) for item in items],
    )
    jobs = tuple(item.job for item in items)
    return Order(owner=person.key, analysis=to_yaml(analysis), jobs=jobs, pdf=_prints())


def report_files(basket: Basket, person: Person) -> None:
    """Offer to write the report, and its files once they are written.

    Raises
    ------
    InvalidInputError
        If what was put aside cannot be one report.
    """
    st.markdown("**Hand it over**")
    order = _order(basket.content, person)
    if order is None:
        note("None of the results is ready yet.")
        return
    build = find_build(order, basket.built)
    if build.state == "running":
        _progress(order, basket.built)
        return
    if build.state == "done":
        if build.error:
            st.warning(plain(build.error), icon=":material/warning:")
        _downloads(build, basket.built)
        return
    if build.error:
        st.error(plain(build.error), icon=":material/error:")
    elif build.state == "cancelled":
        note("Cancelled.")
    elif build.state == "interrupted":
        note("The workbench was stopped while it was written.")
    st.button(
        "Write the report", type="primary", icon=":material/draft:", width="stretch",
        on_click=act, args=(_start, order, basket.built, person),
    )  # fmt: skip
    note(
        f"{counted(len(order.jobs), 'result')} as HTML, {'PDF, ' * order.pdf}JSON, CSV, a "
        "notebook, and the analysis file that runs it all again."
    )


def _prints() -> bool:
    """Tell whether there is a browser that prints."""
    try:
        find_chromium()
    except WorkbenchError:
        return False
    return True


def _start(order: Order, folder: Path, person: Person) -> None:
    demand(person, "run_small")
    start_build(order, folder)


@st.fragment(run_every=POLL)
def _progress(order: Order, folder: Path) -> None:
    """Show how far the writing is, and Cancel; the page runs again when it is over."""
    show_fault()
    with errors_shown():
        build = find_build(order, folder)
        if build.state != "running":
            st.rerun()
        st.progress(build.percent / 100, text=plain(build.message or "starting"))
        st.button(
            "Cancel", icon=":material/stop_circle:", key="cancel-report", on_click=act,
            args=(cancel_build, folder),
        )  # fmt: skip


def _downloads(build: Build, folder: Path) -> None:
    makers: dict[str, Callable[[], bytes]] = {
        suffix: path.read_bytes for suffix, path in build.files.items()
    }
    for suffix, make in makers.items():
        label, icon, mime, about = MIMES[suffix]
        st.download_button(
            f"Download {label}", make, file_name=_name(suffix), mime=mime, help=about,
            on_click="ignore", icon=f":material/{icon}:", key=f"report-{suffix}", width="stretch",
            type="primary" if suffix == "html" else "secondary",
        )  # fmt: skip
    st.download_button(
        "Download everything", partial(_everything, folder / OUT), file_name="report-all.zip",
        mime="application/zip", on_click="ignore", icon=":material/folder_zip:", width="stretch",
        key="report-all", type="tertiary",
        help="The files above and the results themselves, in a folder that workbench run "
        "--against compares with.",
    )  # fmt: skip
    note("After a change it is written anew.")
    if "pdf" not in build.files:
        note("There is no PDF: it is printed by Chromium, which this machine lacks.")


def _name(suffix: str) -> str:
    names: Mapping[str, str] = {
        "zip": "report-csv.zip", "ipynb": "analysis.ipynb", "yaml": "analysis.yaml"
    }  # fmt: skip
    return names.get(suffix, f"report.{suffix}")


def _everything(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return content.getvalue()
