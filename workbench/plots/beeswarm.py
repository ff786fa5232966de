"""Every row of an attribution as a point."""

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from workbench.core.counter_rng import stream
from workbench.core.errors import InvalidInputError
from workbench.core.results import Attribution
from workbench.core.schema import Feature
from workbench.plots import words
from workbench.plots.layout import (
    check_bars,
    cut,
    empty,
    hover,
    layout_bars,
    note,
    padded,
    shortened,
    span_of,
    title,
)
from workbench.plots.theme import Palette, palette, template

SWARM_HEIGHT = 40
# Points after which a browser is slow with SVG.
SVG_POINTS = 1500
# Slices along the axis within which the beeswarm counts neighbours.
SWARM_SLICES = 80


def beeswarm(
    attribution: Attribution,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    max_rows: int = 5000,
    webgl: bool = True,
    dark: bool = False,
) -> go.Figure:
    """Draw every row as a point: its attribution across, its feature value as colour.

    Points that would cover each other are moved up and down, the same way each time. The colour
    is the rank of the value among the rows drawn; of two categories, which one; grey where the
    value is missing or one of several categories, which have no order. Faint bars are 95 %
    sampling intervals.

    Parameters
    ----------
    max_rows
        Above it, as many rows drawn at random (always the same) are shown, and the figure says so.
    webgl
        Whether more than 1,500 points are drawn by WebGL, which keeps a browser quick; a page that
        allows no generated code cannot use it.

    Raises
    ------
    InvalidInputError
        If there is no such output, or ``max_features`` or ``max_rows`` is below 1.
    """
    which = attribution.output_index(output)
    check_bars(max_features)
    if max_rows < 1:
        raise InvalidInputError(f"A beeswarm needs at least 1 row, got {max_rows}.")
    n = len(attribution)
    if not n:
        return empty(dark=dark)
    names = attribution.importance(which)["feature"]
    shown, rest = cut(np.array([attribution.names.index(name) for name in names]), max_features)
    notes = [f"{len(rest)} more features are not shown"] if len(rest) else []
    if n > max_rows:
        attribution = attribution[np.sort(stream(0).permutation(n)[:max_rows])]
        notes.insert(0, f"{max_rows:,} of {n:,} rows, drawn at random")
    values = attribution.values[:, shown, which]
    half = attribution.half_widths()[:, shown, which]
    span = span_of(values - half, values + half, np.zeros(1), np.zeros(1))
    figure = go.Figure(layout={"template": template(dark=dark)})
    draw = go.Scattergl if webgl and values.size > SVG_POINTS else go.Scatter
    _add_points(figure, attribution, shown, which, span, draw=draw, dark=dark)
    figure.add_vline(x=0, line={"color": palette(dark=dark).muted, "width": 1}, layer="below")
    labels = [shortened(attribution.names[i]) for i in shown]
    layout_bars(figure, labels, padded(span, 0.04), each=SWARM_HEIGHT)
    interval = [] if attribution.std_errors is None else ["faint bars: 95 %"]
    said = f"attribution to {words.quantity(attribution, which)}"
    title(figure, said, "a point per row", *interval)
    if notes:
        note(figure, "; ".join(notes), dark=dark)
    return figure


def _add_points(
    figure: go.Figure,
    attribution: Attribution,
    shown: np.ndarray,
    which: int,
    span: tuple[float, float],
    *,
    draw: type[go.Scatter | go.Scattergl],
    dark: bool,
) -> None:
    """Add the points of the beeswarm: one trace with colours, one in grey for no place in them."""
    n, m = len(attribution), len(shown)
    values = attribution.values[:, shown, which]
    half = attribution.half_widths()[:, shown, which]
    y = np.arange(m) + np.stack([_jitter(values[:, j], span) for j in range(m)], axis=1)
    ranks = np.stack(
        [_rank(attribution.schema.features[i], attribution.data[:, i]) for i in shown], axis=1
    )
    decimals = words.decimals_for(float(np.abs(values).max()))
    sampled = attribution.std_errors is not None
    texts = np.array([
        [
            f"row {attribution.ids[r]}<br>"
            + hover(words.feature_is(attribution, r, int(i)), values[r, j],
                     half[r, j] if sampled else None, decimals)
            for j, i in enumerate(shown)
        ]
        for r in range(n)
    ])  # fmt: skip
    colours = palette(dark=dark)
    scale = {"colorscale": colours.scale, "cmin": 0, "cmax": 1, "colorbar": _colour_bar(colours)}
    known = ~np.isnan(ranks)
    as_line = sampled and draw is go.Scatter
    if as_line:
        _add_bars(figure, values, half, y, colours)
    for points, marker in (
        (~known, {"color": colours.missing}),
        (known, {"color": ranks[known], **scale}),
    ):
        if not points.any():
            continue
        errors = {"type": "data", "array": half[points], "color": colours.haze, "thickness": 1,
                  "width": 0}  # fmt: skip
        figure.add_trace(
            draw(
                x=values[points],
                y=y[points],
                mode="markers",
                marker={"size": 6, "opacity": 0.85, **marker},
                error_x=errors if sampled and not as_line else None,
                hovertext=texts[points],
                hoverinfo="text",
            )
        )


def _add_bars(
    figure: go.Figure, values: np.ndarray, half: np.ndarray, y: np.ndarray, colours: Palette
) -> None:
    """Draw all bars as one line with gaps: plotly takes as long for single ones as for points."""
    drawn = zip((values - half).flat, y.flat, (values + half).flat, strict=True)
    path = "".join(f"M{low:.6g},{height:.3f}H{high:.6g}" for low, height, high in drawn)
    figure.add_shape(
        type="path", path=path, xref="x", yref="y", layer="below",
        line={"color": colours.haze, "width": 1},
    )  # fmt: skip


def _colour_bar(colours: Palette) -> dict[str, object]:
    return {
        "title": {
            "text": "feature value",
            "side": "right",
            "font": {"color": colours.muted, "size": 12},
        },
        "tickvals": [0, 1],
        "ticktext": ["low", "high"],
        "tickfont": {"color": colours.muted},
        "thickness": 10,
        "outlinewidth": 0,
        "len": 0.9,
    }


def _rank(feature: Feature, values: np.ndarray) -> np.ndarray:
    """Place each value between 0 and 1: a number by its rank, one of two categories by its code."""
    if feature.kind == "categorical":
        return values if len(feature.categories) <= 2 else np.full(len(values), np.nan)
    known = ~np.isnan(values)
    ranks = np.full(len(values), np.nan)
    ordered = stats.rankdata(values[known])
    # Equal values share a colour; a single value gets the middle.
    ranks[known] = (ordered - 0.5) / max(1, len(ordered))
    return ranks


def _jitter(values: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    """Spread points that share a slice of the axis: 0, up, down, further up, further down …

    Full height is used by the fullest slice only, so height shows density; a sparse feature stays
    on its line.
    """
    slices = ((values - span[0]) / (span[1] - span[0]) * SWARM_SLICES).astype(int)
    order = np.argsort(slices, kind="stable")
    start = np.searchsorted(slices[order], slices[order], side="left")
    place = np.empty(len(values), dtype=int)
    place[order] = np.arange(len(values)) - start
    steps = (place + 1) // 2 * np.where(place % 2, 1, -1)
    return 0.38 * steps / max(6, int(np.abs(steps).max()))
