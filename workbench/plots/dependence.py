"""One feature: its value across, its attribution up, another feature as colour."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from workbench.core.results import Attribution
from workbench.core.schema import Feature
from workbench.numerics.apparent_interaction import apparent_interaction
from workbench.plots import words
from workbench.plots.feature_axis import MISSING, Axis, axis_of, top_groups
from workbench.plots.layout import NO_ROWS, empty, hover, shortened, title
from workbench.plots.rows import SYMBOLS, check_rows, drawn_rows, sample_note, scatter_of, wrapped
from workbench.plots.theme import Palette, escaped, palette, template

HEIGHT = 460
LEGEND_HEIGHT = 40
# Points after which error bars would cover each other.
POINTS_WITH_BARS = 200
# Categories in the legend; the less frequent ones come together.
NAMED = 5
LETTERS = 16
# Rows, the style of their points, and their name in the legend.
_Points = list[tuple[np.ndarray, dict[str, object], str | None]]
TOO_FEW = "A dependence needs at least 2 rows: choose more and run again."


@dataclass(frozen=True)
class Apparent:
    """How much other features seem to change the effect of one.

    Attributes
    ----------
    shares
        Of each feature, the share of the attribution that it explains where the value is equal;
        NaN where there is nothing to compare.
    """

    feature: int
    shares: np.ndarray

    @property
    def strongest(self) -> int | None:
        """The feature with the largest share; None where none is above 0."""
        found = np.nan_to_num(self.shares, nan=0.0)
        return int(found.argmax()) if found.max() > 0 else None


def interactions_of(
    attribution: Attribution, feature: str | None = None, output: str | int | None = None
) -> Apparent:
    """Judge which features seem to change the effect of one: the most important by default.

    Raises
    ------
    WorkbenchError
        If there is no such feature or output.
    """
    which = attribution.output_index(output)
    chosen = _most_important(attribution, which) if feature is None else (
        attribution.schema.index(feature)
    )  # fmt: skip
    is_category = np.array([f.kind == "categorical" for f in attribution.schema.features])
    rows = drawn_rows(len(attribution), 10_000)
    shares = apparent_interaction(
        attribution.values[rows, chosen, which], attribution.data[rows], chosen, is_category
    )
    return Apparent(chosen, shares)


def dependence(
    attribution: Attribution,
    *,
    feature: str | None = None,
    colour: str | None = None,
    output: str | int | None = None,
    max_rows: int = 3000,
    webgl: bool = True,
    dark: bool = False,
) -> go.Figure:
    """Draw every row as a point: a feature's value across, its attribution up.

    Categories lie beside each other by their mean attribution, which a dash marks; whole numbers
    are spread a little so that points do not hide each other; missing values have a lane of their
    own. The bars below count rows. Of up to 200 rows, faint bars are 95 % sampling intervals.

    Parameters
    ----------
    feature
        By default the most important one.
    colour
        Feature that colours the points; by default the one with the strongest apparent interaction
        (``numerics.apparent_interaction``).
    max_rows
        Above it, as many rows drawn at random (always the same) are shown, and the figure says so.
    webgl
        Whether more than 1,500 points are drawn by WebGL; a page that allows no generated code
        cannot use it.

    Raises
    ------
    WorkbenchError
        If there is no such feature or output, or ``max_rows`` is below 1.
    """
    which = attribution.output_index(output)
    check_rows(max_rows, "dependence")
    n = len(attribution)
    if n < 2:
        return empty(TOO_FEW if n else NO_ROWS, dark=dark)
    found = interactions_of(attribution, feature, which)
    other = found.strongest if colour is None else attribution.schema.index(colour)
    rows = drawn_rows(n, max_rows)
    part = attribution[rows]
    axis = axis_of(part.schema.features[found.feature], part.data[:, found.feature],
                    part.values[:, found.feature, which])  # fmt: skip
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    _add_points(figure, part, found.feature, other, which, axis, webgl=webgl, dark=dark)
    _add_means(figure, axis, palette(dark=dark))
    _add_counts(figure, axis, palette(dark=dark))
    _layout(figure, part, which, axis)
    unit = part.schema.features[found.feature].unit
    meaning = [f"{part.names[found.feature]}{f' in {unit}' if unit else ''}"]
    if other is not None:
        meaning.append(f"colour: {part.names[other]}")
    meaning += [*sample_note(len(rows), n), "bars below: rows"]
    if part.std_errors is not None and len(part) <= POINTS_WITH_BARS:
        meaning.append("faint bars: 95 %")
    title(figure, *meaning)
    return figure


def _add_points(
    figure: go.Figure, part: Attribution, feature: int, other: int | None, which: int, axis: Axis,
    *, webgl: bool, dark: bool,
) -> None:  # fmt: skip
    colours = palette(dark=dark)
    values = part.values[:, feature, which]
    sampled = part.std_errors is not None
    half = part.half_widths()[:, feature, which]
    decimals = words.decimals_for(float(np.abs(values).max()))
    texts = np.array([
        f"row {part.ids[r]}<br>"
        + hover(words.feature_is(part, r, feature), values[r], half[r] if sampled else None,
                decimals)
        + ("" if other is None else f"<br>{escaped(words.feature_is(part, r, other))}")
        for r in range(len(part))
    ])  # fmt: skip
    draw = scatter_of(len(part), webgl=webgl)
    bars = sampled and len(part) <= POINTS_WITH_BARS
    for chosen, marker, name in _colouring(part, other, colours):
        errors = {"type": "data", "array": half[chosen], "color": colours.haze, "thickness": 1,
                  "width": 0}  # fmt: skip
        figure.add_trace(
            draw(
                x=axis.x[chosen],
                y=values[chosen],
                mode="markers",
                name=name,
                showlegend=name is not None,
                marker={"size": 6, "opacity": 0.8, **marker},
                error_y=errors if bars else None,
                hovertext=texts[chosen],
                hoverinfo="text",
            )
        )


def _colouring(part: Attribution, other: int | None, colours: Palette) -> _Points:
    """Return the traces: which rows, in which colours, under which name in the legend."""
    n = len(part)
    if other is None:
        return [(np.arange(n), {"color": colours.size}, None)]
    feature, values = part.schema.features[other], part.data[:, other]
    known = ~np.isnan(values)
    if feature.kind == "categorical" or not known.any():
        groups, names = top_groups(feature, values, NAMED)
        inks = [*colours.classes[:NAMED], colours.others]
        found: _Points = []
        for i, name in enumerate(names):
            ink = colours.missing if name == MISSING else inks[min(i, len(inks) - 1)]
            rows = np.flatnonzero(groups == i)
            style: dict[str, object] = {"color": ink, "symbol": SYMBOLS[i % len(SYMBOLS)]}
            found.append((rows, style, escaped(shortened(name, LETTERS))))
        return found
    # Outliers would leave one colour to all others.
    low, high = (float(q) for q in np.quantile(values[known], (0.05, 0.95)))
    if low == high:
        low, high = float(values[known].min()), float(values[known].max())
    scale = {
        "color": values[known], "colorscale": colours.scale, "cmin": low,
        "cmax": high if high > low else low + 1,
        "colorbar": _colour_bar(feature, low, high, colours),
    }  # fmt: skip
    points: _Points = [(np.flatnonzero(known), scale, None)]
    if known.all():
        return points
    return [(np.flatnonzero(~known), {"color": colours.missing}, None), *points]


def _colour_bar(feature: Feature, low: float, high: float, colours: Palette) -> dict[str, object]:
    return {
        "title": {
            "text": escaped(shortened(feature.name, 24)), "side": "right",
            "font": {"color": colours.muted, "size": 12},
        },
        "tickvals": [low, high] if high > low else [low],
        "ticktext": [escaped(feature.show(v)) for v in ([low, high] if high > low else [low])],
        "tickfont": {"color": colours.muted}, "thickness": 10, "outlinewidth": 0, "len": 0.75,
        "y": 1, "yanchor": "top",
    }  # fmt: skip


def _add_means(figure: go.Figure, axis: Axis, colours: Palette) -> None:
    if axis.means is not None:
        figure.add_scatter(
            x=axis.centres, y=axis.means, mode="markers", hoverinfo="skip", showlegend=False,
            marker={"symbol": "line-ew", "size": 26,
                    "line": {"color": colours.text, "width": 2}},
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": colours.muted, "width": 1, "dash": "dot"}, layer="below")
    if axis.divider is not None:
        figure.add_vline(x=axis.divider, line={"color": colours.grid, "width": 1}, layer="below")


def _add_counts(figure: go.Figure, axis: Axis, colours: Palette) -> None:
    figure.add_bar(
        x=axis.centres, y=axis.counts, width=axis.widths, yaxis="y2", showlegend=False,
        marker={"color": colours.others, "line": {"width": 0}}, opacity=0.6,
        hovertext=[
            f"<b>{escaped(name)}</b><br>{count:,} row{'' if count == 1 else 's'}"
            for name, count in zip(axis.shown, axis.counts, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip


def _layout(figure: go.Figure, part: Attribution, which: int, axis: Axis) -> None:
    named = any(trace.showlegend for trace in figure.data)
    figure.update_layout(
        showlegend=named,
        height=HEIGHT + LEGEND_HEIGHT * named,
        margin={"t": 28 + LEGEND_HEIGHT * named},
        xaxis={"range": list(axis.range), "anchor": "y2", "nticks": 6, "showgrid": False},
        yaxis={"domain": [0.18, 1], "nticks": 7, "title": {"text": wrapped(
            f"attribution to {words.quantity(part, which)}")}},
        yaxis2={"domain": [0, 0.13], "visible": False, "rangemode": "tozero", "fixedrange": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 12},
                "itemsizing": "constant"},
    )  # fmt: skip
    if axis.ticks is not None:
        labels = [wrapped(shortened(label, 2 * LETTERS), LETTERS) for label in axis.labels]
        figure.update_xaxes(tickvals=axis.ticks, ticktext=labels)


def _most_important(attribution: Attribution, which: int) -> int:
    return int(np.abs(attribution.values[:, :, which]).mean(0).argmax())
