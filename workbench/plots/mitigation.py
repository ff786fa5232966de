"""What lessens disagreement: ensembles against their size, refusing rows, choosing among models."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.core.mitigation import DRAWN, MEASURED, Mitigation
from workbench.core.rashomon import explorer_words
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import empty, layout_bars, title, whisker_style
from workbench.plots.rows import wrapped
from workbench.plots.theme import DASHES, Palette, escaped, palette, template

HEIGHT, LETTERS = 440, 44
TITLES = {
    "ambiguity": "rows that some model decides otherwise",
    "obscurity": "share of models that decide a row otherwise",
    "width": "range of the output (median row)",
}


def judge_name(mitigation: Mitigation, judge: str) -> str:
    """Name a judge, and say what it has to do with building."""
    if judge == DRAWN:
        return "ensembles among themselves"
    role = "independent" if judge in mitigation.independent else "built them"
    return f"{explorer_words(judge)} ({role})"


def reduction(
    mitigation: Mitigation, *, metric: str | None = None, dark: bool = False
) -> go.Figure:
    """Draw disagreement against the size of ensembles, a line for each judge.

    Bars are 95 % intervals over ensembles and rows.

    Parameters
    ----------
    metric
        One of ``ambiguity``, ``obscurity`` and ``width`` to draw alone.

    Raises
    ------
    InvalidInputError
        If there is no such metric.
    """
    wanted = MEASURED if metric is None else (MEASURED[mitigation.metric_index(metric)],)
    places = [MEASURED.index(name) for name in wanted]
    shown = [q for q in places if np.isfinite(mitigation.metrics[:, :, q, 0]).any()]
    if not shown:
        return empty("A regression decides nothing; look at the width.", dark=dark)
    colours = palette(dark=dark)
    figure = make_subplots(
        1, len(shown), horizontal_spacing=0.09,
        subplot_titles=[wrapped(TITLES[MEASURED[q]], 26) for q in shown],
    )  # fmt: skip
    figure.update_layout(template=template(dark=dark), height=HEIGHT)
    figure.update_annotations(font={"size": 12, "color": colours.text})
    for column, q in enumerate(shown, 1):
        for j in range(len(mitigation.judges)):
            _add_judge(figure, mitigation, j, q, column, colours)
    figure.update_xaxes(
        type="log", tickvals=mitigation.sizes, ticktext=[str(size) for size in mitigation.sizes],
        title_text="size of the ensemble",
    )  # fmt: skip
    figure.update_yaxes(rangemode="tozero", nticks=6)
    for column, q in enumerate(shown, 1):
        if MEASURED[q] != "width" or mitigation.classifies:
            figure.update_yaxes(tickformat=".0%", col=column, row=1)
    figure.update_layout(
        showlegend=True, margin={"t": 70},
        legend={"orientation": "h", "x": 0, "y": -0.25, "yanchor": "top"},
    )  # fmt: skip
    return figure


def abstention(mitigation: Mitigation, *, dark: bool = False) -> go.Figure:
    """Draw accuracy on the rows that are decided against their share, for two ways to refuse.

    A line marks where every row is refused that some equally good model decides otherwise.
    """
    if not mitigation.classifies:
        return empty("A regression decides nothing, so there is nothing to refuse.", dark=dark)
    if not len(mitigation):
        return empty(dark=dark)
    found, colours = mitigation.abstention(), palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    lines = (
        ("by_set", "least support among equally good models", colours.positive, "solid"),
        ("by_confidence", "the given model's own confidence", colours.negative, "dash"),
    )
    for name, label, colour, dash in lines:
        values = getattr(found, name)
        figure.add_scatter(
            x=found.coverage, y=values, name=label, mode="lines", hoverinfo="text",
            line={"color": colour, "width": 2, "dash": dash},
            hovertext=[f"<b>{percent(v)} right</b> of the {percent(c)} decided<br>by {label}"
                       for c, v in zip(found.coverage, values, strict=True)],
        )  # fmt: skip
    kept = 1 - float(mitigation.refused.mean())
    figure.add_vline(x=kept, line={"color": colours.muted, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        range=[0, 1.02], tickformat=".0%", nticks=6,
        title_text=wrapped("share of rows that are decided; dotted: all models agree", LETTERS),
    )  # fmt: skip
    # A share that never changes would be drawn on an axis beyond all shares.
    least = min(float(np.nanmin(found.by_set)), float(np.nanmin(found.by_confidence)), 0.95)
    figure.update_yaxes(
        range=[least - 0.02, 1.01], title_text="right among them", tickformat=".0%", nticks=6
    )
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    )
    return figure


def candidates(
    mitigation: Mitigation, *, metric: str | None = None, dark: bool = False
) -> go.Figure:
    """Draw how far models as good as each candidate disagree with it, the least first.

    Faint candidates have a loss beyond two paired standard errors of the best one's.

    Raises
    ------
    InvalidInputError
        If there is no such metric.
    """
    metric = metric or ("obscurity" if mitigation.classifies else "width")
    values = mitigation.candidate_metrics[:, mitigation.metric_index(metric)]
    if not len(values):
        return empty(f"There are no candidates: {mitigation.remark}.", dark=dark)
    if np.isnan(values).all():
        return empty("A regression decides nothing; look at the width.", dark=dark)
    colours, order = palette(dark=dark), np.lexsort((values, ~mitigation.eligible))
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_bar(
        x=values[order], y=np.arange(len(order)), orientation="h", width=0.66, hoverinfo="text",
        marker={"color": [colours.positive if mitigation.eligible[i] else colours.missing
                          for i in order], "line": {"width": 0}},
        hovertext=[_candidate_told(mitigation, int(i), metric) for i in order],
    )  # fmt: skip
    layout_bars(
        figure, [mitigation.candidate_names[i] for i in order],
        (0.0, 1.05 * max(float(np.nanmax(values)), 1e-3)),
    )  # fmt: skip
    title(figure, TITLES[metric], "faint: loss is more than two standard errors above the best")
    if metric != "width":
        figure.update_xaxes(tickformat=".0%")
    return figure


def _add_judge(
    figure: go.Figure, mitigation: Mitigation, j: int, q: int, column: int, colours: Palette
) -> None:
    judge = mitigation.judges[j]
    value, low, high = mitigation.metrics[j, :, q].T
    known = np.flatnonzero(np.isfinite(value))
    if not len(known):
        return
    name, colour = judge_name(mitigation, judge), colours.classes[j % len(colours.classes)]
    figure.add_scatter(
        x=mitigation.sizes[known], y=value[known], name=name, legendgroup=judge, hoverinfo="text",
        showlegend=column == 1, mode="lines+markers", marker={"size": 7},
        line={"color": colour, "width": 2, "dash": DASHES[j % len(DASHES)]},
        error_y=whisker_style((high - value)[known], colours)
        | {"symmetric": False, "arrayminus": (value - low)[known], "color": colour},
        hovertext=_judged(mitigation, j, q, known),
        row=1, col=column,
    )  # fmt: skip


def _judged(mitigation: Mitigation, j: int, q: int, known: Sequence[int] | np.ndarray) -> list[str]:
    lines = []
    for s in known:
        value, low, high = (words.number(float(v)) for v in mitigation.metrics[j, s, q])
        less, least, most = mitigation.reduction[j, s, q]
        text = [
            f"<b>{counted(int(mitigation.sizes[s]), 'member')}: {value}</b> ({low} to {high})",
            escaped(judge_name(mitigation, mitigation.judges[j])),
        ]
        if s and np.isfinite(less):
            text.append(
                f"{percent(less)} less than one model ({percent(least)} to {percent(most)})"
            )
        lines.append("<br>".join(text))
    return lines


def _candidate_told(mitigation: Mitigation, i: int, metric: str) -> str:
    value = mitigation.candidate_metrics[i, mitigation.metric_index(metric)]
    lines = [
        f"<b>{escaped(mitigation.candidate_names[i])}</b>: {words.number(float(value))}",
        f"{mitigation.loss_name} {words.number(float(mitigation.candidate_excess[i]))} above the "
        f"best (± {words.number(float(2 * mitigation.candidate_noise[i]))})",
    ]
    if mitigation.classifies:
        lines.append(f"{percent(float(mitigation.candidate_accuracy[i]))} right")
    return "<br>".join(lines)
