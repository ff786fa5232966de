"""About which rows equally good models disagree: each row, and all rows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.rashomon import RashomonSet
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import (
    NO_ROWS,
    empty,
    title,
)
from workbench.plots.rashomon_words import (
    At,
    at,
    decided_otherwise,
    explorer_title,
    has_range,
    models_text,
    nothing_sentence,
    tolerance_text,
    widths,
)
from workbench.plots.rows import drawn_rows, sample_note, shade, wrapped
from workbench.plots.theme import palette, template

if TYPE_CHECKING:
    pass

HEIGHT, UP_LETTERS, ROWS, CURVE_POINTS = 420, 40, 200, 500
SPREADS: Mapping[str, str] = {
    "width": "width of the range",
    "flips": "share of models that decide otherwise",
    "deviation": "standard deviation over models",
    "capacity": "Rashomon capacity",
}


def rows(
    result: RashomonSet,
    explorer: str | None = None,
    *,
    tolerance: float | None = None,
    output: str | int | None = None,
    count: int = ROWS,
    dark: bool = False,
) -> go.Figure:
    """Draw each row's prediction and the range that equally good models give it.

    Rows stand in the order of the prediction; those that some model decides otherwise have a
    colour of their own. Of more than ``count`` rows a sample is drawn.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, tolerance or output, or ``count`` is below 1.
    """
    which, where = result.output_index(output), at(result, explorer, tolerance)
    if count < 1:
        raise InvalidInputError(f"A strip needs at least 1 row, got {count}.")
    if not len(result):
        return empty(NO_ROWS, dark=dark)
    if not has_range(result, where):
        return empty(nothing_sentence(result, where), dark=dark)
    colours, chosen = palette(dark=dark), drawn_rows(len(result), count)
    order = chosen[np.argsort(result.predictions[chosen, which], kind="stable")]
    otherwise = decided_otherwise(result, where)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    names = {False: "decided alike", True: "decided otherwise by some"}
    for flag, colour in ((False, colours.size), (True, colours.negative)):
        places = np.flatnonzero(otherwise[order] == flag)
        if len(places):
            _add_rows(figure, result, where, which, order, places, colour)
            figure.data[-1].name = names[flag] if result.schema.n_classes else "range"
    if result.schema.task == "binary":
        figure.add_hline(y=0.5, line={"color": colours.text, "width": 1.2, "dash": "dash"})
    figure.update_layout(
        showlegend=bool(result.schema.n_classes),
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
    )
    is_share = bool(result.schema.n_classes)
    figure.update_yaxes(
        title_text=wrapped(words.quantity(result, which), UP_LETTERS), nticks=6,
        **({"range": [-0.03, 1.03]} if is_share else {}),
    )  # fmt: skip
    figure.update_xaxes(showticklabels=False, showgrid=False, range=[-1.5, len(order) + 0.5])
    left = sample_note(len(order), len(result)) or [counted(len(result), "row")]
    title(figure, f"{left[0]}, by prediction", explorer_title(result, where.explorer),
          models_text(result, where), f"tolerance {tolerance_text(result, where)}")  # fmt: skip
    return figure


def distribution(
    result: RashomonSet,
    explorer: str | None = None,
    *,
    measure: str = "width",
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw which share of rows is spread at most so far, a curve for each tolerance.

    Of many rows a curve has a point for every 500th part of them.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, measure or output.
    """
    which, e = result.output_index(output), at(result, explorer).explorer
    if measure not in SPREADS:
        raise InvalidInputError(
            f"There is no measure {measure!r}; choose one of {listing(list(SPREADS))}."
        )
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    n = len(result)
    places = np.unique(np.linspace(0, n - 1, min(n, CURVE_POINTS)).round().astype(int))
    share = (places + 1) / max(1, n)
    last = len(result.tolerances) - 1
    for t, tolerance in enumerate(result.tolerances):
        values = np.sort(_spread(result, At(e, t), measure, which))
        if not n or not np.isfinite(values).all():
            continue
        values = values[places]
        figure.add_scatter(
            x=values, y=share, mode="lines", name=f"{words.number(float(tolerance))}",
            line={"color": shade(t / max(1, last), (colours.low, colours.middle, colours.high)),
                  "width": 2, "shape": "hv"},
            hoverinfo="text",
            hovertext=[
                f"tolerance {words.number(float(tolerance))}<br>{percent(float(s))} of rows: at "
                f"most {words.number(float(v))}"
                for s, v in zip(share, values, strict=True)
            ],
        )  # fmt: skip
    if not figure.data:
        return empty(_no_spread(result, At(e, last), measure), dark=dark)
    figure.update_layout(
        showlegend=True,
        legend={"title": {"text": "tolerance"}, "x": 1, "y": 0, "xanchor": "right",
                "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_yaxes(title_text="share of rows", tickformat=".0%", range=[0, 1.03])
    figure.update_xaxes(nticks=6, tickangle=0, rangemode="tozero" if measure != "capacity"
                        else "normal")  # fmt: skip
    what = words.quantity(result, which) if measure in {"width", "deviation"} else ""
    title(figure, SPREADS[measure], *([what] if what else []), explorer_title(result, e),
          models_text(result, At(e, last)))  # fmt: skip
    return figure


def _add_rows(
    figure: go.Figure, result: RashomonSet, where: At, which: int, order: np.ndarray,
    places: np.ndarray, colour: str,
) -> None:  # fmt: skip
    """Draw ranges as upright bars and predictions as points."""
    chosen = order[places]
    value = result.predictions[chosen, which]
    low, high = result.low[where][chosen, which], result.high[where][chosen, which]
    figure.add_scatter(
        x=places, y=value, mode="markers", marker={"color": colour, "size": 5}, hoverinfo="text",
        error_y={"type": "data", "symmetric": False, "array": high - value,
                 "arrayminus": value - low, "color": colour, "thickness": 1.6, "width": 0},
        hovertext=[_row_told(result, where, which, int(i)) for i in chosen],
        customdata=chosen,
    )  # fmt: skip


def _row_told(result: RashomonSet, where: At, which: int, row: int) -> str:
    number = words.number
    low, high = result.low[where][row, which], result.high[where][row, which]
    lines = [
        f"<b>row {result.ids[row]}</b>",
        f"prediction {number(float(result.predictions[row, which]))}",
        f"equally good models: {number(float(low))} to {number(float(high))}",
    ]
    if np.isfinite(result.flips[where][row]):
        lines.append(f"{percent(float(result.flips[where][row]))} decide otherwise")
    return "<br>".join(lines)


def _spread(result: RashomonSet, where: At, measure: str, which: int) -> np.ndarray:
    if measure == "width":
        return widths(result, where, which)
    found: np.ndarray = {
        "flips": result.flips[where], "capacity": result.capacity[where],
        "deviation": result.deviation[where][:, which],
    }[measure]  # fmt: skip
    return found


def _no_spread(result: RashomonSet, where: At, measure: str) -> str:
    if not len(result):
        return NO_ROWS
    if not has_range(result, where):
        return nothing_sentence(result, where)
    return f"{explorer_title(result, where.explorer)} knows no {SPREADS[measure]}."
