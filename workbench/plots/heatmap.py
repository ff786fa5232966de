"""Rows beside each other, features below each other, attributions as colour."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.results import Attribution
from workbench.numerics.row_groups import similar_order
from workbench.plots import words
from workbench.plots.layout import NO_ROWS, check_bars, empty, hover, note, shortened
from workbench.plots.on_paper import line_negative
from workbench.plots.rows import Lanes, check_rows, drawn_rows, lanes_of, sample_note, wrapped
from workbench.plots.theme import Palette, escaped, palette, template

LANE = 26
FRAME = 210
TOP = 90
LETTERS = 20
# Colours are cut off at this quantile of the sizes, so that one outlier leaves some to the others.
COLOURED = 0.99
TOO_FEW = "A heatmap needs at least 2 rows: choose more and run again."


def heatmap(
    attribution: Attribution,
    *,
    output: str | int | None = None,
    max_features: int = 15,
    max_rows: int = 600,
    dark: bool = False,
) -> go.Figure:
    """Draw every row as a column of colours, rows with similar explanations beside each other.

    Above stands what the model says of each row, on the right the mean absolute attribution of
    each feature over all rows. Rows are ordered by hierarchical clustering of all attributions
    (``numerics.row_groups.similar_order``).

    Parameters
    ----------
    max_features
        Further features are added up in the last line.
    max_rows
        Above it, as many rows drawn at random (always the same) are shown, and the figure says
        so: a screen has hardly more columns.

    Raises
    ------
    InvalidInputError
        If there is no such output, or ``max_features`` or ``max_rows`` is below 1.
    """
    which = attribution.output_index(output)
    check_bars(max_features)
    check_rows(max_rows, "heatmap")
    n = len(attribution)
    if n < 2:
        return empty(TOO_FEW if n else NO_ROWS, dark=dark)
    lanes = lanes_of(attribution, which, max_features)
    rows = drawn_rows(n, max_rows)
    rows = rows[similar_order(attribution.values[rows][:, :, which])]
    part = attribution[rows]
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    decimals = words.decimals_for(float(np.abs(lanes.values).max()))
    _add_cells(figure, part, lanes, lanes.values[rows], decimals, colours)
    _add_predictions(figure, part, which, colours)
    _add_sizes(figure, lanes, decimals, colours)
    _layout(figure, part, lanes, which, colours)
    figure.add_annotation(
        x=1, y=-0.5, xref="paper", yref="y", xanchor="right", yanchor="bottom", showarrow=False,
        text="mean size", font={"color": colours.muted, "size": 12},
    )  # fmt: skip
    said = [*sample_note(len(rows), n)] or [f"{n:,} rows"]
    note(figure, "; ".join([*said, "alike side by side"]), dark=dark)
    return figure


def _add_cells(
    figure: go.Figure, part: Attribution, lanes: Lanes, values: np.ndarray, decimals: int,
    colours: Palette,
) -> None:  # fmt: skip
    limit = float(np.quantile(np.abs(values), COLOURED)) or float(np.abs(values).max()) or 1.0
    texts = [
        [
            f"row {part.ids[r]}<br>{hover(_name(part, lanes, r, lane), v, None, decimals)}"
            for r, v in enumerate(column)
        ]
        for lane, column in enumerate(values.T)
    ]
    figure.add_heatmap(
        z=values.T, zmin=-limit, zmax=limit, hovertext=texts, hoverinfo="text",
        colorscale=[[0, colours.negative], [0.5, colours.surface], [1, colours.positive]],
        colorbar={
            "orientation": "h", "thickness": 10, "outlinewidth": 0, "len": 0.62, "x": 0,
            "xanchor": "left", "y": 0, "yref": "paper", "yanchor": "top", "ypad": 34,
            "tickvals": [-limit, 0, limit],
            "ticktext": [words.number(-limit), "0", words.number(limit)],
            "tickfont": {"color": colours.muted, "size": 12},
        },
    )  # fmt: skip
    line_negative(figure, values.T, limit, colours)


def _name(part: Attribution, lanes: Lanes, row: int, lane: int) -> str:
    if lane < len(lanes.features):
        return words.feature_is(part, row, int(lanes.features[lane]))
    return lanes.names[lane]


def _add_predictions(figure: go.Figure, part: Attribution, which: int, colours: Palette) -> None:
    predictions = part.predictions[:, which]
    figure.add_scatter(
        x=np.arange(len(part)), y=predictions, yaxis="y2", mode="lines",
        line={"color": colours.text, "width": 1.2, "shape": "hvh"},
        hovertext=[
            f"row {row}<br>prediction {escaped(words.amount(part, float(value)))}"
            for row, value in zip(part.ids, predictions, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip
    base = float(part.base_values[:, which].mean())
    figure.add_scatter(
        x=[-0.5, len(part) - 0.5], y=[base, base], yaxis="y2", mode="lines",
        line={"color": colours.muted, "width": 1, "dash": "dot"},
        hovertext=f"base value {escaped(words.amount(part, base))}", hoverinfo="text",
    )  # fmt: skip


def _add_sizes(figure: go.Figure, lanes: Lanes, decimals: int, colours: Palette) -> None:
    sizes = np.abs(lanes.values).mean(0)
    rest = len(lanes.names) - len(lanes.features)
    meanings = ["mean |attribution|"] * len(lanes.features) + ["mean |sum|"] * rest
    figure.add_bar(
        x=sizes, y=np.arange(len(sizes)), xaxis="x2", orientation="h", width=0.7,
        marker={"color": colours.size, "line": {"width": 0}},
        hovertext=[
            f"{hover(name, size, None, decimals, sign=False)}<br>{what}"
            for name, size, what in zip(lanes.names, sizes, meanings, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip


def _layout(
    figure: go.Figure, part: Attribution, lanes: Lanes, which: int, colours: Palette
) -> None:
    height = FRAME + LANE * len(lanes.names)
    top = 1 - TOP / (height - 100)
    labels = [escaped(shortened(name, LETTERS)) for name in lanes.names]
    figure.update_layout(
        height=height,
        margin={"b": 84},
        xaxis={"domain": [0, 0.86], "range": [-0.5, len(part) - 0.5], "showticklabels": False,
               "showgrid": False, "ticks": "",
               "title": {"text": wrapped(f"attribution to {words.quantity(part, which)}", 48),
                         "standoff": 6}},
        xaxis2={"domain": [0.88, 1], "visible": False, "rangemode": "tozero", "fixedrange": True,
                "anchor": "y"},
        yaxis={"domain": [0, top - 0.03], "range": [len(labels) - 0.5, -0.5], "showgrid": False,
               "tickvals": list(range(len(labels))), "ticktext": labels, "ticks": "",
               "ticklabelstandoff": 6},
        yaxis2={"domain": [top, 1], "nticks": 3, "anchor": "x",
                "title": {"text": "prediction", "font": {"size": 12, "color": colours.muted}}},
    )  # fmt: skip
