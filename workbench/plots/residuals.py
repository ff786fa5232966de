"""Where the errors of a regression are."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.performance import Performance
from workbench.plots import words
from workbench.plots.layout import empty, note, shortened
from workbench.plots.theme import Palette, escaped, palette, template

HEIGHT = 420
# Points after which a browser is slow with SVG.
SVG_POINTS = 1500


def residuals(performance: Performance, *, webgl: bool = True, dark: bool = False) -> go.Figure:
    """Draw truth minus prediction against the prediction: a point a row, bands for the groups.

    The bands hold the middle 50 % and 90 % of the residuals among rows with similar predictions,
    the line is their median.

    Parameters
    ----------
    webgl
        Whether more than 1,500 points are drawn by WebGL, which keeps a browser quick; a page that
        allows no generated code cannot use it.
    """
    groups, sample, ids = performance.residuals, performance.sample, performance.sample_ids
    if groups is None or sample is None or ids is None:
        return empty("A classifier has no residuals.", dark=dark)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    truth, predicted = sample.T
    digits = words.decimals_for(float(np.abs(truth - predicted).max())) + 1
    draw = go.Scattergl if webgl and len(sample) > SVG_POINTS else go.Scatter
    figure.add_trace(
        draw(
            x=predicted,
            y=truth - predicted,
            mode="markers",
            marker={"color": colours.size, "size": 5, "opacity": 0.55},
            hovertext=[
                f"row {row}<br>true {words.number(y)}, predicted {words.number(p)}"
                f"<br>{words.signed(y - p, digits)}"
                for row, y, p in zip(ids, truth, predicted, strict=True)
            ],
            hoverinfo="text",
        )
    )
    for low, high in ((1, 5), (2, 4)):
        _band(figure, groups[:, 0], groups[:, low], groups[:, high], colours)
    figure.add_scatter(
        x=groups[:, 0], y=groups[:, 3], mode="lines", hoverinfo="skip",
        line={"color": colours.negative, "width": 2},
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": colours.muted, "width": 1, "dash": "dot"})
    what = escaped(shortened(performance.schema.target or "value", 28))
    unit = performance.schema.target_unit
    end = f" in {escaped(unit)}" if unit else ""
    figure.update_xaxes(title_text=f"predicted {what}{end}", nticks=6)
    figure.update_yaxes(title_text=f"truth minus prediction{end}", nticks=7)
    few = (
        f"{len(sample):,} of {len(performance):,} rows; " if len(sample) < len(performance) else ""
    )
    note(figure, f"{few}bands: middle 50 and 90 %, line: median", dark=dark)
    return figure


def _band(
    figure: go.Figure, x: np.ndarray, low: np.ndarray, high: np.ndarray, colours: Palette
) -> None:
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=colours.haze,
        hoverinfo="skip",
    )
