"""How far equally good models disagree: by tolerance, by number of models, and at what cost."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.core.errors import InvalidInputError
from workbench.core.rashomon import EXPLORERS, GROWING, METRICS, RashomonSet
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import (
    LABEL_LENGTH,
    empty,
    layout_bars,
    shortened,
    title,
)
from workbench.plots.rashomon_words import (
    SHARES,
    At,
    at,
    coverage,
    metric_text,
    models_text,
    tolerance_text,
)
from workbench.plots.rows import SYMBOLS, wrapped
from workbench.plots.scale_curves import log_ticks
from workbench.plots.theme import DASHES, Palette, palette, template

HEIGHT, LEGEND_LINE, LEGEND_LETTERS, UP_LETTERS = 440, 21, 46, 40
NOTHING = "No explorer admitted a model at any tolerance: there is nothing to draw."


def metrics(
    result: RashomonSet,
    metric: str | None = None,
    *,
    tolerance: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw a metric against the tolerance, a line for each explorer, and below what was admitted.

    The ground is tinted, and points are hollow, where the tolerance is below two paired standard
    errors of the excess loss, so that it cannot be told from 0. The legend says how many models
    each explorer admitted at the largest tolerance.

    Parameters
    ----------
    metric
        By default the first that the result has.
    tolerance
        A tolerance to mark.

    Raises
    ------
    InvalidInputError
        If the result does not have the metric.
    """
    name = result.metric_names[0] if metric is None else metric
    values = result.metric(name)
    if not np.isfinite(values).any():
        return empty(NOTHING, dark=dark)
    colours, shown = palette(dark=dark), [e for e in range(len(values)) if _any(values[e])]
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.07)
    figure.update_layout(
        template=template(dark=dark), height=HEIGHT + LEGEND_LINE * len(shown), **_legend()
    )
    for e in shown:
        _add_line(figure, result, values[e], name, e, colours)
        _add_acceptance(figure, result, e, colours)
    _tint_noise(figure, result, colours)
    if tolerance is not None:
        _mark(figure, float(result.tolerances[result.tolerance_index(tolerance)]), colours)
    tight = name in SHARES and name != "self_consistency"
    top = {"range": [0, 1.08 * max(0.01, float(np.nanmax(values)))]} if tight else {}
    figure.update_yaxes(
        title_text=wrapped(METRICS[name], UP_LETTERS), nticks=6, row=1, col=1,
        tickformat=".0%" if name in SHARES else None, **top,
    )  # fmt: skip
    figure.update_yaxes(
        title_text="admitted", tickformat=".0%", range=[-0.05, 1.08], tickvals=[0, 0.5, 1],
        row=2, col=1,
    )  # fmt: skip
    low, high = float(result.tolerances[0]), float(result.tolerances[-1])
    room = 0.04 * (high - low or abs(high) or 1.0)
    figure.update_xaxes(range=[low - room, high + room], nticks=6, tickangle=0)
    said = [f"tolerance: excess {result.loss_name}", _about_noise(result)]
    figure.update_xaxes(title_text="<br>".join(part for part in said if part), row=2, col=1)
    return figure


def growth(result: RashomonSet, metric: str | None = None, *, dark: bool = False) -> go.Figure:
    """Draw a metric that is a maximum against the number of models; it never falls.

    A curve that still rises at its end says that more models would show more.

    Parameters
    ----------
    metric
        One of ``GROWING``.

    Raises
    ------
    InvalidInputError
        If the metric is none of them.
    """
    offered = growing_metrics(result)
    name = (offered or GROWING)[0] if metric is None else metric
    if name not in GROWING:
        raise InvalidInputError(
            f"Metric {name!r} does not grow with the number of models; choose one of "
            f"{listing(GROWING)}."
        )
    curves = result.growth[:, :, GROWING.index(name)]
    shown = [e for e in range(len(curves)) if _any(curves[e])]
    if not shown:
        return empty(NOTHING, dark=dark)
    colours, counts = palette(dark=dark), result.growth_models.astype(float)
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.update_layout(height=HEIGHT - 60 + LEGEND_LINE * len(shown), **_legend())
    for e in shown:
        known = np.isfinite(curves[e])
        figure.add_scatter(
            x=counts[known], y=curves[e][known], **_style(e, colours, result, result.growth_at),
            hovertext=[
                f"<b>{EXPLORERS[result.explorers[e]]}</b><br>{counted(int(m), 'model')}<br>"
                f"{METRICS[name]}: {metric_text(result, name, float(value))}"
                for m, value in zip(counts[known], curves[e][known], strict=True)
            ],
        )  # fmt: skip
    ticks = log_ticks(float(counts.min()), float(counts.max()))
    figure.update_xaxes(
        type="log", tickvals=ticks, ticktext=[words.number(tick) for tick in ticks], tickangle=0,
    )  # fmt: skip
    tolerance = words.number(float(result.tolerances[result.growth_at]))
    title(figure, "equally good models looked at", f"tolerance {tolerance}")
    figure.update_yaxes(
        title_text=wrapped(METRICS[name], UP_LETTERS), rangemode="tozero", nticks=6,
        tickformat=".0%" if name in SHARES else None,
    )  # fmt: skip
    return figure


def cost(result: RashomonSet, *, tolerance: float | None = None, dark: bool = False) -> go.Figure:
    """Draw how long each explorer took, and write what it found in that time.

    Raises
    ------
    InvalidInputError
        If there is no such tolerance.
    """
    where = at(result, None, tolerance)
    which, colours = result.output_index(None), palette(dark=dark)
    places = np.arange(len(result.explorers))
    seconds = np.maximum(result.seconds, 1e-4)
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_bar(
        x=seconds, y=places, orientation="h", width=0.5, hoverinfo="text",
        marker={"color": colours.size, "line": {"width": 0}},
        hovertext=[_cost_told(result, At(int(e), where.tolerance), which) for e in places],
    )  # fmt: skip
    figure.add_scatter(
        x=[float(seconds.min()) / 1.5] * len(places), y=places - 0.37, mode="text",
        textposition="middle right", textfont={"size": 12, "color": colours.muted},
        text=[_found(result, At(int(e), where.tolerance), which) for e in places],
        cliponaxis=False, hoverinfo="skip",
    )  # fmt: skip
    labels = [shortened(EXPLORERS[key], LABEL_LENGTH) for key in result.explorers]
    low, high = float(seconds.min()) / 1.5, max(float(seconds.max()), 10 * float(seconds.min()))
    layout_bars(figure, labels, (float(np.log10(low)), float(np.log10(1.3 * high))), 52)
    # The line above a bar says what it found, which needs more air than a bar alone.
    figure.update_yaxes(range=[len(labels) - 0.5, -0.75])
    ticks = log_ticks(low, 1.3 * high)
    figure.update_xaxes(
        type="log", tickvals=ticks, ticktext=[f"{words.number(tick)} s" for tick in ticks],
    )  # fmt: skip
    at_ = tolerance_text(result, where)
    title(figure, "time to explore", f"tolerance {at_}")
    return figure


def growing_metrics(result: RashomonSet) -> list[str]:
    """List the metrics that have a growth curve here."""
    return [name for j, name in enumerate(GROWING) if np.isfinite(result.growth[:, :, j]).any()]


def _legend() -> dict[str, object]:
    return {
        "showlegend": True,
        "legend": {"orientation": "v", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
    }


def _style(e: int, colours: Palette, result: RashomonSet, t: int) -> dict[str, object]:
    """Colour, dash and mark of an explorer, and its name with the number of its models."""
    n = len(colours.classes)
    name = f"{EXPLORERS[result.explorers[e]]} ({models_text(result, At(e, t))})"
    return {
        "mode": "lines+markers", "name": wrapped(name, LEGEND_LETTERS), "hoverinfo": "text",
        "line": {"color": colours.classes[e % n], "dash": DASHES[(e + e // n) % len(DASHES)],
                 "width": 2},
        "marker": {"size": 8, "symbol": SYMBOLS[e % len(SYMBOLS)],
                   "color": colours.classes[e % n]},
    }  # fmt: skip


def _add_line(
    figure: go.Figure, result: RashomonSet, values: np.ndarray, name: str, e: int, colours: Palette
) -> None:
    """Draw one explorer's metric; hollow where the tolerance cannot be told from 0."""
    style = _style(e, colours, result, len(result.tolerances) - 1)
    symbol = SYMBOLS[e % len(SYMBOLS)]
    symbols = [f"{symbol}-open" if below else symbol for below in result.below_noise[e]]
    marker = {"size": 8, "symbol": symbols, "color": colours.classes[e % len(colours.classes)]}
    figure.add_scatter(
        x=result.tolerances, y=values, **style | {"marker": marker}, row=1, col=1,
        hovertext=[_line_told(result, At(e, t), name, float(v)) for t, v in enumerate(values)],
    )  # fmt: skip


def _line_told(result: RashomonSet, where: At, name: str, value: float) -> str:
    lines = [
        f"<b>{EXPLORERS[result.explorers[where.explorer]]}</b>",
        f"tolerance {tolerance_text(result, where)}",
        f"{METRICS[name]}: {metric_text(result, name, value)}",
        models_text(result, where),
    ]
    if result.below_noise[where]:
        lines.append("cannot be told from 0: below two standard errors")
    return "<br>".join(lines)


def _add_acceptance(figure: go.Figure, result: RashomonSet, e: int, colours: Palette) -> None:
    """Draw which share of an explorer's candidates was admitted; a formula has none."""
    if not result.drawn[e]:
        return
    shares = result.admitted[e] / result.drawn[e]
    figure.add_scatter(
        x=result.tolerances, y=shares, row=2, col=1, showlegend=False,
        **{k: v for k, v in _style(e, colours, result, -1).items() if k != "name"},
        hovertext=[
            f"<b>{EXPLORERS[result.explorers[e]]}</b><br>tolerance {words.number(float(eps))}<br>"
            f"{admitted:,} of {result.drawn[e]:,} admitted ({percent(float(share))})"
            for eps, admitted, share in zip(
                result.tolerances, result.admitted[e], shares, strict=True
            )
        ],
    )  # fmt: skip


def _noise_end(result: RashomonSet) -> float | None:
    """Return the largest tolerance that none of the explorers with models can tell from 0."""
    known = np.isfinite(result.noise) & (result.drawn > 0)[:, None]
    hidden = np.flatnonzero((result.below_noise | ~known).all(0) & known.any(0))
    return float(result.tolerances[hidden[-1]]) if len(hidden) else None


def _tint_noise(figure: go.Figure, result: RashomonSet, colours: Palette) -> None:
    end = _noise_end(result)
    if end is None:
        return
    for line in (1, 2):
        figure.add_vrect(
            x0=float(result.tolerances[0]) - abs(end), x1=end, fillcolor=colours.muted,
            opacity=0.14, line_width=0, layer="below", row=line, col=1,
        )  # fmt: skip


def _about_noise(result: RashomonSet) -> str:
    return "" if _noise_end(result) is None else "tinted: cannot be told from 0 (2 paired SE)"


def _mark(figure: go.Figure, tolerance: float, colours: Palette) -> None:
    """Draw a line at the tolerance that was chosen."""
    for line in (1, 2):
        figure.add_vline(
            x=tolerance, line={"color": colours.text, "width": 1.2, "dash": "dot"},
            row=line, col=1,
        )  # fmt: skip


def _found(result: RashomonSet, where: At, which: int) -> str:
    e = where.explorer
    parts = [models_text(result, where)]
    if result.drawn[e]:
        parts.append(f"{percent(float(result.admitted[where] / result.drawn[e]))} admitted")
    share = coverage(result, where, which)
    if np.isfinite(share) and result.explorers[e] != "lagrangian":
        parts.append(f"{percent(round(share, 3))} of exact width")
    return "\N{NO-BREAK SPACE}" + " · ".join(parts)


def _cost_told(result: RashomonSet, where: At, which: int) -> str:
    e = where.explorer
    lines = [
        f"<b>{EXPLORERS[result.explorers[e]]}</b>",
        f"{words.number(float(result.seconds[e]))} s",
        f"{counted(result.passes[e], 'model evaluation')}",
        _found(result, where, which).strip(),
    ]
    if result.admitted[where]:
        each = float(result.seconds[e]) / int(result.admitted[where])
        lines.append(f"{words.number(each)} s for each admitted model")
    return "<br>".join(lines)


def _any(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).any())
