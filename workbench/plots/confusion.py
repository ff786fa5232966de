"""Which classes a model takes for which."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.performance import Performance
from workbench.core.wording import counted, percent
from workbench.plots.layout import note, shortened, write_cells
from workbench.plots.theme import blended, escaped, ink_on, palette, template

# Classes up to which a cell holds both numbers, the count alone, and none.
BOTH, COUNTS = 6, 12
CELL_HEIGHT = 34
LETTERS = 16


def confusion(performance: Performance, *, dark: bool = False) -> go.Figure:
    """Draw rows by true and predicted class; colour and per cent are shares of the true class.

    Raises
    ------
    InvalidInputError
        If the result is one of a regression.
    """
    shares, counts = performance.row_shares, performance.confusion
    assert counts is not None  # noqa: S101 - or the line above has raised
    colours = palette(dark=dark)
    k = len(performance.classes)
    names = [escaped(name) for name in performance.classes]
    full = colours.positive
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_heatmap(
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=[[0, colours.grid], [1, full]],
        showscale=False,
        xgap=2,
        ygap=2,
        hovertext=[
            [
                f"true {names[i]}<br>predicted {names[j]}<br>{counted(counts[i, j], 'row')}"
                f"{'' if np.isnan(shares[i, j]) else f'<br>{percent(shares[i, j])} of true'}"
                for j in range(k)
            ]
            for i in range(k)
        ],
        hoverinfo="text",
    )
    if k <= COUNTS:
        cells = []
        for i, j in np.ndindex(k, k):
            share = float(np.nan_to_num(shares[i, j]))
            text = f"{counts[i, j]:,}"
            if k <= BOTH and not np.isnan(shares[i, j]):
                text += f"<br>{percent(share)}"
            ink = ink_on(blended(colours.grid, full, share))
            cells.append((j, i, text, ink))
        write_cells(figure, cells, 13 if k <= BOTH else 11)
    length = LETTERS if k <= BOTH else 10
    names = [escaped(shortened(name, length)) for name in performance.classes]
    labels = {"tickvals": list(range(k)), "ticktext": names}
    figure.update_layout(height=max(320, 150 + CELL_HEIGHT * k), margin={"t": 34})
    figure.update_xaxes(**labels, title_text="predicted", showgrid=False, tickangle=_angle(names))
    figure.update_yaxes(
        **labels, title_text="true", showgrid=False, autorange="reversed", ticklabelstandoff=6
    )
    by_weight = ", rows by weight" if performance.weighted else ""
    note(figure, f"rows; colour: share of the true class{by_weight}", dark=dark)
    return figure


def _angle(names: list[str]) -> int:
    """Turn names that would run into each other side by side."""
    return -90 if sum(len(name) for name in names) > 36 else 0
