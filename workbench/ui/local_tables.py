"""Coefficients of local models and functions in numbers."""

from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from workbench.core.results import LocalFunctions, LocalModels
from workbench.plots.local_functions import TIMES
from workbench.ui.frame import note

Local = LocalModels | LocalFunctions
LINES, WINDOW = 16, 460


def coefficient_table(result: Local, output: str, name: str) -> None:
    """Show the coefficients of the first row that were selected, the largest first.

    Parameters
    ----------
    name
        Column that says what a coefficient is about.
    """
    frame = result[[0]].to_frame()
    frame = frame[(frame["output"] == output) & frame["selected"] & (frame["coefficient"] != 0)]
    frame = frame.iloc[np.argsort(-frame["coefficient"].abs().to_numpy(), kind="stable")]
    frame = frame.assign(half=frame["high"] - frame["coefficient"])
    columns = [name, "coefficient", "half"]
    if name == "feature":
        columns.insert(1, "value")
    meanings = list(dict.fromkeys(frame["meaning"]))
    if len(meanings) == 1:
        note(f"Each coefficient stands for: {meanings[0]}.")
    else:
        columns.append("meaning")
    number = st.column_config.NumberColumn
    heads = {
        "coefficient": number(format="%+.4g"),
        "half": number("± (95 %)", format="%.2g"),
        "meaning": st.column_config.TextColumn("stands for", width="large"),
    }
    st.dataframe(frame[columns], hide_index=True, column_config=heads, height=_height(frame))


def mean_table(result: Local, output: str) -> None:
    """Show how large each coefficient is over the rows, the largest first; zeros are left out."""
    frame = _means(result, result.output_index(output))
    config = st.column_config
    heads: dict[str, Any] = {
        "size": config.ProgressColumn(
            "mean size of coefficient", format="%.4g", min_value=0.0,
            max_value=float(frame["size"].max()) if len(frame) else 1.0,
        ),
        "mean": config.NumberColumn("mean coefficient", format="%+.4g"),
        "selected": config.NumberColumn("in local models", format="%.0f %%"),
    }  # fmt: skip
    st.dataframe(frame, hide_index=True, column_config=heads, height=_height(frame))


def _means(result: Local, which: int) -> pd.DataFrame:
    names, values = list(result.names), result.coefficients[..., which]
    selected = result.selected[..., which]
    if isinstance(result, LocalFunctions) and result.pairs:
        names += [f"{names[i]} {TIMES} {names[j]}" for i, j in result.pairs]
        pairs = result.pair_coefficients[..., which]
        values = np.concatenate([values, pairs], 1)
        selected = np.concatenate([selected, np.ones_like(pairs, dtype=bool)], 1)
    frame = pd.DataFrame({
        "feature": names,
        "size": np.abs(values).mean(0),
        "mean": values.mean(0),
        "selected": 100 * selected.mean(0),
    })
    frame = frame[frame["size"] > 0].sort_values("size", ascending=False, kind="stable")
    return frame.drop(columns="selected") if (frame["selected"] == 100).all() else frame


def _height(frame: pd.DataFrame) -> int | Literal["content"]:
    """Show a short table as a whole, and a window of a long one."""
    return "content" if len(frame) <= LINES else WINDOW
