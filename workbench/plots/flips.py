"""Attribute flips by group: whose decision changes, and how far scores move."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.flips import KINDS, AttributeFlips
from workbench.core.wording import counted
from workbench.plots.flips_words import ENOUGH, share
from workbench.plots.layout import check_bars, layout_bars, note, shortened, title
from workbench.plots.rows import drawn_rows
from workbench.plots.theme import Palette, escaped, palette, template

ROW_HEIGHT, NAME_LENGTH, LEGEND = 46, 24, 60
# Where the two directions stand in the lane of a group.
LANES = {"adverse": -0.17, "favoured": 0.17}
DOTS = 250
SAID = {"adverse": "refused because of it", "favoured": "favoured because of it"}
AGAINST = {
    "adverse": "refused, somebody alike is not",
    "favoured": "favoured, somebody alike is not",
}


def _said(result: AttributeFlips, kind: str) -> str:
    return (AGAINST if result.mode == "conditional" else SAID)[kind]


def rates(result: AttributeFlips, *, max_groups: int = 15, dark: bool = False) -> go.Figure:
    """Draw for each group how many are refused, and how many favoured, because of the attribute.

    Whiskers are exact 95 % intervals. Hollow marks leave out alternatives that are hardly ever
    met; of conditional draws, bands show what two of one group differ by.

    Raises
    ------
    InvalidInputError
        If ``max_groups`` is below 1.
    """
    check_bars(max_groups)
    colours, groups = palette(dark=dark), _shown(result, max_groups)
    figure = go.Figure(layout={"template": template(dark=dark)})
    inks = {"adverse": colours.negative, "favoured": colours.positive}
    if result.mode == "conditional":
        _add_chance(figure, result, colours)
    for kind in ("adverse", "favoured"):
        _add_rates(figure, result, groups, kind, inks[kind])
    top = float(np.nanmax(result.rates[1:, 0][:, groups, 2]))
    _layout(figure, result, groups, top)
    figure.update_xaxes(tickformat=".1~%")
    title(figure, "share of the group", "whiskers: 95 %")
    if hidden := int((result.sizes > 0).sum()) - len(groups):
        note(figure, f"{counted(hidden, 'smaller group')} not shown", dark=dark)
    return figure


def moves(result: AttributeFlips, *, max_groups: int = 15, dark: bool = False) -> go.Figure:
    """Draw how far each person's score moves at most, by group.

    Dots are people (of many, some); diamonds are the median and the 95 % quantile of the size of
    the move, with their 95 % intervals.

    Raises
    ------
    InvalidInputError
        If ``max_groups`` is below 1.
    """
    check_bars(max_groups)
    colours, groups = palette(dark=dark), _shown(result, max_groups)
    figure = go.Figure(layout={"template": template(dark=dark)})
    size = np.abs(result.largest_moves)
    for name, ink in (("score would fall", colours.negative), ("would rise", colours.positive)):
        _add_key(figure, name, "circle", ink)
    for place, g in enumerate(groups):
        _add_people(figure, result, int(g), place, colours)
    for at, (name, symbol) in enumerate((("median", "diamond"), ("95 % quantile", "line-ns"))):
        _add_quantile(figure, result.moves[at, groups], name, symbol, colours.whisker)
    top = max(0.02, float(np.nanmax(size, initial=0.0)))
    _layout(figure, result, groups, top)
    title(figure, "largest move of the probability", f"of {result.favourable}")
    return figure


def _shown(result: AttributeFlips, most: int) -> Int[np.ndarray, " m"]:
    """Return the largest groups, in the order of their levels."""
    order = np.argsort(-result.sizes, kind="stable")[:most]
    return np.sort(order[result.sizes[order] > 0])


def _layout(
    figure: go.Figure, result: AttributeFlips, groups: Int[np.ndarray, " m"], top: float
) -> None:
    """Give each group its line; its size stands below its name, where windows are narrow."""
    labels = [
        f"{escaped(shortened(result.group_names[g], NAME_LENGTH))}<br>"
        f"{result.sizes[g]:,}{', few' if result.sizes[g] < ENOUGH else ''}"
        for g in groups
    ]
    layout_bars(figure, labels, (-0.02 * top, 1.05 * top), ROW_HEIGHT)
    figure.update_yaxes(ticktext=labels)
    figure.update_layout(
        showlegend=True, height=figure.layout.height + LEGEND,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
                "itemsizing": "constant"},
    )  # fmt: skip


def _add_rates(
    figure: go.Figure, result: AttributeFlips, groups: Int[np.ndarray, " m"], kind: str, ink: str
) -> None:
    k = KINDS.index(kind)
    lanes = np.arange(len(groups)) + LANES[kind]
    for v, (name, symbol) in enumerate(((_said(result, kind), "circle"), ("", "circle-open"))):
        drawn = result.rates[k, v, groups]
        if v and np.array_equal(drawn, result.rates[k, 0, groups], equal_nan=True):
            continue
        whiskers = {} if v else {"error_x": _whiskers(drawn, ink)}
        figure.add_scatter(
            x=drawn[:, 0], y=lanes, mode="markers", name=name or "without those hardly ever met",
            legendgroup=name or "plausible", showlegend=not v or kind == "favoured",
            marker={"size": 10, "color": ink, "symbol": symbol, "line": {"width": 2, "color": ink}},
            hoverinfo="text", hovertext=[_about(result, int(g), kind) for g in groups],
            **whiskers,
        )  # fmt: skip


def _whiskers(drawn: Float[np.ndarray, "m 3"], ink: str) -> dict[str, object]:
    value, low, high = drawn.T
    return {
        "type": "data", "array": np.nan_to_num(high - value),
        "arrayminus": np.nan_to_num(value - low), "color": ink, "thickness": 1.6, "width": 4,
    }  # fmt: skip


def _about(result: AttributeFlips, g: int, kind: str) -> str:
    k = KINDS.index(kind)
    lines = [
        f"<b>{escaped(result.group_names[g])}</b>",
        f"{_said(result, kind)}: {share(result.rates[k, 0, g])}",
    ]
    if not np.array_equal(result.rates[k, 0, g], result.rates[k, 1, g]):
        lines.append(f"without those hardly ever met: {share(result.rates[k, 1, g])}")
    return "<br>".join([*lines, f"of {counted(int(result.sizes[g]), 'row')}"])


def _add_chance(figure: go.Figure, result: AttributeFlips, colours: Palette) -> None:
    """Draw what two of one group differ by in either direction, as a band."""
    low, high = result.by_chance[1:, 1].min(), result.by_chance[1:, 2].max()
    if np.isfinite(low) and np.isfinite(high):
        figure.add_vrect(x0=float(low), x1=float(high), fillcolor=colours.haze, line_width=0,
                         layer="below")  # fmt: skip
        _add_key(figure, "two of one group differ as often", "square", colours.haze)


def _add_key(figure: go.Figure, name: str, symbol: str, ink: str) -> None:
    """Explain a mark where no single trace stands for it."""
    figure.add_scatter(
        x=[None], y=[None], mode="markers", name=name,
        marker={"symbol": symbol, "size": 10, "color": ink},
    )  # fmt: skip


def _add_people(
    figure: go.Figure, result: AttributeFlips, g: int, place: int, colours: Palette
) -> None:
    inside = np.flatnonzero((result.group == g) & (result.furthest >= 0))
    inside = inside[drawn_rows(len(inside), DOTS)]
    # The same place for the same row, whoever else is drawn.
    shift = ((result.ids[inside] * 0.6180339887) % 1 - 0.5) * 0.5
    up = result.largest_moves[inside] > 0
    for rises, ink in ((False, colours.negative), (True, colours.positive)):
        these = inside[up == rises]
        figure.add_scatter(
            x=np.abs(result.largest_moves[these]), y=place + shift[up == rises], mode="markers",
            showlegend=False,
            marker={"size": 4, "color": ink, "opacity": 0.45},
            hoverinfo="text",
            hovertext=[
                f"row {result.ids[i]}: {result.own_scores[i]:.3f}, as "
                f"{escaped(result.assignment_names[result.furthest[i]])} "
                f"{result.scores[i, result.furthest[i]]:.3f}"
                for i in these
            ],
        )  # fmt: skip


def _add_quantile(
    figure: go.Figure, drawn: Float[np.ndarray, "m 3"], name: str, symbol: str, ink: str
) -> None:
    figure.add_scatter(
        x=drawn[:, 0], y=np.arange(len(drawn)), mode="markers", name=name,
        marker={"size": 10, "color": ink, "symbol": symbol, "line": {"width": 2, "color": ink}},
        error_x=_whiskers(drawn, ink), hoverinfo="text",
        hovertext=[_quantile(name, one) for one in drawn],
    )  # fmt: skip


def _quantile(name: str, bounds: Float[np.ndarray, " 3"]) -> str:
    value, low, high = (f"{part:.3f}" if np.isfinite(part) else "unknown" for part in bounds)
    return f"{name} of the size of the move: {value} ({low} to {high})"
