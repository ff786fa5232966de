"""How well a model ranks rows: ROC and precision-recall curves."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.core.performance import AREAS, Curve, Performance
from workbench.core.wording import percent
from workbench.plots.layout import empty, note, shortened
from workbench.plots.theme import DASHES, escaped, palette, template

HEIGHT = 420
# Classes with a colour of their own; of more, the worst ones.
NAMED = 4
LETTERS = 14
ROOM = [-0.01, 1.01]


def roc(performance: Performance, *, output: str | None = None, dark: bool = False) -> go.Figure:
    """Draw which share of the rows of a class is found, against which share of the others.

    Parameters
    ----------
    output
        Draw one class alone; of more than four, the three with the least area are named.

    Raises
    ------
    InvalidInputError
        If there is no such class, or the result is one of a regression.
    """
    figure = _curves(performance, "roc", output, dark=dark)
    if len(figure.data):
        muted = palette(dark=dark).muted
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": muted, "width": 1, "dash": "dot"},
        )  # fmt: skip
        figure.update_xaxes(title_text="share of the others called so")
        figure.update_yaxes(title_text="share found (recall)")
        note(figure, "dotted: by chance", dark=dark)
    return figure


def pr(performance: Performance, *, output: str | None = None, dark: bool = False) -> go.Figure:
    """Draw which share of the rows called a class is right, against which share is found.

    Parameters
    ----------
    output
        Draw one class alone; of more than four, the three with the least area are named.

    Raises
    ------
    InvalidInputError
        If there is no such class, or the result is one of a regression.
    """
    figure = _curves(performance, "pr", output, dark=dark)
    if len(figure.data):
        figure.update_xaxes(title_text="share found (recall)")
        figure.update_yaxes(title_text="share right (precision)")
    return figure


def _curves(performance: Performance, which: Curve, output: str | None, *, dark: bool) -> go.Figure:
    names = performance.curve_names
    shown = list(range(len(names)))
    if output is not None:
        shown = [names.index(output)] if output in names else []
    areas = performance.areas
    known = [i for i in shown if areas is not None and not np.isnan(areas[i, AREA_OF[which], 0])]
    if areas is None or not known:
        return empty(_reason(performance, which), dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    colours = palette(dark=dark)
    order = sorted(known, key=lambda i: float(areas[i, AREA_OF[which], 0]))
    named = known if len(known) <= NAMED else sorted(order[: NAMED - 1])
    others = [i for i in known if i not in named]
    for i in others:
        style = {"color": colours.others, "width": 1}
        text = _legend_of_others(performance, which, others) if i == others[0] else None
        _add(figure, performance, which, i, style, text)
    for place, i in enumerate(named):
        style = {"color": colours.classes[place], "width": 2, "dash": DASHES[place]}
        several = len(named) > 1 or bool(others)
        _add(figure, performance, which, i, style, _legend(performance, which, i, several=several))
    corner = {"x": 0.99, "xanchor": "right"} if which == "roc" else {"x": 0.02, "xanchor": "left"}
    figure.update_layout(
        showlegend=True,
        legend={**corner, "y": 0.03, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)",
                "font": {"size": 12}, "title": {"text": _heading(performance, which)}},
    )  # fmt: skip
    figure.update_xaxes(range=ROOM, nticks=6, constrain="domain")
    figure.update_yaxes(range=ROOM, nticks=6)
    return figure


AREA_OF = {"roc": 0, "pr": 1}


def _heading(performance: Performance, which: Curve) -> str:
    return f"{AREAS[AREA_OF[which]]} ({percent(performance.level)})"


def _add(
    figure: go.Figure, performance: Performance, which: Curve, i: int, style: dict[str, object],
    legend: str | None,
) -> None:  # fmt: skip
    points = performance.curve(which, i)
    across, up = ("others called so", "found") if which == "roc" else ("found", "right")
    name = escaped(performance.curve_names[i])
    figure.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="lines",
        line=style,
        name=legend,
        showlegend=legend is not None,
        hovertext=[
            f"<b>{name}</b><br>{percent(x)} {across}, {percent(y)} {up}"
            + (f"<br>from probability {threshold:.3g}" if np.isfinite(threshold) else "")
            for x, y, threshold in points
        ],
        hoverinfo="text",
    )


def _legend(performance: Performance, which: Curve, i: int, *, several: bool) -> str:
    assert performance.areas is not None  # noqa: S101 - the caller has drawn from them
    value, low, high = performance.areas[i, AREA_OF[which]]
    name = f"{escaped(shortened(performance.curve_names[i], LETTERS))}: " if several else ""
    return f"{name}{value:.3f} ({low:.3f} to {high:.3f})"


def _legend_of_others(performance: Performance, which: Curve, others: Sequence[int]) -> str:
    assert performance.areas is not None  # noqa: S101 - the caller has drawn from them
    values = performance.areas[list(others), AREA_OF[which], 0]
    return f"{len(others)} others: {values.min():.3f} to {values.max():.3f}"


def _reason(performance: Performance, which: Curve) -> str:
    reasons = {reason for key, reason in performance.undefined.items()
               if key.startswith(AREAS[AREA_OF[which]])}  # fmt: skip
    said = "; ".join(sorted(reasons)) or "this result has no such curve"
    return f"No curve to show: {said}."
