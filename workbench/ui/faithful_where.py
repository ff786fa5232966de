"""Where each explanation is faithful: all neighbourhoods, one of them, and the rows missed most."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from workbench.core.faithfulness import EXPLANATIONS, NEIGHBOURHOODS, RANDOM, SIZE
from workbench.core.results import Faithfulness
from workbench.core.wording import percent
from workbench.engines.lfa.advisor import NOTHING
from workbench.plots.explanations import not_compared, where_of
from workbench.ui.drawn import draw
from workbench.ui.frame import note
from workbench.ui.place import Place
from workbench.ui.results import plain_figure
from workbench.ui.state import choose, put
from workbench.ui.text import plain

WORST = 6
ANCHORS = frozenset({RANDOM, SIZE})


def show_methods(
    result: Faithfulness, neighbourhood: str, output: str, *, said: str, name: str
) -> None:
    """Draw what every explanation misses where the question is about."""
    drawn = draw(
        result, "methods", neighbourhood=neighbourhood, output=output
    )  # fmt: skip
    plain_figure(drawn, name=f"{name}-methods", alt=said)


def show_matrix(result: Faithfulness, output: str, *, said: str, name: str) -> None:
    """Draw what every explanation misses in every neighbourhood; a click chooses a cell."""
    drawn = draw(result, "matrix", output=output)
    _add_targets(drawn, result)
    plain_figure(drawn, name=f"{name}-matrix", alt=said, on_point=_choose_cell)


def _add_targets(drawn: go.Figure, result: Faithfulness) -> None:
    """Lay points that cannot be seen over the cells: cells themselves cannot be clicked."""
    lanes = list(drawn.layout.yaxis.tickvals)
    points = [
        (trace.x[j], trace.y[i], trace.hovertext[i][j], result.methods[lanes.index(trace.y[i])])
        for trace in drawn.data
        for i, j in np.ndindex(len(trace.y), len(trace.x))
    ]
    x, y, texts, methods = zip(*points, strict=True)
    unseen = {"marker": {"opacity": 0}}
    drawn.add_scatter(
        x=x, y=y, mode="markers", hovertext=texts, hoverinfo="text", showlegend=False,
        marker={"size": 30, "opacity": 0}, selected=unseen, unselected=unseen,
        customdata=[
            (method, result.neighbourhoods[int(at)]) for method, at in zip(methods, x, strict=True)
        ],
    )  # fmt: skip


def _choose_cell(point: Mapping[str, Any]) -> None:
    method, neighbourhood = point["customdata"]
    if method not in ANCHORS:
        put("cell.method", method)
        put("cell.neighbourhood", neighbourhood)


def show_worst(
    place: Place, result: Faithfulness, output: str, *, method: str, neighbourhood: str
) -> None:
    """Choose a cell of the matrix, and list the rows that add most to what is missed there."""
    st.markdown("**Which rows are missed most?**")
    methods = [m for m, kind in zip(result.methods, result.types, strict=True) if kind != "anchor"]
    method = str(choose(
        st.selectbox, "Explanation", "cell.method", options=methods,
        default=method if method in methods else methods[0], format_func=EXPLANATIONS.get,
    ))  # fmt: skip
    neighbourhood = str(choose(
        st.selectbox, "Neighbourhood", "cell.neighbourhood", options=list(result.neighbourhoods),
        default=neighbourhood, format_func=NEIGHBOURHOODS.get,
    ))  # fmt: skip
    worst = result.worst(method, neighbourhood, output, WORST)
    i, j = result.method_index(method), result.neighbourhood_index(neighbourhood)
    which = result.output_index(output)
    if not len(worst):
        note(f"Not comparable: {not_compared(result, i, j, which)}.")
        return
    ratios, missed = result.ratios(which)[:, i, j], result.missed[:, i, j, which]
    if not (ratios[worst] > NOTHING).any():
        note(f"{EXPLANATIONS[method]} misses nothing {where_of(neighbourhood)}, of any row.")
        return
    share = missed / np.nansum(missed)
    with st.container(gap=None):
        for at in worst:
            _line(place, int(result.ids[at]), float(ratios[at]), float(share[at]))
    note(
        f"What {EXPLANATIONS[method]} misses {where_of(neighbourhood)}, of each row, and the share "
        "of all that it misses."
    )


def _line(place: Place, number: int, missed: float, share: float) -> None:
    """Show a row as a button that opens it, where it is among the rows of the page."""
    text = f"Row {number}: {percent(missed)} missed, {percent(share)} of all"
    at = np.flatnonzero(place.rows.ids.numpy() == number)
    if not len(at):
        note(text)
        return
    st.button(
        plain(text), icon=":material/arrow_forward:", type="tertiary", key=f"open-{number}",
        on_click=_open, args=(int(at[0]),), help=f"Look at row {number} on this page.",
    )  # fmt: skip


def _open(position: int) -> None:
    put("mode", "one")
    put("row", position)
