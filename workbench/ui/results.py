"""A result on a page: its figure, its numbers, and its files."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from workbench import api
from workbench.core.results import Attribution
from workbench.plots import render
from workbench.report import to_json, write_csv

UNUSED_BUTTONS = ["select2d", "lasso2d", "autoScale2d"]


def is_dark() -> bool:
    """Tell whether the user looks at the dark theme."""
    return bool(st.context.theme.type == "dark")


def figure(result: Attribution, view: str, *, name: str, alt: str, output: str) -> None:
    """Draw one view of a result; the bar above it saves what is seen as PNG."""
    config = {
        "displaylogo": False,
        "modeBarButtonsToRemove": UNUSED_BUTTONS,
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": f"{name}-{view}"},
    }
    drawn = render(result, view, output=output, dark=is_dark())
    st.plotly_chart(drawn, theme=None, config=config, key=f"figure-{view}", alt=alt)


def downloads(result: Attribution, name: str) -> None:
    """Offer the result as files, each made when it is asked for."""
    files: tuple[tuple[str, str, str, str, Callable[[], bytes]], ...] = (
        ("Report", "description", "html", "text/html", partial(_report, result, name)),
        ("CSV", "table", "csv", "text/csv", partial(_csv, result)),
        ("JSON", "data_object", "json", "application/json", lambda: to_json(result).encode()),
        ("Result file", "save", "attribution", "application/octet-stream", partial(_file, result)),
    )
    with st.container(horizontal=True, gap="small"):
        for label, icon, ending, mime, make in files:
            st.download_button(
                label, make, file_name=f"{name}.{ending}", mime=mime, on_click="ignore",
                icon=f":material/{icon}:", key=f"download-{ending}", width="stretch",
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


def _csv(result: Attribution) -> bytes:
    return _written("result.csv", partial(write_csv, result.to_frame()))


def _file(result: Attribution) -> bytes:
    return _written("result.attribution", result.save)


def _report(result: Attribution, name: str) -> bytes:
    def write(path: Path) -> object:
        return api.write_report([result], path, title=f"Explanation {name}")

    return _written("report.html", write)


def _written(name: str, write: Callable[[Path], object]) -> bytes:
    """Return what ``write`` writes; files of ours are written as a whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()
