"""Rows about which equally good models disagree: all of them as a table, and one of them."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from workbench.core.results import RashomonSet
from workbench.plots.rashomon_words import At, has_range, nothing_sentence, row_sentence
from workbench.plots.words import quantity
from workbench.ui.frame import note
from workbench.ui.place import Place
from workbench.ui.rashomon_model import offer_other
from workbench.ui.rashomon_pick import pick_row, position_of
from workbench.ui.rashomon_views import Focus
from workbench.ui.shapley import describe_row
from workbench.ui.state import choose
from workbench.ui.text import plain

WINDOW, TABLE = 320, "equally-good-rows"


def show_rows(place: Place, result: RashomonSet, focus: Focus) -> None:
    """List rows, those that most models decide otherwise first; a press looks at one."""
    if not has_range(result, focus.where):
        note(nothing_sentence(result, focus.where))
        return
    which = result.output_index(focus.output)
    order = by_disagreement(result, focus.where, which)
    frame = result.rows_frame(focus.explorer, focus.tolerance, focus.output).iloc[order]

    def chosen() -> None:
        for line in st.session_state[TABLE].selection.rows:
            pick_row(place, result, int(order[line]))

    st.dataframe(
        _shown(frame, result), hide_index=True, height=WINDOW, key=TABLE, on_select=chosen,
        selection_mode="single-row", column_config=_heads(result, which),
    )  # fmt: skip


def by_disagreement(result: RashomonSet, where: At, which: int) -> np.ndarray:
    """Order rows by the share of models that decide otherwise, then by the width of the range."""
    width = result.high[where][:, which] - result.low[where][:, which]
    return np.lexsort((-width, -np.nan_to_num(result.flips[where])))


def show_row(place: Place, result: RashomonSet, focus: Focus) -> None:
    """Say what equally good models say of one row, and offer one that decides otherwise."""
    if not len(result) or not has_range(result, focus.where):
        return
    most = len(place.rows) - 1
    first = by_disagreement(result, focus.where, result.output_index(focus.output))[0]
    usual = position_of(place, int(result.ids[first]))
    row = choose(
        st.number_input, "Row", "row", default=usual or 0, width=160, min_value=0, max_value=most,
        step=1, help=plain(f"Position in {place.rows_name}, 0 to {most:,}."),
        valid=lambda number: isinstance(number, int) and 0 <= number <= most,
    )  # fmt: skip
    row = int(row or 0)
    note(describe_row(place, row))
    found = np.flatnonzero(result.ids == int(place.rows.ids[row]))
    if not len(found):
        note("This row is not among those that were drawn: choose another, or fewer rows.")
        return
    index = int(found[0])
    said = row_sentence(
        result, index, focus.output, explorer=focus.explorer, tolerance=focus.tolerance
    )
    st.markdown(f"**{plain(said)}**")
    offer_other(place, result, focus, index, row)


def _shown(frame: pd.DataFrame, result: RashomonSet) -> pd.DataFrame:
    shown = frame[["row", "prediction", "low", "high"]].assign(width=frame["high"] - frame["low"])
    if result.schema.n_classes:
        shown.insert(1, "decision", frame["decision"])
        shown["flips"] = 100 * frame["flips"]
    return shown


def _heads(result: RashomonSet, which: int) -> dict[str, Any]:
    config = st.column_config
    widest = 1.0 if result.schema.n_classes else float(np.nanmax(result.high - result.low))
    return {
        "row": config.NumberColumn("row", format="%d"),
        "prediction": config.NumberColumn(quantity(result, which), format="%.3g"),
        "low": config.NumberColumn("from", format="%.3g"),
        "high": config.NumberColumn("to", format="%.3g"),
        "width": config.ProgressColumn(
            "width of range", format="%.3g", min_value=0.0, max_value=widest or 1.0
        ),
        "flips": config.ProgressColumn(
            "decide otherwise", format="%.1f %%", min_value=0.0, max_value=100.0
        ),
    }
