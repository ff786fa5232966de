"""Whether predicted probabilities come true."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.performance import Performance
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import empty, note, shortened, whisker_style
from workbench.plots.theme import escaped, palette, template

HEIGHT = 460
ROOM = [-0.02, 1.02]


def calibration(performance: Performance, *, dark: bool = False) -> go.Figure:
    """Draw observed shares against predicted probabilities, and below how often each is said.

    A point above the diagonal happens more often than the model says.
    """
    bins, sizes = performance.calibration, performance.calibration_n
    if bins is None or sizes is None:
        return empty("A regression has no probabilities to compare.", dark=dark)
    colours = palette(dark=dark)
    predicted, observed, low, high = bins.T
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip",
        line={"color": colours.muted, "width": 1, "dash": "dot"},
    )  # fmt: skip
    figure.add_scatter(
        x=predicted,
        y=observed,
        mode="markers+lines",
        marker={"color": colours.positive, "size": 8},
        line={"color": colours.positive, "width": 1.5},
        error_y=whisker_style(high - observed, colours)
        | {"symmetric": False, "arrayminus": observed - low},
        hovertext=[
            f"{percent(o)} of {counted(n, 'row')}, predicted {percent(p)}"
            f"<br>{percent(performance.level)}: {percent(a)} to {percent(b)}"
            for p, o, a, b, n in zip(predicted, observed, low, high, sizes, strict=True)
        ],
        hoverinfo="text",
    )
    edges = performance.histogram_edges
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2,
        y=performance.histogram_counts,
        width=np.diff(edges) * 0.92,
        marker={"color": colours.size, "line": {"width": 0}},
        hovertext=[
            f"{counted(n, 'row')} from {a:.2f} to {b:.2f}"
            for n, a, b in zip(performance.histogram_counts, edges[:-1], edges[1:], strict=True)
        ],
        hoverinfo="text",
        yaxis="y2",
    )
    figure.update_layout(
        xaxis={"range": ROOM, "nticks": 6, "anchor": "y2",
               "title": {"text": f"probability of {_of(performance)}<br>dotted: as predicted"}},
        yaxis={"range": ROOM, "nticks": 6, "domain": [0.32, 1],
               "title": {"text": "observed share"}},
        yaxis2={"domain": [0, 0.22], "nticks": 3, "title": {"text": "rows"}, "rangemode": "tozero"},
    )  # fmt: skip
    error = performance.metric("calibration error")
    note(figure, words.measured(error), dark=dark)
    return figure


def _of(performance: Performance) -> str:
    return escaped(shortened(performance.calibration_of, 28))
