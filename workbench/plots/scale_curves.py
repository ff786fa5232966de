"""How far around a row a linear explanation stays honest: as a curve and in words."""

import math

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import ADEQUATE
from workbench.core.results import ScaleCurves
from workbench.core.scale_curves import Curve
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import check_row, empty
from workbench.plots.rows import wrapped
from workbench.plots.theme import Palette, escaped, palette, template

HEIGHT, UP_LETTERS, ALONG_LETTERS = 420, 42, 54
# What a curve misses at most where it is called honest, and where the figure ends at most.
TOLERANCE, MOST = 0.1, 1.5


def curve(
    curves: ScaleCurves,
    row: int | None = None,
    *,
    output: str | int | None = None,
    scale: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw what the best linear function misses against the scale of the neighbourhood.

    The band holds the middle half of the rows; of one row, a 95 % interval for the choice of
    samples. The ground is tinted as far as at most a tenth is missed; a vertical line marks the
    knee, beyond which the curve rises fastest.

    Parameters
    ----------
    row
        Position of a row in the result; by default all rows together.
    scale
        A scale that was chosen, marked by a line of its own.

    Raises
    ------
    InvalidInputError
        If there is no such row or output, or the scale is not above 0.
    """
    if scale is not None and not scale > 0:
        raise InvalidInputError(f"A scale is above 0, got {scale}.")
    which = curves.output_index(output)
    if not len(curves):
        return empty(dark=dark)
    curves, colours = _of_row(curves, row), palette(dark=dark)
    found = curves.curve(which)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    _add_curve(figure, curves, found, colours)
    top = min(MOST, max(1.0, float(np.nanmax(found.high))))
    low, high = math.log10(curves.scales[0]), math.log10(curves.scales[-1])
    room = 0.03 * (high - low)
    ticks = log_ticks(float(curves.scales[0]), float(curves.scales[-1]))
    figure.update_xaxes(
        type="log", range=[low - room, high + room], tickvals=ticks, tickangle=0,
        ticktext=[words.number(tick) for tick in ticks],
    )  # fmt: skip
    figure.update_yaxes(
        range=[0, 1.03 * top], nticks=6,
        title={"text": wrapped(f"share missed of {words.quantity(curves, which)}", UP_LETTERS)},
    )  # fmt: skip
    over = f"row {curves.ids[0]}; band: 95 %, samples" if len(curves) == 1 else (
        f"{counted(len(curves), 'row')}; band: middle half of them"
    )  # fmt: skip
    along = wrapped(f"scale: {curves.scale_words}", ALONG_LETTERS)
    figure.update_xaxes(title_text=f"{along}<br>{over}")
    _mark(figure, curves, which, (low - room, high + room), colours)
    if scale is not None:
        _mark_chosen(figure, scale, (low - room, high + room), colours)
    return figure


def scale_sentence(
    curves: ScaleCurves, row: int | None = None, output: str | int | None = None
) -> str:
    """Say up to which scale a linear explanation is honest, and where its knee is.

    Honest is what misses at most a tenth; adequate what misses at most a half.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = curves.output_index(output)
    if not len(curves):
        return "There are no rows to explain."
    curves = _of_row(curves, row)
    if not curves.total[..., which].any():
        what, rows = words.quantity(curves, which), counted(len(curves), "row")
        return f"Around {rows}, {what} does not change at any scale: there is nothing to explain."
    widest = curves.widest(TOLERANCE, which)
    start = f"Row {curves.ids[0]}" if len(curves) == 1 else (
        f"In the middle of {counted(len(curves), 'row')}"
    )  # fmt: skip
    said = f"{start}, {words.quantity(curves, which)}: {_reach(curves, widest, which)}"
    knee = curves.knee(which)
    if knee is None or curves.widest(ADEQUATE, which) is None:  # of what is adequate nowhere
        return f"{said} The curve hardly rises, so it has no knee."
    return f"{said} Beyond the knee at {words.number(knee)} the share missed rises fastest."


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers for a logarithmic axis, at most about eight.

    Examples
    --------
    >>> log_ticks(0.05, 2.0), log_ticks(1e-3, 1e3)
    ([0.05, 0.1, 0.2, 0.5, 1.0, 2.0], [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0])
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low <= 300 else (1, 3) if high / low <= 3000 else (1,)
    # Ten to a negative power is not exact; a quotient of whole numbers is the closest number.
    ticks = [step * 10**e if e >= 0 else step / 10**-e for e in decades for step in steps]
    slack = 1 + 1e-9
    return [float(tick) for tick in ticks if low / slack <= tick <= high * slack]


def _of_row(curves: ScaleCurves, row: int | None) -> ScaleCurves:
    if row is None:
        return curves
    check_row(curves, row)
    return curves[row]


def _add_curve(figure: go.Figure, curves: ScaleCurves, found: Curve, colours: Palette) -> None:
    """Draw the band and on it the middle line with its points."""
    x = curves.scales
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([found.high, found.low[::-1]]),
        mode="lines", line={"width": 0}, fill="toself", fillcolor=colours.haze, hoverinfo="skip",
    )  # fmt: skip
    of = "middle half" if len(curves) > 1 else "95 %"
    figure.add_scatter(
        x=x, y=found.middle, mode="lines+markers", hoverinfo="text",
        line={"color": colours.size, "width": 2}, marker={"size": 7},
        hovertext=[
            f"<b>scale {words.number(float(scale))}</b><br>misses {middle:.3f}<br>"
            f"{of}: {low:.3f} to {high:.3f}"
            for scale, low, middle, high in zip(x, *found, strict=True)
        ],
    )  # fmt: skip


def _mark(
    figure: go.Figure, curves: ScaleCurves, which: int, span: tuple[float, float], colours: Palette
) -> None:
    """Tint what is honest, and mark the knee and the limit of what is adequate."""
    widest, knee = curves.widest(TOLERANCE, which), curves.knee(which)
    if widest is not None:
        figure.add_shape(
            type="rect", x0=10 ** span[0], x1=widest, y0=0, y1=1, yref="paper", layer="below",
            fillcolor=colours.positive, opacity=0.12, line={"width": 0},
        )  # fmt: skip
        figure.add_annotation(
            x=0, xref="paper", y=1, yref="paper", xanchor="left", yanchor="bottom",
            text=f"tinted: at most {percent(TOLERANCE)} missed", showarrow=False,
            font={"color": colours.muted, "size": 12},
        )  # fmt: skip
    figure.add_shape(
        type="line", x0=0, x1=1, xref="paper", y0=ADEQUATE, y1=ADEQUATE, layer="below",
        line={"color": colours.text, "width": 1.3, "dash": "dash"},
    )  # fmt: skip
    figure.add_annotation(
        x=0, xref="paper", y=ADEQUATE, xanchor="left", yanchor="bottom", showarrow=False,
        text="above: not adequate", font={"color": colours.muted, "size": 12}, xshift=6,
    )  # fmt: skip
    if knee is not None:
        figure.add_shape(
            type="line", x0=knee, x1=knee, y0=0, y1=1, yref="paper",
            line={"color": colours.negative, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
        figure.add_annotation(
            x=math.log10(knee), y=1, yref="paper", xanchor=_side(knee, span), yanchor="top",
            text=f"\N{NO-BREAK SPACE}{escaped(f'knee {words.number(knee)}')}\N{NO-BREAK SPACE}",
            showarrow=False, font={"color": colours.negative, "size": 12},
        )  # fmt: skip


def _mark_chosen(
    figure: go.Figure, scale: float, span: tuple[float, float], colours: Palette
) -> None:
    """Draw a line at a scale that was chosen; its label stands low, where the knee's does not."""
    figure.add_shape(
        type="line", x0=scale, x1=scale, y0=0, y1=1, yref="paper",
        line={"color": colours.positive, "width": 2},
    )  # fmt: skip
    text = f"chosen {words.number(scale)}"
    figure.add_annotation(
        x=math.log10(scale), y=0.9, yref="paper", xanchor=_side(scale, span), yanchor="top",
        text=f"\N{NO-BREAK SPACE}{escaped(text)}\N{NO-BREAK SPACE}", showarrow=False,
        font={"color": colours.positive, "size": 12},
    )  # fmt: skip


def _side(knee: float, span: tuple[float, float]) -> str:
    """Write a label on the side of its line that has more room."""
    return "left" if math.log10(knee) < sum(span) / 2 else "right"


def _reach(curves: ScaleCurves, widest: float | None, which: int) -> str:
    tenth = percent(TOLERANCE)
    if widest is not None:
        smallest, largest = (words.number(float(curves.scales[i])) for i in (0, -1))
        scale = words.number(widest)
        if scale == largest:
            return f"at every scale from {smallest} to {largest} a linear explanation misses at " \
                   f"most {tenth} ({curves.scale_words})."  # fmt: skip
        return (
            f"up to a scale of {scale} a linear explanation misses at most {tenth} "
            f"({curves.scale_words})."
        )
    adequate = curves.widest(ADEQUATE, which)
    if adequate is None:
        return (
            f"no linear explanation is adequate, even at the smallest scale of "
            f"{words.number(float(curves.scales[0]))} ({curves.scale_words}): it misses more than "
            f"{percent(ADEQUATE)}."
        )
    return (
        f"a linear explanation misses more than {tenth} at every scale, and at most "
        f"{percent(ADEQUATE)} up to {words.number(adequate)} ({curves.scale_words})."
    )
