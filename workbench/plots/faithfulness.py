"""How far explanations can be believed: methods against neighbourhoods, and one of these alone."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.faithfulness import ADEQUATE, NEIGHBOURHOODS, Entries, Type
from workbench.core.results import Faithfulness
from workbench.core.wording import counted
from workbench.plots import words
from workbench.plots.explanations import (
    GROUPS,
    colour_of,
    groups_of,
    name_of,
    not_compared,
    where_of,
    write_legend,
)
from workbench.plots.layout import empty, layout_bars, note, title, write_cells
from workbench.plots.rows import shade, wrapped
from workbench.plots.theme import Palette, escaped, ink_on, palette, template

CELL_HEIGHT, HEADER, FRAME = 34, 0.8, 190
METHOD_LETTERS, PLACE_LETTERS = 16, 15
# Explanations miss up to any share; beyond this a colour or a bar says nothing more.
COLOURED, MOST = 1.0, 1.5
RANDOM_MARK = "\N{BLACK UP-POINTING TRIANGLE}"
CUT = "\N{RIGHTWARDS ARROW}"


def matrix(
    result: Faithfulness, *, output: str | int | None = None, dark: bool = False
) -> go.Figure:
    """Draw what each method misses in each neighbourhood, as a share of the variance.

    The least of a column is outlined; a triangle marks what is no better than random numbers.
    Cells are empty where a comparison would be meaningless, and say why to a mouse.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = result.output_index(output)
    if not len(result) or not result.neighbourhoods:
        return empty(dark=dark)
    entries, colours = result.entries(which), palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    lanes, headers, bottom = _lanes(result)
    for kind, members in groups_of(result.types):
        figure.add_heatmap(
            z=np.clip(entries.value[members], 0, COLOURED), y=[lanes[i] for i in members],
            x=np.arange(len(result.neighbourhoods)), zmin=0, zmax=COLOURED, showscale=False,
            colorscale=list(zip((0.0, 0.5, 1.0), _stops(colours), strict=True)),
            xgap=2, ygap=2, hoverinfo="text",
            hovertext=[
                [_told(result, entries, i, j, which) for j in range(len(result.neighbourhoods))]
                for i in members
            ],
        )  # fmt: skip
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=headers[kind], showarrow=False,
            text=GROUPS[kind], font={"color": colours.muted, "size": 12},
        )  # fmt: skip
    _write_cells(figure, result, entries, lanes, which, colours)
    _mark_best(figure, result, lanes, which, colours)
    names = [NEIGHBOURHOODS[key] for key in result.neighbourhoods]
    figure.update_layout(height=int(FRAME + CELL_HEIGHT * bottom))
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=[wrapped(name, PLACE_LETTERS) for name in names],
        range=[-0.5, len(names) - 0.5], showgrid=False, ticks="", tickfont={"size": 11},
        autotickangles=[0, 90],
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=lanes, ticktext=[wrapped(name_of(m), METHOD_LETTERS) for m in result.methods],
        range=[bottom, 0], showgrid=False, ticks="", ticklabelstandoff=6,
    )  # fmt: skip
    title(
        figure, f"share missed of {words.quantity(result, which)}", counted(len(result), "row"),
        "outlined: least", f"{RANDOM_MARK}: no better than random",
    )  # fmt: skip
    note(figure, "0: faithful, 1: no better than a constant", dark=dark)
    return figure


def methods(
    result: Faithfulness,
    neighbourhood: str | None = None,
    *,
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw what each method misses in one neighbourhood, the least first.

    Whiskers are 95 % intervals over rows; beyond the dashed line no explanation is adequate. Bars
    end at one and a half, their numbers say how far they would reach. Methods that cannot be
    compared stand last and say why to a mouse.

    Parameters
    ----------
    neighbourhood
        Key of a neighbourhood; by default the first one.

    Raises
    ------
    InvalidInputError
        If there is no such neighbourhood or output.
    """
    which = result.output_index(output)
    if not len(result) or not result.neighbourhoods:
        return empty(dark=dark)
    place = result.neighbourhood_index(neighbourhood or result.neighbourhoods[0])
    entries, colours = result.entries(which), palette(dark=dark)
    value = entries.value[:, place]
    order = [int(i) for i in np.argsort(value, kind="stable")]  # NaN last
    if np.isnan(value).all():
        reason = not_compared(result, 0, place, which)
        return empty(f"No method can be compared: {reason}.", dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    top = _reach(entries, order, place)
    for kind, members in groups_of(result.types):
        figure.add_bar(
            x=np.minimum(value[members], top), y=[order.index(i) for i in members], width=0.72,
            orientation="h", name=GROUPS[kind].partition(" (")[0],
            marker={"color": colour_of(kind, colours), "line": {"width": 0}},
            error_x=_whiskers(entries, members, place, top, colours), hoverinfo="text",
            hovertext=[_told(result, entries, i, place, which) for i in members],
        )  # fmt: skip
    told = [_told(result, entries, i, place, which) for i in order]
    _write_shares(figure, entries, order, place, top, told)
    layout_bars(figure, [name_of(result.methods[i]) for i in order], (0.0, 1.14 * top))
    figure.add_shape(
        type="line", x0=ADEQUATE, x1=ADEQUATE, y0=0, y1=1, yref="paper",
        line={"color": colours.text, "width": 1.3, "dash": "dash"}, layer="below",
    )  # fmt: skip
    whiskers = ["whiskers: 95 %, rows"] if len(result) > 1 else []
    title(
        figure, f"share missed of {words.quantity(result, which)}",
        where_of(result.neighbourhoods[place]), counted(len(result), "row"), *whiskers,
        f"dashed: adequate up to {ADEQUATE:g}",
    )  # fmt: skip
    write_legend(figure)
    return figure


def _lanes(result: Faithfulness) -> tuple[list[float], dict[Type, float], float]:
    """Place methods below the header of their group; return places, headers and the lower end."""
    lanes, y = [0.0] * len(result.methods), 0.0
    headers: dict[Type, float] = {}
    for kind, members in groups_of(result.types):
        headers[kind] = y + HEADER / 2
        y += HEADER
        for i in members:
            lanes[i] = y + 0.5
            y += 1
    return lanes, headers, y


def _stops(colours: Palette) -> tuple[str, str, str]:
    return colours.positive, colours.grid, colours.negative


def _write_cells(
    figure: go.Figure, result: Faithfulness, entries: Entries, lanes: list[float], which: int,
    colours: Palette,
) -> None:  # fmt: skip
    worse = result.no_better_than_random(which)
    best = result.best(which)
    cells = []
    for i, j in np.ndindex(*entries.value.shape):
        value = float(entries.value[i, j])
        ink = colours.muted
        if np.isfinite(value):
            ink = ink_on(shade(min(1.0, max(0.0, value / COLOURED)), _stops(colours)))
        text = f"{share_text(value)}{f' {RANDOM_MARK}' if worse[i, j] else ''}"
        text = f"<b>{text}</b>" if best[j] == i else text
        cells.append((j, lanes[i], text, ink))
    write_cells(figure, cells)


def share_text(value: float) -> str:
    """Write a share missed; a large one without decimals, and none where it is not defined.

    Examples
    --------
    >>> share_text(0.1234), share_text(13.2), share_text(52_000), share_text(float("nan"))
    ('0.12', '13', '> 999', 'n/a')
    """
    if np.isnan(value):
        return "n/a"
    if value > 999:
        return "> 999"
    return f"{value:.2f}" if value < 9.995 else f"{value:.0f}"


def _mark_best(
    figure: go.Figure, result: Faithfulness, lanes: list[float], which: int, colours: Palette
) -> None:
    for j, best in enumerate(result.best(which)):
        if best is not None:
            figure.add_shape(
                type="rect", x0=j - 0.48, x1=j + 0.48, y0=lanes[best] - 0.46, y1=lanes[best] + 0.46,
                line={"color": colours.text, "width": 2},
            )  # fmt: skip


def _told(result: Faithfulness, entries: Entries, method: int, place: int, which: int) -> str:
    """Write what a method misses in a neighbourhood, as a mouse finds it."""
    where = where_of(result.neighbourhoods[place])
    name = f"<b>{escaped(name_of(result.methods[method]))}</b><br>{escaped(where)}"
    value = float(entries.value[method, place])
    if np.isnan(value):
        return f"{name}<br>n/a: {escaped(not_compared(result, method, place, which))}"
    said = f"{name}<br>misses {value:,.3f} of the variance"
    low, high = (float(bound[method, place]) for bound in (entries.low, entries.high))
    over = counted(len(result), "row")
    interval = f"95 %: {low:,.3f} to {high:,.3f}, {over}" if np.isfinite(low) else over
    return f"{said}<br>{interval}<br>{result.calls[method]:,} model calls for a row"


def _reach(entries: Entries, order: list[int], place: int) -> float:
    """How far bars and whiskers reach: to the largest, not beyond what says anything."""
    ends = np.concatenate([entries.value[order, place], entries.high[order, place]])
    return float(min(MOST, max(1.1 * ADEQUATE, np.nanmax(ends))))


def _whiskers(
    entries: Entries, shown: list[int], place: int, top: float, colours: Palette
) -> dict[str, object]:
    value, low, high = (np.minimum(part[shown, place], top) for part in entries)
    return {
        "type": "data", "symmetric": False, "color": colours.whisker, "thickness": 1.2, "width": 4,
        "array": high - value, "arrayminus": value - low,
    }  # fmt: skip


def _write_shares(
    figure: go.Figure, entries: Entries, order: list[int], place: int, top: float, told: list[str]
) -> None:
    """Write each number right of its bar and whisker, with the reason where there is none."""
    value, high = entries.value[order, place], entries.high[order, place]
    figure.add_scatter(
        x=np.nan_to_num(np.minimum(np.fmax(value, high), top)), y=np.arange(len(order)),
        mode="text", textposition="middle right", textfont={"size": 12}, cliponaxis=False,
        text=[
            f"\N{NO-BREAK SPACE}{share_text(v)}{f' {CUT}' if v > top else ''}\N{NO-BREAK SPACE}"
            for v in value
        ],
        hovertext=told, hoverinfo="text", showlegend=False,
    )  # fmt: skip
