"""What figures of profiles are drawn from: axes, bands, curves, and where the rows are."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.profiles import Profile
from workbench.core.schema import Feature
from workbench.core.wording import counted
from workbench.plots import words
from workbench.plots.layout import LABEL_LENGTH, shortened
from workbench.plots.theme import Palette, escaped, template

HEIGHT, LABEL_LINES = 440, 160
HALF = 1.96
# Where a value that is missing stands: right of the numbers, by a share of their range.
ASIDE = 0.08
TICKS = 5
# The strip below a figure that shows where the rows are, and the width of a mark of a number.
STRIP, GAP, MARK = 0.1, 0.05, 0.006


@dataclass(frozen=True)
class Axis:
    """Where the grid points of a feature stand; what is a category or missing has no line."""

    x: Float[np.ndarray, " g"]
    joined: slice
    apart: slice


def figure_of(feature: Feature, letters: int, *, dark: bool) -> go.Figure:
    """Start a figure, with room below for long names of categories."""
    room = min(LABEL_LINES, 5 * letters) if feature.kind == "categorical" else 0
    return go.Figure(layout={"template": template(dark=dark), "height": HEIGHT + room})


def most_letters(found: Profile) -> int:
    """Return the length of the longest label."""
    return max(len(label) for label in found.labels)


def axis_of(found: Profile) -> Axis:
    """Place categories side by side, numbers where they are, and what is missing beside them."""
    g = len(found.grid)
    if found.feature.kind == "categorical":
        return Axis(np.arange(g, dtype=np.float64), slice(0, 0), slice(0, g))
    known = np.isfinite(found.grid)
    stop = int(known.sum())
    x = found.grid.copy()
    if stop < g:
        low, high = (float(x[0]), float(x[stop - 1])) if stop else (0.0, 0.0)
        x[stop:] = high + ASIDE * ((high - low) or 1.0)
    return Axis(x, slice(0, stop), slice(stop, g))


def add_singles(
    figure: go.Figure,
    axis: Axis,
    curves: Float[np.ndarray, "i g"],
    colour: str,
    dash: str = "solid",
) -> None:
    """Draw single curves as one line with gaps; of categories as well, to follow a row."""
    if not len(curves):
        return
    own = axis.joined if axis.joined.stop else axis.apart
    x = np.append(axis.x[own], np.nan)
    y = np.column_stack([curves[:, own], np.full(len(curves), np.nan)])
    figure.add_scatter(
        x=np.tile(x, len(curves)), y=y.reshape(-1), mode="lines", hoverinfo="skip",
        line={"color": colour, "width": 1, "dash": dash}, connectgaps=False,
    )  # fmt: skip


def add_band(
    figure: go.Figure, axis: Axis, low: Float[np.ndarray, " g"], high: Float[np.ndarray, " g"],
    colours: Palette,
) -> None:  # fmt: skip
    """Tint between two lines; of points that stand apart draw whiskers."""
    x, own = axis.x[axis.joined], axis.joined
    if len(x):
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]), y=np.concatenate([high[own], low[own][::-1]]),
            mode="lines", line={"width": 0}, fill="toself", fillcolor=colours.haze,
            hoverinfo="skip",
        )  # fmt: skip
    for at in range(axis.apart.start, axis.apart.stop):
        figure.add_scatter(
            x=[axis.x[at]] * 2, y=[low[at], high[at]], mode="lines", hoverinfo="skip",
            line={"color": colours.whisker, "width": 1.5},
        )  # fmt: skip


def add_mean(
    figure: go.Figure, found: Profile, axis: Axis, mean: Float[np.ndarray, " g"],
    half: Float[np.ndarray, " g"], colours: Palette,
) -> None:  # fmt: skip
    """Draw the curve of the given model, with what a mouse finds there."""
    decimals = words.decimals_for(float(np.abs(mean).max())) + 1
    told = [
        f"<b>{escaped(label)}</b><br>{value:,.{decimals}f}"
        + (f" ± {wide:,.{decimals}f}" if wide else "")
        + f"<br>{counted(int(rows), 'row')} nearest"
        for label, value, wide, rows in zip(found.labels, mean, half, found.counts, strict=True)
    ]
    for own, mode in ((axis.joined, "lines+markers"), (axis.apart, "markers")):
        if own.stop > own.start:
            figure.add_scatter(
                x=axis.x[own], y=mean[own], mode=mode, hoverinfo="text", hovertext=told[own],
                line={"color": colours.positive, "width": 2.5},
                marker={"size": 6 if mode != "markers" else 9, "color": colours.positive},
            )  # fmt: skip


def name_axes(figure: go.Figure, found: Profile, what: str, axis: Axis) -> None:
    """Name both axes; a category and what is missing are named where they stand."""
    unit = f" in {found.feature.unit}" if found.feature.unit else ""
    figure.update_xaxes(title_text=escaped(shortened(f"{found.feature.name}{unit}", LABEL_LENGTH)))
    figure.update_yaxes(title_text=escaped(shortened(what, LABEL_LENGTH)), nticks=6)
    if axis.apart.stop == axis.apart.start:
        return
    ticks, named = list(axis.x[axis.apart]), found.labels[axis.apart]
    if axis.joined.stop:
        low, high = axis.x[0], axis.x[axis.joined.stop - 1]
        numbers = np.linspace(low, high, TICKS)[: TICKS if low < high else 1]
        # The last number would run into the name beside it.
        ticks = [*numbers[:-1], *ticks] if len(numbers) > 1 else [*numbers, *ticks]
        named = [*(words.number(float(tick)) for tick in ticks[: -len(named)]), *named]
    figure.update_xaxes(tickvals=ticks, ticktext=[escaped(shortened(name, 24)) for name in named])


def add_counts(
    figure: go.Figure, counts: Int[np.ndarray, " g"], axis: Axis, colours: Palette
) -> None:
    """Show how many rows are nearest to each grid point, in a strip below the figure."""
    span = float(axis.x.max() - axis.x.min()) if axis.joined.stop else 0.0
    figure.add_bar(
        x=axis.x, y=counts, width=(MARK * span) or 0.5, yaxis="y2", hoverinfo="skip",
        marker={"color": colours.others, "line": {"width": 0}},
    )  # fmt: skip
    figure.update_layout(
        yaxis={"domain": [STRIP + GAP, 1]},
        yaxis2={
            "domain": [0, STRIP], "anchor": "x", "showticklabels": False, "showgrid": False,
            "fixedrange": True, "range": [0, max(1, int(counts.max()))], "zeroline": False,
            "title": {"text": "rows", "standoff": 4, "font": {"size": 12}},
        },
        xaxis={"anchor": "y2"},
    )  # fmt: skip
