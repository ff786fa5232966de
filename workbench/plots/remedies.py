"""Remedies drawn: what each does to accuracy and gaps, for whom, and how sure that is."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.fairness_metrics import GAPS
from workbench.core.remedies import Remedies
from workbench.core.remedy_catalogue import REMEDIES, Stage
from workbench.core.remedy_reading import GAP_NAMES, MOVED, moved
from workbench.core.wording import percent
from workbench.plots.layout import empty, layout_bars, note, title, write_cells
from workbench.plots.remedies_drawing import NONE, gap_position, ink, whisker, whiskers, within
from workbench.plots.remedies_words import (
    accuracy_told,
    cautions,
    change_told,
    gap_told,
    hundred,
    signed_points,
)
from workbench.plots.rows import wrapped
from workbench.plots.theme import Palette, blended, escaped, ink_on, palette, template
from workbench.plots.words import MINUS

BOARD_HEIGHT, CELL_HEIGHT, ROW_HEIGHT = 460, 46, 40
LETTERS = 44
# Remedies beside each other for whose intervals a cell has room.
SPACIOUS, TEN_POINTS = 3, 0.1
# A colour and a mark for each stage, so that neither has to be seen alone.
LOOKS: dict[Stage, tuple[int, str]] = {
    "none": (5, "x"), "pre": (0, "circle"), "in": (1, "square"), "post": (2, "diamond"),
    "select": (3, "triangle-up"),
}  # fmt: skip


def board(result: Remedies, *, gap: str | None = None, dark: bool = False) -> go.Figure:
    """Draw accuracy against a gap: arrows lead from the model as it is to each remedy.

    Whiskers are 95 % intervals of the change over the same rows, so that a remedy whose whiskers
    cross the dotted lines may change nothing.

    Parameters
    ----------
    gap
        Key of ``GAPS``; that which remedies were asked to lessen where nothing is said.

    Raises
    ------
    InvalidInputError
        If there is no such gap.
    """
    gap = gap or result.gap
    q, colours = gap_position(gap), palette(dark=dark)
    shown = [r for r in range(1, len(result.names)) if np.isfinite(result.gaps[r, q, 0])]
    if len(result.names) < 2:
        return empty(NONE, dark=dark)
    if not shown or not np.isfinite(result.gaps[0, q, 0]):
        return empty("This gap is not defined: a group has nobody of whom it would be a share.",
                     dark=dark)  # fmt: skip
    figure = go.Figure(layout={"template": template(dark=dark), "height": BOARD_HEIGHT})
    x0, y0 = float(result.gaps[0, q, 0]), float(result.accuracy[0, 0])
    for line, at in ((figure.add_vline, {"x": x0}), (figure.add_hline, {"y": y0})):
        line(**at, line={"color": colours.muted, "width": 1, "dash": "dot"})
    for r in shown:
        _add_remedy(figure, result, r, q, colours)
    figure.add_scatter(
        x=[x0], y=[y0], mode="markers", name="The model as it is", hoverinfo="text",
        marker={"size": 15, "symbol": "star", "color": colours.text},
        hovertext=[f"<b>The model as it is</b><br>{_value(gap, x0)}<br>{percent(y0)} right"],
    )  # fmt: skip
    _lay_out_board(figure, gap, len(shown))
    note(figure, "whiskers: 95 % of the change", dark=dark)
    return figure


def _add_remedy(figure: go.Figure, result: Remedies, r: int, q: int, colours: Palette) -> None:
    gap = GAP_NAMES[q]
    x0, y0 = float(result.gaps[0, q, 0]), float(result.accuracy[0, 0])
    x, y = float(result.gaps[r, q, 0]), float(result.accuracy[r, 0])
    which, symbol = LOOKS[REMEDIES[result.names[r]].stage]
    colour = colours.classes[which]
    figure.add_annotation(
        x=x, y=y, ax=x0, ay=y0, xref="x", yref="y", axref="x", ayref="y", text="",
        showarrow=True, arrowhead=2, arrowwidth=1.2, arrowcolor=colour, opacity=0.55, standoff=7,
        startstandoff=8,
    )  # fmt: skip
    figure.add_scatter(
        x=[x], y=[y], mode="markers+text", name=f"{r} {result.titles[r]}", hoverinfo="text",
        text=[f" {r}"], textposition="top right", textfont={"color": colours.text, "size": 13},
        marker={"size": 11, "symbol": symbol, "color": colour,
                "line": {"color": colours.surface, "width": 1}},
        error_x=whisker(x, within(gap, x0 + result.gap_changes[r, q, 1:]), colour),
        error_y=whisker(y, y0 + result.accuracy_changes[r, 1:], colour),
        hovertext=[_told(result, r, gap)], cliponaxis=False,
    )  # fmt: skip


def _lay_out_board(figure: go.Figure, gap: str, n: int) -> None:
    better = "right" if GAPS[gap].way == "ratio" else "left"
    text = wrapped(f"{GAPS[gap].title}; better: {better}", LETTERS)
    figure.update_xaxes(title_text=text, nticks=6)
    figure.update_yaxes(title_text="decided rightly", tickformat=".1~%", nticks=6)
    if GAPS[gap].way != "ratio":
        figure.update_xaxes(tickformat=".1~%")
    figure.update_layout(
        showlegend=True, height=BOARD_HEIGHT + 20 * n, margin={"t": 40},
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "itemclick": False},
    )  # fmt: skip


def _told(result: Remedies, r: int, gap: str) -> str:
    lines = [
        f"<b>{escaped(result.titles[r])}</b>",
        escaped(f"{GAPS[gap].title}: {gap_told(result, r, gap)}"),
        escaped(accuracy_told(result, r)),
        f"{hundred(result.flips(r).changed, 1)} in 100 decisions change",
        *(wrapped(text, LETTERS + 16) for text in cautions(result, r)[:3]),
    ]
    return "<br>".join(lines)


def conflicts(result: Remedies, *, dark: bool = False) -> go.Figure:
    """Draw each gap under each remedy: blue where it is less beyond chance, vermilion where more.

    A cell holds the change in points, and where there is room the 95 % interval over the same
    rows; what is grey may be chance.
    """
    chosen = list(range(1, len(result.names)))
    if not chosen:
        return empty(NONE, dark=dark)
    colours = palette(dark=dark)
    gaps = [gap for gap in GAPS if gap != "base_rate_difference"]
    said = [[moved(result, r, gap) for r in chosen] for gap in gaps]
    inks = {"lessened": 2, "worsened": 0, "open": 1, "undefined": 1}
    pale, many = 0.45, len(chosen) > SPACIOUS
    scale = [
        blended(colours.surface, colours.negative, pale), blended(colours.surface, colours.grid, 1),
        blended(colours.surface, colours.positive, pale),
    ]  # fmt: skip
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_heatmap(
        z=[[inks[cell] for cell in line] for line in said], x=list(range(len(chosen))),
        y=list(range(len(gaps))), zmin=0, zmax=2, showscale=False, xgap=3, ygap=3,
        hoverinfo="text", colorscale=[
            [0, scale[0]], [1 / 3, scale[0]], [1 / 3, scale[1]], [2 / 3, scale[1]],
            [2 / 3, scale[2]], [1, scale[2]],
        ],
        hovertext=[[_cell_told(result, r, gap) for r in chosen] for gap in gaps],
    )  # fmt: skip
    write_cells(figure, (
        (x, y, _cell(result, r, gap, brief=many), ink_on(scale[inks[said[y][x]]]))
        for y, gap in enumerate(gaps) for x, r in enumerate(chosen)
    ))  # fmt: skip
    layout_bars(figure, [""] * len(gaps), (-0.5, len(chosen) - 0.5), CELL_HEIGHT)
    figure.update_yaxes(ticktext=[wrapped(GAPS[gap].title, 20) for gap in gaps])
    figure.update_xaxes(
        tickvals=list(range(len(chosen))), side="top", showgrid=False,
        tickangle=-90 if many else 0,
        ticktext=[wrapped(result.titles[r], 22 if many else 13) for r in chosen],
    )  # fmt: skip
    figure.update_layout(height=CELL_HEIGHT * len(gaps) + 150, margin={"t": 12})
    return figure


def _cell(result: Remedies, r: int, gap: str, *, brief: bool) -> str:
    value, low, high = (float(x) for x in result.gap_changes[r, GAP_NAMES.index(gap)])
    if not np.isfinite(value):
        return "\N{EN DASH}"
    if GAPS[gap].way == "ratio":
        shown = [f"{x:+.2f}".replace("-", MINUS) for x in (value, low, high)]
    else:
        shown = [signed_points(x) for x in (value, low, high)]
    if brief:  # of more than ten points the decimal has no room
        return (
            shown[0].partition(".")[0]
            if GAPS[gap].way != "ratio" and abs(value) >= TEN_POINTS
            else shown[0]
        )
    return f"<b>{shown[0]}</b><br>{shown[1]} to<br>{shown[2]}"


def _cell_told(result: Remedies, r: int, gap: str) -> str:
    return "<br>".join((
        f"<b>{escaped(result.titles[r])}</b>: {escaped(GAPS[gap].title)}",
        wrapped(GAPS[gap].says, LETTERS), escaped(gap_told(result, r, gap)),
        MOVED[moved(result, r, gap)],
    ))  # fmt: skip


def multiplicity(result: Remedies, *, dark: bool = False) -> go.Figure:
    """Draw how many people other networks of the same training would decide otherwise.

    The dotted line is the model as it is. Dots are blue where a remedy lessens that beyond chance,
    vermilion where it raises it, grey where the change may be chance.
    """
    colours = palette(dark=dark)
    known = [r for r in range(len(result.names)) if np.isfinite(result.multiplicity[r, 0])]
    if not known:
        remarks = [remark for remark in result.multiplicity_remarks if remark]
        why = f": {remarks[-1]}" if remarks else ""
        return empty(f"It was not measured{why}.", dark=dark)
    everyone = list(range(len(result.names)))
    figure = go.Figure(layout={"template": template(dark=dark)})
    values = result.multiplicity[known]
    figure.add_scatter(
        x=values[:, 0], y=known, mode="markers", hoverinfo="text",
        marker={"size": 11, "color": [ink(result.multiplicity_changes[r], colours, good=-1)
                                      for r in known]},
        error_x=whiskers(values, colours),
        hovertext=[_multiplicity_told(result, r) for r in known],
    )  # fmt: skip
    if 0 in known:
        figure.add_vline(
            x=float(values[0, 0]), line={"color": colours.muted, "width": 1, "dash": "dot"}
        )
    for r in set(everyone) - set(known):
        figure.add_annotation(
            x=0, y=r, xanchor="left", showarrow=False, font={"color": colours.muted, "size": 12},
            text=wrapped(result.multiplicity_remarks[r] or "not measured", LETTERS),
        )  # fmt: skip
    high = float(np.nanmax(values))
    layout_bars(figure, [""] * len(everyone), (0.0, 1.12 * max(high, 0.01)), ROW_HEIGHT)
    figure.update_yaxes(ticktext=[wrapped(name, 18) for name in result.titles])
    figure.update_xaxes(tickformat=".0%")
    title(figure, "decided otherwise by some network", f"of {result.refits} from other starts")
    note(figure, "whiskers: 95 %", dark=dark)
    return figure


def _multiplicity_told(result: Remedies, r: int) -> str:
    value, low, high = (percent(float(x)) for x in result.multiplicity[r])
    lines = [f"<b>{escaped(result.titles[r])}</b>: {value}", f"95 %: {low} to {high}"]
    if r:
        lines.append(f"change {change_told(result.multiplicity_changes[r])} points")
    return "<br>".join(lines)


def trials(result: Remedies, *, dark: bool = False) -> go.Figure:
    """Draw the networks of a search on the test rows: gap across, accuracy up.

    Filled ones have no better one on the validation rows, which chose; the large one was chosen.
    Whiskers are 95 % intervals of those.
    """
    if not result.trial_of:
        return empty("No search was among the remedies, so no networks were compared.", dark=dark)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": BOARD_HEIGHT})
    groups = (
        ("others", ~result.trial_front, "circle-open", 7, colours.others),
        ("none better in both on validation rows", result.trial_front & ~result.trial_chosen,
         "circle", 8, colours.positive),
        ("chosen", result.trial_chosen, "star", 15, colours.negative),
    )  # fmt: skip
    for name, mask, symbol, size, colour in groups:
        at = np.flatnonzero(mask)
        y, x = result.trial_test[at, 0], result.trial_test[at, 1]
        bars = {} if name == "others" else {
            "error_x": whiskers(x, colours), "error_y": whiskers(y, colours),
        }  # fmt: skip
        figure.add_scatter(
            x=x[:, 0], y=y[:, 0], mode="markers", name=name, hoverinfo="text", **bars,
            marker={"size": size, "symbol": symbol, "color": colour},
            hovertext=[_trial_told(result, int(t)) for t in at],
        )  # fmt: skip
    figure.add_scatter(
        x=[result.gaps[0, result.gap_index, 0]], y=[result.accuracy[0, 0]], mode="markers",
        name="the model as it is", marker={"size": 12, "symbol": "x", "color": colours.text},
        hoverinfo="name",
    )  # fmt: skip
    _lay_out_board(figure, result.gap, 2)
    note(figure, "test rows; whiskers: 95 %", dark=dark)
    return figure


def _trial_told(result: Remedies, t: int) -> str:
    accuracy, gap = result.trial_validation[t]
    return "<br>".join((
        f"<b>{escaped(REMEDIES[result.trial_of[t]].title)}</b>"
        if result.trial_of[t] in REMEDIES else "",
        wrapped(result.trial_settings[t], LETTERS),
        f"test: {percent(float(result.trial_test[t, 0, 0]))} right, "
        f"{_value(result.gap, float(result.trial_test[t, 1, 0]))}",
        f"validation: {percent(float(accuracy))} right, {_value(result.gap, float(gap))}",
    ))  # fmt: skip


def _value(gap: str, value: float) -> str:
    if not np.isfinite(value):
        return f"{GAPS[gap].title.lower()} not defined"
    shown = f"{value:.2f}" if GAPS[gap].way == "ratio" else f"{hundred(value, 1)} points"
    return f"{GAPS[gap].title.lower()} {shown}"
