"""Features of a network that adds modulo p, as pictures of the two numbers."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.core.errors import InvalidInputError
from workbench.numerics.fourier_terms import GridFeature
from workbench.plots.theme import palette, template

PANEL, GAP, AROUND = 150, 48, 70


def sums(features: Sequence[GridFeature], *, dark: bool = False) -> go.Figure:
    """Draw the strongest features of each layer by x (down) and y (across).

    A layer is a line of pictures, its strongest feature first. Above each stands the wave that
    holds most of its variance. Colours say how far a feature is above or below its mean.

    Raises
    ------
    InvalidInputError
        If there is no feature.
    """
    layers = list(dict.fromkeys(one.layer for one in features))
    if not layers:
        raise InvalidInputError("A picture needs at least 1 feature, got none.")
    most = max(one.number for one in features)
    places = {(layers.index(one.layer), one.number - 1): one for one in features}
    cells = [(row, column) for row in range(len(layers)) for column in range(most)]
    height = AROUND + len(layers) * (PANEL + GAP)
    figure = make_subplots(
        rows=len(layers), cols=most, horizontal_spacing=0.03,
        vertical_spacing=GAP / (height - AROUND),
        subplot_titles=[_named(places.get(cell)) for cell in cells],
    )  # fmt: skip
    colours = palette(dark=dark)
    figure.update_layout(template=template(dark=dark), height=height)
    figure.update_layout(margin={"t": 56, "b": 24})
    figure.update_annotations(font={"size": 11, "color": colours.text})
    figure.update_xaxes(showticklabels=False, showgrid=False, ticks="")
    figure.update_yaxes(showticklabels=False, showgrid=False, ticks="", autorange="reversed")
    scale = [[0.0, colours.negative], [0.5, colours.surface], [1.0, colours.positive]]
    for (row, column), one in places.items():
        mean = float(one.grid.mean())
        reach = float(np.abs(one.grid - mean).max()) or 1.0
        figure.add_heatmap(
            z=one.grid, zmin=mean - reach, zmax=mean + reach, colorscale=scale, showscale=False,
            hovertemplate="x %{y}, y %{x}: %{z:+.3g}<extra></extra>", row=row + 1, col=column + 1,
        )  # fmt: skip
    for row, column in set(cells) - set(places):
        figure.update_xaxes(visible=False, row=row + 1, col=column + 1)
        figure.update_yaxes(visible=False, row=row + 1, col=column + 1)
    for row, layer in enumerate(layers):
        figure.update_yaxes(title_text=f"{layer}: x", row=row + 1, col=1)
    figure.update_xaxes(title_text="y", row=len(layers))
    return figure


def _named(feature: GridFeature | None) -> str:
    """Name a feature by its strongest wave, which of several positions is at one of them."""
    if feature is None:
        return ""
    if not feature.waves:
        return "no wave"
    wave = feature.waves[0]
    return f"{wave.label}<br>{100 * wave.share:.0f} %"
