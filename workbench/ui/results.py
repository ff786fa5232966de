"""A result on a page: its figure, its numbers, and its files."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import api
from workbench.core.figures import ChosenFigure
from workbench.core.people import Person
from workbench.core.performance import Performance
from workbench.core.results import Attribution, Result, Tabular
from workbench.engines.performance.overview import Overview
from workbench.jobs.queue import Job
from workbench.plots.data import class_balance, distribution, missingness
from workbench.report import to_json, write_csv
from workbench.ui.actions import act
from workbench.ui.drawn import at_the_end, draw, in_view, is_dark
from workbench.ui.jobs import Answer
from workbench.ui.text import plain
from workbench.workspace.basket import Basket

Shown = TypeVar("Shown", bound=Tabular)
UNUSED_BUTTONS = ["select2d", "lasso2d", "autoScale2d"]


def figure(result: Result, view: str, *, name: str, alt: str, output: str | None = None) -> None:
    """Draw one view of a result; the bar above it saves what is seen as PNG."""
    options = {} if output is None else {"output": output}
    drawn = draw(result, view, **options)
    plain_figure(drawn, name=f"{name}-{view}", alt=alt)


def plain_figure(
    drawn: go.Figure,
    *,
    name: str,
    alt: str,
    on_point: Callable[[Mapping[str, Any]], None] | None = None,
) -> None:
    """Show a figure; the bar above it saves what is seen as PNG.

    Parameters
    ----------
    on_point
        Called with a point that was clicked, before the page runs again.
    """
    config = {
        "displaylogo": False,
        "modeBarButtonsToRemove": UNUSED_BUTTONS,
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": name},
    }
    # By default the bar is a dark block where the paper has no colour of its own.
    ink = "#9da7b3" if is_dark() else "#57606a"
    drawn.update_layout(modebar={"bgcolor": "rgba(0,0,0,0)", "color": ink, "activecolor": ink})
    key = f"figure-{name}"
    if on_point is None:
        st.plotly_chart(drawn, theme=None, config=config, key=key, alt=alt)
        return

    def chosen() -> None:
        for point in st.session_state[key].selection.points:
            on_point(point)

    st.plotly_chart(
        drawn, theme=None, config=config, key=key, alt=alt, on_select=chosen,
        selection_mode="points",
    )  # fmt: skip


def overview_figure(stats: Overview, what: str, feature: str = "") -> None:
    """Show one figure about a table: its ``classes``, what is ``missing``, or one ``feature``."""
    if what == "classes" and not len(stats.class_counts):
        if stats.target is None:
            st.caption("The table has no target, so there are no classes to count.")
            return
        what, feature = "feature", stats.target.feature.name
    drawn = {
        "classes": lambda: class_balance(stats, dark=is_dark()),
        "missing": lambda: missingness(stats, dark=is_dark()),
        "feature": lambda: distribution(stats, feature, dark=is_dark()),
    }[what]()
    title = {"classes": "Classes", "missing": "Missing values", "feature": feature}[what]
    st.markdown(f"**{plain(title)}**")
    plain_figure(drawn, name=f"{what}-{feature}", alt=f"{title} of {stats.name}")


def metrics_table(result: Performance) -> None:
    """Show every number of an evaluation with its interval."""
    st.markdown("**Every number**")
    heads: dict[str, Any] = {
        name: st.column_config.NumberColumn(label, format="%.4g")
        for name, label in (("value", "value"), ("low", "from"), ("high", "to"))
    }
    heads["metric"] = st.column_config.Column(width=190)  # the longest name is to be read whole
    frame = result.to_frame()
    frame = frame.loc[:, (frame != "").any()]
    st.dataframe(frame, hide_index=True, column_config=heads, height="content")


def downloads(
    answer: Answer[Shown], name: str, person: Person, *, remark: str = "", narrow: bool = False
) -> None:
    """Offer a place in the report, and the result as files, each made when it is asked for.

    Parameters
    ----------
    remark
        What the report says beside the result.
    narrow
        Whether there is little room: then files are behind a button.
    """
    width: Literal["stretch", "content"] = "content" if narrow else "stretch"
    with st.container(horizontal=True, gap="small"):
        # Which figures are in view is known when the whole page is drawn.
        slot = st.container(width=width)
        at_the_end(partial(_add_in, slot, answer, person, width, remark))
        if not narrow:
            _file_buttons(answer.result, name)
            return
        with st.popover("Files", icon=":material/download:"):
            _file_buttons(answer.result, name)


def _add_in(
    slot: DeltaGenerator, answer: Answer[Any], person: Person,
    width: Literal["stretch", "content"], remark: str,
) -> None:  # fmt: skip
    with slot:
        add_to_report(
            answer.job, person, width=width, remark=remark, figures=in_view(answer.result)
        )


def result_files(result: Tabular, name: str) -> None:
    """Offer a result that no job made as files, each made when it is asked for."""
    with st.container(horizontal=True, gap="small"):
        _file_buttons(result, name)


def _file_buttons(result: Tabular, name: str) -> None:
    files: tuple[tuple[str, str, str, str, Callable[[], bytes]], ...] = (
        ("HTML", "description", "html", "text/html", partial(_report, result, name)),
        ("CSV", "table", "csv", "text/csv", partial(_csv, result)),
        ("JSON", "data_object", "json", "application/json", lambda: to_json(result).encode()),
        ("Result file", "save", result.kind, "application/octet-stream", partial(_file, result)),
    )
    for label, icon, ending, mime, make in files:
        st.download_button(
            label, make, file_name=f"{name}.{ending}", mime=mime, on_click="ignore",
            icon=f":material/{icon}:", key=f"download-{name}-{ending}", width="stretch",
        )  # fmt: skip


def add_to_report(
    job: Job,
    person: Person,
    *,
    width: Literal["stretch", "content"] = "stretch",
    remark: str = "",
    figures: Sequence[ChosenFigure] = (),
) -> None:
    """Offer to put a finished job into the report, more figures of it, or to take it out.

    Parameters
    ----------
    figures
        Those in view, which the report then shows; none for the usual ones.
    """
    basket = Basket(person.key)
    inside = next((item for item in basket.content.items if item.job == job.id), None)
    new = [figure for figure in figures if inside is None or figure not in inside.figures]
    if inside is not None and not new:
        st.button(
            "In the report", icon=":material/check:", on_click=act, args=(basket.remove, job.id),
            help="Press to take it out again.", key=f"basket-{job.id}", width=width,
        )  # fmt: skip
        return
    told = "As it is shown here." if new else "With the usual figures of such a result."
    label = "Add to report"
    if inside is not None:
        label = "Add this view to report" if len(new) == 1 else "Add these views to report"
        told = "The result is in the report. This shows it there as it is here, too."
    st.button(
        label, icon=":material/add:", on_click=act, help=told,
        args=(basket.add, job.id, job.title, remark, tuple(new)), key=f"basket-{job.id}",
        width=width,
    )  # fmt: skip


def row_table(result: Attribution, output: str) -> None:
    """Show the values of the first row and what each one did, the largest effect first."""
    frame = result[[0]].to_frame()
    frame = frame[frame["output"] == output]
    columns = ["feature", "value", "attribution"]
    if result.sources_of_error:
        columns += ["low", "high"]
    order = np.argsort(-frame["attribution"].abs().to_numpy(), kind="stable")
    _show(frame.iloc[order][columns])


def importance_table(result: Attribution, output: str) -> None:
    """Show how much each feature moves the output on average, the largest first."""
    _show(result.importance(output))


def _show(frame: pd.DataFrame) -> None:
    number = st.column_config.NumberColumn
    heads = {
        "attribution": number("effect", format="%+.4g"),
        "importance": number("mean size of effect", format="%.4g"),
        "std_error": number("standard error", format="%.2g"),
        "mean": number("mean effect", format="%+.4g"),
        "low": number("95 % from", format="%+.4g"),
        "high": number("95 % to", format="%+.4g"),
    }
    st.dataframe(frame, hide_index=True, column_config=heads, height="content")


def _csv(result: Tabular) -> bytes:
    return _written("result.csv", partial(write_csv, result.to_frame()))


def _file(result: Result) -> bytes:
    return _written(f"result.{result.kind}", result.save)


def _report(result: Result, name: str) -> bytes:
    def write(path: Path) -> object:
        return api.write_report([result], path, title=f"Explanation {name}")

    return _written("report.html", write)


def _written(name: str, write: Callable[[Path], object]) -> bytes:
    """Return what ``write`` writes; files of ours are written as a whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()
