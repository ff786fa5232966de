"""One feature of a layer: what excites it, what it writes, and what goes along with it."""

import re

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from workbench.core.errors import InvalidInputError
from workbench.core.local_basis import LocalBasis
from workbench.core.schema import listing
from workbench.plots.layout import empty, layout_bars, narrow_title, stacked, title, whisker_style
from workbench.plots.local_basis import CURVE_HEIGHT, features_by_name
from workbench.plots.on_paper import line_negative
from workbench.plots.theme import Palette, escaped, palette, template

LOADINGS, LABEL = 12, 20
IMAGE_HEIGHT = 340
# Names of pixels end in their row and column.
PIXEL = re.compile(r"_(\d+)_(\d+)$")
Z = 1.96


def find_feature(result: LocalBasis, name: str | None) -> tuple[int, int]:
    """Return layer and position of a feature by name.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    known = features_by_name(result)
    if not known:
        raise InvalidInputError("No layer has features; there is none to show.")
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise InvalidInputError(f"There is no feature {name!r}; choose one of {listing(known)}.")
    return known[name]


def feature(result: LocalBasis, *, feature: str | None = None, dark: bool = False) -> go.Figure:
    """Draw what excites a feature: its mean by class, or where rows of a regression lie.

    Parameters
    ----------
    feature
        As in ``feature_name``; by default the first of the inputs.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    layer, j = find_feature(result, feature)
    at = result.feature_range(layer).start + j
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    if not result.schema.n_classes:
        figure.update_layout(height=CURVE_HEIGHT)
        figure.add_scatter(
            x=result.features[:, at], y=result.predictions[:, 0], mode="markers",
            marker={"color": colours.positive, "size": 6, "opacity": 0.6},
            hovertext=[f"row {i}: feature {x:+.3g}, predicted {y:.4g}" for i, x, y in
                       zip(result.ids, result.features[:, at], result.predictions[:, 0],
                           strict=True)],
            hoverinfo="text",
        )  # fmt: skip
        figure.update_yaxes(title_text=escaped(f"predicted {result.output_names[0]}"))
        title(figure, "feature, row by row")
        return figure
    means, half = result.class_means[at], Z * result.class_errors[at]
    _bars(figure, means, half, result.output_names, colours)
    narrow_title(figure, "mean of the feature by true class", "lines: 95 %")
    return figure


def loadings(result: LocalBasis, *, feature: str | None = None, dark: bool = False) -> go.Figure:
    """Draw a feature in terms of the inputs, as an image where they are one.

    Of a feature of the inputs: the change of each column that one unit of it stands for. Of one
    further on: its correlation with each feature of the inputs over the rows that are shown.

    Raises
    ------
    InvalidInputError
        If there is no such feature.
    """
    layer, j = find_feature(result, feature)
    colours = palette(dark=dark)
    if layer:
        names, values, half = _correlations(result, result.feature_range(layer).start + j)
        said = "correlation with the input"
    else:
        names, values = list(result.input_names), result.layer(0).back[j]
        half, said = np.zeros(len(values)), "change of input per unit"
    if not names:
        return empty("No input is a number that varies, so nothing can be told.", dark=dark)
    pixels = _grid(names, values)
    if pixels is not None:
        return _image(pixels, said, float(np.median(half)), colours, dark=dark)
    order = np.argsort(-np.abs(values), kind="stable")[:LOADINGS]
    figure = go.Figure(layout={"template": template(dark=dark)})
    _bars(figure, values[order], half[order], [names[i] for i in order], colours)
    narrow_title(figure, said, *(["lines: 95 %"] if layer else []))
    return figure


def _correlations(
    result: LocalBasis, at: int
) -> tuple[list[str], Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Names of the numeric inputs, their correlations with a feature, and half their intervals."""
    columns = [i for i, each in enumerate(result.schema.features) if not each.categories]
    data, values = result.data[:, columns], result.features[:, at]
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = data - np.nanmean(data, 0) if columns else data
        centred = np.nan_to_num(centred)  # a missing value counts as the mean
        spread = np.sqrt((centred**2).sum(0) * ((values - values.mean()) ** 2).sum())
        found = np.nan_to_num((centred * (values - values.mean())[:, None]).sum(0) / spread)
    # Fisher's transform, whose standard error depends on the number of rows alone.
    error = Z / np.sqrt(max(1, len(values) - 3))
    centre = np.arctanh(np.clip(found, -0.999999, 0.999999))
    half = (np.tanh(centre + error) - np.tanh(centre - error)) / 2
    return [result.schema.features[i].name for i in columns], found, half


def _grid(names: list[str], values: Float[np.ndarray, " p"]) -> Float[np.ndarray, "h w"] | None:
    """Put values of pixels into their places; None unless every input is a pixel."""
    places = [PIXEL.search(name) for name in names]
    found = [(int(place[1]), int(place[2])) for place in places if place is not None]
    if len(found) < len(names) or len(set(found)) < len(found):
        return None
    height, width = (1 + max(axis) for axis in zip(*found, strict=True))
    if height * width > 4 * len(found):
        return None
    pixels = np.full((height, width), np.nan)
    pixels[tuple(zip(*found, strict=True))] = values
    return pixels


def _image(
    pixels: Float[np.ndarray, "h w"], said: str, half: float, colours: Palette, *, dark: bool
) -> go.Figure:
    reach = float(np.nanmax(np.abs(pixels), initial=1e-12))
    figure = go.Figure(layout={"template": template(dark=dark), "height": IMAGE_HEIGHT})
    figure.add_heatmap(
        z=pixels, zmin=-reach, zmax=reach, xgap=1, ygap=1,
        colorscale=[[0.0, colours.negative], [0.5, colours.surface], [1.0, colours.positive]],
        hovertemplate="row %{y}, column %{x}: %{z:+.3g}<extra></extra>",
        colorbar={"thickness": 8, "outlinewidth": 0, "nticks": 5, "len": 0.9},
    )  # fmt: skip
    line_negative(figure, pixels, reach, colours)
    figure.update_xaxes(constrain="domain", showgrid=False, showticklabels=False, ticks="")
    figure.update_yaxes(
        autorange="reversed", scaleanchor="x", constrain="domain", showgrid=False,
        showticklabels=False, ticks="",
    )  # fmt: skip
    figure.update_layout(margin={"l": 8, "r": 8})
    title(figure, said, *([f"95 %: ± {half:.2f}"] if half else []))
    return figure


def _bars(
    figure: go.Figure, values: Float[np.ndarray, " n"], half: Float[np.ndarray, " n"],
    names: "list[str] | tuple[str, ...]", colours: Palette,
) -> None:  # fmt: skip
    ink = [colours.positive if value > 0 else colours.negative for value in np.nan_to_num(values)]
    half = np.nan_to_num(half)
    figure.add_bar(
        x=values, y=np.arange(len(values)), orientation="h", marker={"color": ink},
        error_x=whisker_style(half, colours) if half.any() else None,
        hovertext=[f"{escaped(name)}: {value:+.3g}" + (f" ± {line:.2g}" if line else "")
                   for name, value, line in zip(names, values, half, strict=True)],
        hoverinfo="text",
    )  # fmt: skip
    reach = 1.15 * float(np.nanmax(np.abs(values) + half, initial=1e-9))
    layout_bars(figure, list(names), (-reach, reach))
    figure.update_xaxes(nticks=4)
    figure.update_yaxes(ticktext=stacked(names, LABEL, lines=2))
