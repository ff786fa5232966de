"""Two models against each other: each row where one puts it and where the other does."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.wording import counted
from workbench.engines.performance.agreement import Agreement
from workbench.plots.theme import escaped, palette, template


def agreement_figure(found: Agreement, *, dark: bool = False) -> go.Figure:
    """Draw a point per row; on the diagonal both models say the same."""
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": 440})
    low = float(min(found.first.min(), found.second.min()))
    high = float(max(found.first.max(), found.second.max()))
    figure.add_scatter(
        x=[low, high], y=[low, high], mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": colours.muted, "width": 1, "dash": "dot"},
    )  # fmt: skip
    for same, name, colour in (
        (True, "same answer", colours.positive), (False, "another answer", colours.negative),
    ):  # fmt: skip
        chosen = np.flatnonzero(found.same == same)
        if not len(chosen):
            continue
        figure.add_scattergl(
            x=found.first[chosen], y=found.second[chosen], mode="markers",
            name=f"{name} · {counted(len(chosen), 'row')}", customdata=found.ids[chosen],
            marker={"color": colour, "size": 5, "opacity": 0.55,
                    "symbol": "circle" if same else "diamond"},
            hovertemplate="row %{customdata}<br>%{x:.3f} and %{y:.3f}<extra></extra>",
        )  # fmt: skip
    what = escaped(found.output)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis_title=f"{what}, {escaped(found.names[0])}",
        yaxis_title=f"{what}, {escaped(found.names[1])}",
    )
    return figure
