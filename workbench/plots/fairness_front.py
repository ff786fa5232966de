"""Accuracy and gaps between groups of equally good models, drawn."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.fairness_front import (
    DIRECTED,
    NONE,
    REPORTED,
    SPLITS,
    VALIDATION,
    FairnessFront,
)
from workbench.core.fairness_metrics import GAPS
from workbench.core.wording import percent
from workbench.plots.fairness_front_words import change_text, points, value_text
from workbench.plots.layout import check_bars, empty, narrow_title, shortened
from workbench.plots.rows import wrapped
from workbench.plots.theme import DASHES, Palette, escaped, palette, template

# Rows that a view is about, by the name of the option.
ROWS = {"reported": REPORTED, "validation": VALIDATION}
GAPS_SHOWN = tuple(name for name, gap in GAPS.items() if gap.of != ("base_rate",))
# Half axes of an ellipse that holds 95 % of two normal numbers, in standard deviations.
CONTOUR, CORNERS = 5.991**0.5, 49
HEIGHT, ROW_HEIGHT, LETTERS = 540, 44, 30
# How far left of the allowed loss of accuracy the plane goes, in multiples of that loss.
BEYOND = 2.0
LEGEND = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}


def plane(
    front: FairnessFront, *, gap: str | None = None, rows: str = "reported", dark: bool = False
) -> go.Figure:
    """Draw each model at its accuracy and its gap: the lower right is what one wants.

    Ellipses hold 95 % of what other rows would have given. The line joins models that no other
    beats; the shaded band is within the allowed loss of accuracy. Models far to the left of it
    are left out, and the axis says how many.

    Parameters
    ----------
    rows
        ``reported``, or ``validation``: those that chose.

    Raises
    ------
    InvalidInputError
        If there is no such gap.
    """
    q, s = front.gap_index(gap), ROWS.get(rows, REPORTED)
    x, y = 100 * front.accuracy[:, s, 0], 100 * front.gaps[:, s, q, 0]
    least = x[0] - 100 * front.eps * (1 + BEYOND) - 0.1
    shown = np.flatnonzero(np.isfinite(y) & (x >= least))
    if 0 not in shown:
        return empty("The gap is not defined on these rows.", dark=dark)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    chosen, best = int(front.chosen[q]), shown[front.front[shown, s, q]]
    _add_ellipses(figure, front, shown, q, s, colours.haze, 0.6, "")
    marked = [m for m in dict.fromkeys((0, chosen)) if m in shown]
    _add_ellipses(figure, front, np.array(marked), q, s, colours.muted, 1.2, "95 %: given, chosen")
    _add_front(figure, x[best], y[best], colours, ratio=GAPS[list(GAPS)[q]].way == "ratio")
    _add_models(figure, front, shown, q, s, colours)
    _add_marked(figure, front, chosen if chosen in shown else NONE, q, s, colours)
    figure.add_vrect(
        x0=x[0] - 100 * front.eps, x1=max(x.max(), x[0]) + 1, line_width=0, layer="below",
        fillcolor=colours.positive, opacity=0.07,
    )  # fmt: skip
    right = float(front.accuracy[shown, s, 2].max()) * 100
    figure.update_xaxes(range=[least, min(right, x.max() + 100 * front.eps)], nticks=6)
    out = int((x < least).sum())
    more = f"; {out} further left" if out else ""
    figure.update_xaxes(title_text=wrapped(f"% decided rightly, {SPLITS[s]}{more}", LETTERS))
    title = GAPS[list(GAPS)[q]].title
    way = "greater is fairer" if GAPS[list(GAPS)[q]].way == "ratio" else "less is fairer"
    figure.update_yaxes(rangemode="tozero", title_text=wrapped(f"{title}, %; {way}", LETTERS))
    figure.update_layout(showlegend=True, legend=LEGEND)
    return figure


def ellipse(
    x: float, y: float, covariance: Float[np.ndarray, " 3"]
) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """Return the corners of the 95 % ellipse around a point, from variances and covariance."""
    matrix = np.array([[covariance[0], covariance[1]], [covariance[1], covariance[2]]])
    sizes, axes = np.linalg.eigh(matrix)
    turn = np.linspace(0, 2 * np.pi, CORNERS)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    away = axes @ (CONTOUR * np.sqrt(np.maximum(sizes, 0))[:, None] * circle)
    return x + away[0], y + away[1]


def _add_ellipses(
    figure: go.Figure, front: FairnessFront, which: Int[np.ndarray, " k"], q: int, s: int,
    colour: str, width: float, name: str,
) -> None:  # fmt: skip
    xs: list[float | None] = []
    ys: list[float | None] = []
    for m in which:
        if not np.isfinite(front.covariance[m, s, q]).all():
            continue
        middle = float(front.accuracy[m, s, 0]), float(front.gaps[m, s, q, 0])
        along, up = ellipse(*middle, front.covariance[m, s, q])
        xs += [*(100 * along), None]
        ys += [*(100 * np.maximum(up, 0)), None]
    figure.add_scatter(
        x=xs, y=ys, mode="lines", hoverinfo="skip", showlegend=bool(name), name=name,
        line={"color": colour, "width": width},
    )  # fmt: skip


def _add_front(
    figure: go.Figure, x: Float[np.ndarray, " k"], y: Float[np.ndarray, " k"], colours: Palette,
    *, ratio: bool,
) -> None:  # fmt: skip
    order = np.lexsort((-y if ratio else y, x))
    figure.add_scatter(
        x=x[order], y=y[order], mode="lines", hoverinfo="skip", name="no other beats these",
        line={"color": colours.text, "width": 1.5, "dash": DASHES[2], "shape": "hv"},
    )  # fmt: skip


def _add_models(
    figure: go.Figure, front: FairnessFront, shown: Int[np.ndarray, " k"], q: int, s: int,
    colours: Palette,
) -> None:  # fmt: skip
    kinds = (
        ("near-copies at random", colours.others, "circle",
         [m for m in shown.tolist() if front.finders[m] not in {DIRECTED, "given", "retraining"}]),
        ("trained again", colours.classes[3], "square",
         [m for m in shown.tolist() if front.finders[m] == "retraining"]),
        ("trained on towards a smaller gap", colours.positive, "diamond",
         [m for m in shown.tolist() if front.finders[m] == DIRECTED]),
    )  # fmt: skip
    for name, colour, symbol, own in kinds:
        if not own:
            continue
        figure.add_scatter(
            x=100 * front.accuracy[own, s, 0], y=100 * front.gaps[own, s, q, 0], mode="markers",
            name=name, customdata=own, hoverinfo="text",
            hovertext=[_about(front, m, q, s) for m in own],
            marker={"color": colour, "symbol": symbol, "size": 8, "opacity": 0.85},
        )  # fmt: skip


def _add_marked(
    figure: go.Figure, front: FairnessFront, chosen: int, q: int, s: int, colours: Palette
) -> None:
    marks = [(0, "the given model", "star", colours.negative, 15)]
    if chosen != NONE:
        marks.append((chosen, "chosen on the validation rows", "diamond-open", colours.text, 15))
    for m, name, symbol, colour, size in marks:
        figure.add_scatter(
            x=[100 * front.accuracy[m, s, 0]], y=[100 * front.gaps[m, s, q, 0]], mode="markers",
            name=name, customdata=[m], hoverinfo="text", hovertext=[_about(front, m, q, s)],
            marker={"color": colour, "symbol": symbol, "size": size,
                    "line": {"width": 2, "color": colours.text}},
        )  # fmt: skip


def _about(front: FairnessFront, m: int, q: int, s: int) -> str:
    name = list(GAPS)[q]
    lines = [
        f"<b>{escaped(front.name(m))}</b>",
        f"right for {percent(float(front.accuracy[m, s, 0]))} of the {SPLITS[s]}",
        f"{GAPS[name].title}: {value_text(name, front.gaps[m, s, q])}",
    ]
    if m:
        lines += [
            f"change of the gap: {change_text(front.change[m, s, q])}",
            f"change of the accuracy: {change_text(front.accuracy_change[m, s])}",
            f"better than the given model in {percent(float(front.beats[m, s, q]))} of resamples",
        ]
    lines.append(f"beaten by no other in {percent(float(front.chance[m, s, q]))} of resamples")
    return "<br>".join(lines)


def ranges(front: FairnessFront, *, dark: bool = False) -> go.Figure:
    """Draw how far each gap lies apart among models within the allowed loss of accuracy.

    The ends are the models that the validation rows say are the least and the most unequal, at
    what the rows reported on say of them, with 95 % intervals; the star is the given model. Of a
    ratio its distance from 1 is drawn, so that less is fairer in every line.
    """
    colours = palette(dark=dark)
    names = [name for name in GAPS_SHOWN if front.ends[front.gap_index(name), 0] != NONE]
    if not names:
        return empty("No gap is defined on the validation rows.", dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    for place, name in enumerate(names):
        q = front.gap_index(name)
        ends = [int(end) for end in front.ends[q]]
        triples = [_away(front, m, q) for m in ends]
        figure.add_scatter(
            x=[triple[0] for triple in triples], y=[place, place], mode="lines", hoverinfo="skip",
            line={"color": colours.haze, "width": 10}, showlegend=False,
        )  # fmt: skip
        marks = ((ends[0], colours.positive, "diamond", 0.12), (ends[1], colours.others, "circle",
                 -0.12), (0, colours.negative, "star", 0.0))  # fmt: skip
        titles = ("least unequal", "most unequal", "the given model")
        for (m, colour, symbol, shift), title in zip(marks, titles, strict=True):
            value, low, high = _away(front, m, q)
            figure.add_scatter(
                x=[value], y=[place + shift], mode="markers", name=title, hoverinfo="text",
                legendgroup=title, showlegend=place == 0,
                hovertext=[_about(front, m, q, REPORTED)],
                marker={"color": colour, "symbol": symbol, "size": 11 if m else 13},
                error_x={"type": "data", "symmetric": False, "array": [high - value],
                         "arrayminus": [value - low], "color": colours.whisker, "thickness": 1,
                         "width": 3},
            )  # fmt: skip
    labels = [_gap_label(name) for name in names]
    figure.update_layout(
        height=170 + ROW_HEIGHT * len(names), showlegend=True, legend=LEGEND,
        yaxis={"tickvals": list(range(len(names))), "ticktext": labels,
               "range": [len(names) - 0.4, -0.6], "showgrid": False},
    )  # fmt: skip
    figure.update_xaxes(rangemode="tozero", nticks=6, zeroline=True)
    narrow_title(figure, "% from alike", "rows reported on")
    return figure


def _gap_label(name: str) -> str:
    start = "1 less " if GAPS[name].way == "ratio" else ""
    title = GAPS[name].title
    title = f"{start}{title[:1].lower()}{title[1:]}" if start else title
    return wrapped(title.replace(" difference", ""), 22)


def _away(front: FairnessFront, m: int, q: int) -> tuple[float, float, float]:
    """Return a gap's distance from where groups are alike, in per cent, and its interval."""
    value, low, high = (float(part) for part in front.gaps[m, REPORTED, q])
    if GAPS[list(GAPS)[q]].way == "ratio":
        value, low, high = 1 - value, 1 - high, 1 - low
    low, high = min(low, value), max(high, value)
    return 100 * value, 100 * low, 100 * high


def change(front: FairnessFront, *, gap: str | None = None, dark: bool = False) -> go.Figure:
    """Draw what the chosen model changes: gap and accuracy, with paired 95 % intervals.

    The validation rows chose it and may flatter it; the rows reported on alone can confirm it. A
    gap that surely became less lies left of the line.

    Raises
    ------
    InvalidInputError
        If there is no such gap.
    """
    q = front.gap_index(gap)
    m, colours = int(front.chosen[q]), palette(dark=dark)
    if m == NONE:
        return empty("No less discriminatory alternative was found.", dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": 330})
    lines = [
        (f"{what},<br>{who}", found[s], s)
        for what, found in (("gap", front.change[m, :, q]), ("accuracy", front.accuracy_change[m]))
        for s, who in enumerate(("rows that chose", "rows reported on"))
    ]
    for place, (_, triple, s) in enumerate(lines):
        value, low, high = (100 * float(part) for part in triple)
        sure = high < 0 if place < 2 else low > 0
        colour = colours.positive if sure and s == REPORTED else colours.others
        figure.add_scatter(
            x=[value], y=[place], mode="markers", hoverinfo="text",
            hovertext=[f"<b>{SPLITS[s]}</b><br>{change_text(triple)}"],
            marker={"color": colour, "size": 12, "symbol": ("circle-open", "diamond")[s]},
            error_x={"type": "data", "symmetric": False, "array": [high - value],
                     "arrayminus": [value - low], "color": colours.whisker, "thickness": 1.2,
                     "width": 4},
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1})
    figure.add_shape(
        type="line", x0=-100 * front.eps, x1=-100 * front.eps, y0=1.6, y1=3.4,
        line={"color": colours.muted, "width": 1, "dash": DASHES[2]},
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(4)), ticktext=[line[0] for line in lines], range=[3.6, -0.6],
        showgrid=False,
    )  # fmt: skip
    allowed = wrapped(f"change in points; dotted: {points(front.eps)} of accuracy lost", LETTERS)
    figure.update_xaxes(title_text=allowed, nticks=6)
    return figure


def causes(front: FairnessFront, *, max_features: int = 12, dark: bool = False) -> go.Figure:
    """Draw which features make the mean scores of two groups differ, before and after.

    Each feature has its mean Shapley value in the worse off group less that in the better off, in
    the given model (star) and in the alternative (diamond), with 95 % intervals over rows. All
    features together make the difference of the mean scores.

    Raises
    ------
    InvalidInputError
        If ``max_features`` is below 1.
    """
    check_bars(max_features)
    if not len(front.causes) or not np.isfinite(front.causes[..., 0]).all():
        return empty("No rows of both groups were explained.", dark=dark)
    colours = palette(dark=dark)
    size = np.abs(front.causes[..., 0]).max(0)
    order = np.argsort(-size, kind="stable")[:max_features]
    figure = go.Figure(layout={"template": template(dark=dark)})
    marks = (("the given model", colours.negative, "star", -0.14),
             ("the alternative", colours.positive, "diamond", 0.14))  # fmt: skip
    for own, (name, colour, symbol, shift) in zip(front.causes, marks, strict=False):
        value, low, high = 100 * own[order].T
        figure.add_scatter(
            x=value, y=np.arange(len(order)) + shift, mode="markers", name=name, hoverinfo="text",
            hovertext=[f"<b>{escaped(front.features[j])}</b><br>{name}: {change_text(own[j])}"
                       for j in order],
            marker={"color": colour, "symbol": symbol, "size": 11},
            error_x={"type": "data", "symmetric": False, "array": high - value,
                     "arrayminus": value - low, "color": colours.whisker, "thickness": 1,
                     "width": 3},
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1})
    labels = [escaped(shortened(front.features[j], 20)) for j in order]
    figure.update_layout(
        height=150 + 34 * len(order), showlegend=True, legend=LEGEND,
        yaxis={"tickvals": list(range(len(order))), "ticktext": labels,
               "range": [len(order) - 0.4, -0.6], "showgrid": False},
    )  # fmt: skip
    figure.update_xaxes(nticks=6)
    worse, better = front.compared
    narrow_title(figure, "points of the score,", worse, f"less {better}")
    return figure
