"""The candidates themselves: how good each is, and which features equally good models rely on."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.rashomon import EXPLORERS, RashomonSet
from workbench.core.wording import counted, joined
from workbench.plots import words
from workbench.plots.layout import (
    check_bars,
    cut,
    empty,
    layout_bars,
    note,
    padded,
    shortened,
    title,
)
from workbench.plots.rashomon_words import at
from workbench.plots.rows import SYMBOLS, drawn_rows, scatter_of
from workbench.plots.theme import Palette, escaped, palette, template

HEIGHT, POINTS = 420, 3000
NO_CANDIDATES = "No candidates were kept: what was explored are formulas, which have no models."
NOT_ASKED = (
    "Not computed: run again with importance switched on to see how far equally good models rely "
    "on other features."
)


def cloud(
    result: RashomonSet,
    explorer: str | None = None,
    *,
    tolerance: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw each candidate: its excess loss on admission rows across, its accuracy elsewhere up.

    Colour is the strength of the noise or the size of the step, the mark the explorer; what stands
    left of the line is admitted. Of a regression, and where rows have no labels, the loss on the
    rows reported on stands for the accuracy.

    Raises
    ------
    InvalidInputError
        If there is no such explorer or tolerance.
    """
    where = at(result, explorer, tolerance)
    chosen = np.flatnonzero(
        np.ones(len(result.candidate_excess), dtype=bool) if explorer is None
        else result.candidate_explorer == where.explorer
    )  # fmt: skip
    up, label = _quality(result)
    chosen = chosen[np.isfinite(up[chosen]) & np.isfinite(result.candidate_excess[chosen])]
    if not len(chosen):
        return empty(NO_CANDIDATES, dark=dark)
    colours, n = palette(dark=dark), len(chosen)
    chosen = chosen[drawn_rows(n, POINTS)]
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    strengths = result.candidate_strength[chosen]
    draw = scatter_of(len(chosen), webgl=True)
    figure.add_trace(draw(
        x=result.candidate_excess[chosen], y=up[chosen], mode="markers", hoverinfo="text",
        marker={
            "size": 6, "color": strengths, "colorscale": colours.scale, "opacity": 0.85,
            "symbol": [SYMBOLS[e % len(SYMBOLS)] for e in result.candidate_explorer[chosen]],
            "cmin": float(strengths.min()), "cmax": float(strengths.max()),
            "colorbar": {"title": {"text": "strength", "side": "top"}, "thickness": 10,
                         "outlinewidth": 0, "nticks": 4},
        },
        hovertext=[_candidate_told(result, int(c), float(up[c]), label) for c in chosen],
    ))  # fmt: skip
    line = float(result.tolerances[where.tolerance])
    figure.add_vline(x=line, line={"color": colours.text, "width": 1.2, "dash": "dash"})
    note(figure, f"{len(chosen):,} of {n:,} candidates" if len(chosen) < n
         else counted(n, "candidate"), dark=dark)  # fmt: skip
    reach = _reach(result.candidate_excess[chosen], result)
    seen = up[chosen][result.candidate_excess[chosen] <= reach[1]]
    seen = seen if len(seen) else up[chosen]
    figure.update_yaxes(
        title_text=escaped(label), nticks=6, tickformat=".0%" if label == "accuracy" else None,
        range=list(padded((float(seen.min()), float(seen.max()) + 1e-9), 0.06)),
    )  # fmt: skip
    title(figure, f"excess {result.loss_name}",
          f"left of the line: within {words.number(line)}")  # fmt: skip
    figure.update_xaxes(range=reach, nticks=6)
    return figure


def importance(result: RashomonSet, *, max_features: int = 12, dark: bool = False) -> go.Figure:
    """Draw for each feature how much equally good models rely on it: the range, and the model's.

    A feature whose range reaches 0 is needed by none of them for sure.

    Raises
    ------
    InvalidInputError
        If ``max_features`` is below 1.
    """
    check_bars(max_features)
    if not len(result.importance):
        return empty(NOT_ASKED, dark=dark)
    if not np.isfinite(result.importance).all():
        return empty("No model admitted, so there is no range of importance.", dark=dark)
    own, low, high = result.importance.T
    shown, rest = cut(np.argsort(-own, kind="stable"), max_features)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    _add_ranges(figure, result, shown, colours)
    span = float(min(0.0, low[shown].min())), float(max(high[shown].max(), own[shown].max(), 1e-12))
    layout_bars(figure, [shortened(result.names[i]) for i in shown], padded(span, 0.06))
    figure.add_vline(x=0, line={"color": colours.text, "width": 1})
    title(figure, f"{result.loss_name} gained by shuffling",
          "point: the model; bar: equally good ones")  # fmt: skip
    left = f"; {len(rest)} more features not shown" if len(rest) else ""
    models = counted(result.importance_models, "model")
    note(figure, f"{EXPLORERS[result.explorers[0]]}, {models}{left}", dark=dark)
    return figure


def importance_sentence(result: RashomonSet) -> str:
    """Say which features every equally good model relies on, and which one is most open."""
    if not len(result.importance):
        return NOT_ASKED
    if not np.isfinite(result.importance).all():
        return "No model admitted, so there is no range of importance."
    own, low, high = result.importance.T
    models = counted(result.importance_models, "equally good model")
    start = f"Over {models} ({EXPLORERS[result.explorers[0]]})"
    sure = [int(i) for i in np.argsort(-low, kind="stable") if low[i] > 0][:3]
    widest = int(np.argmax(high - low))
    relied = (
        f"all rely on {joined([result.names[i] for i in sure])}" if sure
        else "there is no feature that all rely on"
    )  # fmt: skip
    return (
        f"{start}, {relied}; {result.names[widest]} is most open: shuffling it costs "
        f"{words.number(float(low[widest]))} to {words.number(float(high[widest]))} of "
        f"{result.loss_name}, and {words.number(float(own[widest]))} for the model itself."
    )


def _add_ranges(
    figure: go.Figure, result: RashomonSet, shown: np.ndarray, colours: Palette
) -> None:
    own, low, high = result.importance[shown].T
    places = np.arange(len(shown))
    figure.add_bar(
        x=high - low, base=low, y=places, orientation="h", width=0.34, hoverinfo="skip",
        marker={"color": colours.size, "opacity": 0.55, "line": {"width": 0}},
    )  # fmt: skip
    figure.add_scatter(
        x=own, y=places, mode="markers", hoverinfo="text",
        marker={"color": colours.text, "size": 9, "symbol": "diamond"},
        hovertext=[
            f"<b>{escaped(result.names[i])}</b><br>the model: {words.number(float(own[j]))}<br>"
            f"equally good ones: {words.number(float(low[j]))} to {words.number(float(high[j]))}"
            for j, i in enumerate(shown)
        ],
    )  # fmt: skip


def _quality(result: RashomonSet) -> tuple[np.ndarray, str]:
    if np.isfinite(result.candidate_accuracy).any():
        return result.candidate_accuracy, "accuracy"
    if np.isfinite(result.candidate_loss).any():
        return result.candidate_loss, f"{result.loss_name} on the rows reported on"
    return result.candidate_noise, "paired standard error"


def _candidate_told(result: RashomonSet, c: int, value: float, label: str) -> str:
    key = result.explorers[result.candidate_explorer[c]]
    return (
        f"<b>{EXPLORERS[key]}</b><br>strength {words.number(float(result.candidate_strength[c]))}"
        f"<br>excess {words.number(float(result.candidate_excess[c]))} ± "
        f"{words.number(1.96 * float(result.candidate_noise[c]))}<br>{escaped(label)} "
        f"{words.number(value)}"
    )


def _reach(excess: np.ndarray, result: RashomonSet) -> list[float]:
    """Show the whole cloud, but no candidate that lost so much that nothing else could be seen."""
    low = min(0.0, float(excess.min()))
    high = max(float(result.tolerances[-1]), min(float(excess.max()),
                                                 4 * float(result.tolerances[-1])))  # fmt: skip
    return list(padded((low, high), 0.05))
