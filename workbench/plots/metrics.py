"""The metrics of a model, each with its interval."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.performance import Measure, Performance
from workbench.core.wording import percent
from workbench.plots import words
from workbench.plots.layout import hover, layout_bars, note, padded, title, whisker_style
from workbench.plots.theme import palette, template

FEWER = "\N{DOWNWARDS ARROW}"
LOWER_IS_BETTER = ("Brier score", "calibration error")
OWN_SCALE = ("log-loss", "R squared")


def metrics(performance: Performance, *, dark: bool = False) -> go.Figure:
    """Draw each metric as a dot with its interval; those on a scale of their own are written.

    Errors, of which less is better, stand last and say so.
    """
    measures = [m for m in performance.measures() if not m.of and m.name not in OWN_SCALE]
    measures.sort(key=lambda m: m.name in LOWER_IS_BETTER)
    shown = [m for m in measures if not np.isnan(m.value)]
    colours = palette(dark=dark)
    values = np.array([m.value for m in shown])
    below = np.array([0.0 if np.isnan(m.low) else m.value - m.low for m in shown])
    above = np.array([0.0 if np.isnan(m.high) else m.high - m.value for m in shown])
    is_share = performance.task != "regression"
    decimals = 3 if is_share else words.decimals_for(float(np.abs(values).max(initial=0)))

    figure = go.Figure(layout={"template": template(dark=dark)})
    places = np.arange(len(shown))
    style = whisker_style(above, colours) | {"symmetric": False, "arrayminus": below}
    figure.add_scatter(
        x=values,
        y=places,
        mode="markers",
        marker={"color": colours.size, "size": 9},
        error_x=style,
        hovertext=[_hover(m, decimals, performance.level) for m in shown],
        hoverinfo="text",
    )
    figure.add_scatter(
        x=values + above,
        y=places,
        mode="text",
        text=[f"\N{NO-BREAK SPACE}{_number(v, decimals)}\N{NO-BREAK SPACE}" for v in values],
        textposition="middle right",
        textfont={"size": 12},
        cliponaxis=False,
        hoverinfo="skip",
    )
    span = (0.0, 1.0) if is_share else _span(values - below, values + above)
    layout_bars(figure, [_label(m.name) for m in shown], _room(span))
    if is_share:
        figure.update_xaxes(tickvals=[0, 0.25, 0.5, 0.75, 1])
    of = performance.schema.target_unit or performance.schema.target or "the target"
    scale = f"{FEWER} less is better" if is_share else f"error in {of}"
    title(figure, scale, f"whiskers: {percent(performance.level)}")
    apart = [words.measured(performance.metric(name)) for name in OWN_SCALE
             if name in performance.metric_names]  # fmt: skip
    note(figure, "; ".join(apart), dark=dark)
    return figure


def _label(name: str) -> str:
    return f"{FEWER} {name}" if name in LOWER_IS_BETTER else name


def _number(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace("-", words.MINUS)


def _hover(measure: Measure, decimals: int, level: float) -> str:
    lines = hover(measure.name, measure.value, None, decimals, sign=False)
    if np.isnan(measure.low):
        return f"{lines}<br>{measure.note}"
    bounds = " to ".join(_number(x, decimals + 1) for x in (measure.low, measure.high))
    return f"{lines}<br>{percent(level)}: {bounds}<br>{measure.interval}"


def _span(low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    return float(min(0.0, low.min())), float(max(high.max(), 1e-12))


def _room(span: tuple[float, float]) -> tuple[float, float]:
    """Leave room for the number right of the last whisker."""
    left, right = padded(span, 0.18)
    return (span[0] - 0.02 * (span[1] - span[0]) if span[0] == 0 else left), right
