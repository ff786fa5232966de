"""One remedy drawn: every gap, the rates of every group, and whose decision it changes."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.remedies import Remedies
from workbench.core.remedy_reading import GAP_NAMES, MOVED, RATE_NAMES, ByTruth, by_truth, moved
from workbench.core.wording import counted, percent
from workbench.plots.layout import empty, layout_bars, note, shortened, title
from workbench.plots.remedies_drawing import (
    NAME_LENGTH,
    NONE,
    chosen_remedy,
    ink,
    rate_position,
    whisker,
)
from workbench.plots.remedies_words import (
    change_told,
    gap_told,
    group_phrase,
    group_told,
    lessens_with,
)
from workbench.plots.rows import wrapped
from workbench.plots.theme import Palette, escaped, palette, template
from workbench.plots.words import number

GAP_ROW, GROUP_ROW, WHO_ROW = 40, 36, 40
LETTERS = 44


def gaps(result: Remedies, *, remedy: str | None = None, dark: bool = False) -> go.Figure:
    """Draw every gap before (ring) and after (dot) a remedy.

    Whiskers are 95 % intervals of the change over the same rows, drawn around the dot. Blue is
    less beyond chance, vermilion more, grey what may be chance. Of a ratio it is what lacks to 1.

    Parameters
    ----------
    remedy
        Name of the remedy; the most helpful one where nothing is said.

    Raises
    ------
    InvalidInputError
        If it was not tried.
    """
    r = chosen_remedy(result, remedy)
    if len(result.names) < 2:
        return empty(NONE, dark=dark)
    colours = palette(dark=dark)
    inks = {"lessened": colours.positive, "worsened": colours.negative}
    shown = [gap for gap in GAPS if gap != "base_rate_difference"]
    figure = go.Figure(layout={"template": template(dark=dark)})
    high = 0.01
    for y, gap in enumerate(shown):
        before, after, change = _as_distance(result, r, gap)
        if not np.isfinite([before, after]).all():
            _say(figure, y, "not defined: a group has nobody of whom it would be a share", colours)
            continue
        high = max(high, before, after, before + float(np.nan_to_num(change[2])))
        _add_pair(
            figure, y, before, after, np.clip(before + change[1:], 0, 1), colours,
            inks.get(moved(result, r, gap), colours.others),
            f"<b>{escaped(GAPS[gap].title)}</b><br>{wrapped(GAPS[gap].says, LETTERS)}<br>"
            f"{escaped(gap_told(result, r, gap))}<br>{MOVED[moved(result, r, gap)]}",
        )  # fmt: skip
    layout_bars(figure, [""] * len(shown), (-0.01 * high, 1.05 * high), GAP_ROW)
    figure.update_yaxes(ticktext=[wrapped(GAPS[gap].title, 22) for gap in shown])
    figure.update_xaxes(tickformat=".0%")
    title(figure, "distance between groups", "of a ratio: what lacks to 1")
    note(figure, "ring: before; dot: after", dark=dark)
    return figure


def groups(
    result: Remedies, *, remedy: str | None = None, rate: str | None = None, dark: bool = False
) -> go.Figure:
    """Draw a rate of every group before (ring) and after (dot) a remedy.

    Whiskers are 95 % intervals of the change over the same rows, drawn around the dot. Blue is a
    rise beyond chance, vermilion a fall, grey what may be chance.

    Parameters
    ----------
    rate
        Key of ``RATES``; that which the gap is made of where nothing is said.

    Raises
    ------
    InvalidInputError
        If there is no such remedy or rate.
    """
    r, v = chosen_remedy(result, remedy), rate_position(rate or GAPS[result.gap].of[0])
    if len(result.names) < 2:
        return empty(NONE, dark=dark)
    rate, colours, sizes = RATE_NAMES[v], palette(dark=dark), result.sizes
    figure = go.Figure(layout={"template": template(dark=dark)})
    # Of a rate such as errors among the refused neither more nor less is the better side.
    good = 1 if lessens_with(rate) else -1
    for y in range(len(result.group_names)):
        before, after = float(result.rates[0, v, y, 0]), float(result.rates[r, v, y, 0])
        change = result.rate_changes[r, v, y]
        if not np.isfinite([before, after]).all():
            _say(figure, y, f"not defined: no {RATES[rate].lacking}", colours)
            continue
        own = percent(float(result.rates[r, v, y, 1])), percent(float(result.rates[r, v, y, 2]))
        _add_pair(
            figure, y, before, after, before + change[1:], colours,
            ink(change, colours, good=good),
            f"<b>{escaped(group_phrase(result, y))}</b>, {counted(int(sizes[y]), 'row')}<br>"
            f"{wrapped(group_told(result, r, y, rate), LETTERS)}<br>"
            f"change {change_told(change)} points<br>after: 95 % {own[0]} to {own[1]}",
        )  # fmt: skip
    names = [
        f"{shortened(name, NAME_LENGTH)} ({size:,})"
        for name, size in zip(result.group_names, sizes, strict=True)
    ]
    layout_bars(figure, [""] * len(names), (-0.02, 1.02), GROUP_ROW)
    figure.update_yaxes(ticktext=[wrapped(name, 22) for name in names])
    figure.update_xaxes(tickformat=".0%")
    title(figure, RATES[rate].title.lower())
    note(figure, "ring: before; dot: after", dark=dark)
    return figure


def who(result: Remedies, *, remedy: str | None = None, dark: bool = False) -> go.Figure:
    """Draw who gains the favourable decision (right) and who loses it (left), by group and truth.

    Bars are shares of the people of a group and truth; the dot is the difference of both, with its
    95 % interval over the same rows.

    Raises
    ------
    InvalidInputError
        If there is no such remedy.
    """
    r = chosen_remedy(result, remedy)
    if len(result.names) < 2:
        return empty(NONE, dark=dark)
    found, colours = by_truth(result, r), palette(dark=dark)
    cells = [(g, truth) for g in range(len(result.group_names)) for truth in (1, 0)]
    figure = go.Figure(layout={"template": template(dark=dark)})
    sides = ((found.gained, 1, colours.positive), (found.lost, -1, colours.negative))
    for shares, sign, colour in sides:
        values = np.array([shares[cell] for cell in cells])
        figure.add_bar(
            x=sign * values, y=np.arange(len(cells)), orientation="h", width=0.6,
            marker={"color": colour, "line": {"width": 0}}, hoverinfo="text",
            hovertext=[_who_told(result, found, *cell) for cell in cells],
        )  # fmt: skip
    reach = 0.01
    for y, cell in enumerate(cells):
        net = found.net[cell]
        if not np.isfinite(net).all():
            _say(figure, y, "nobody", colours)
            continue
        reach = max(reach, *np.abs(net), found.gained[cell], found.lost[cell])
        figure.add_scatter(
            x=[net[0]], y=[y], mode="markers", hoverinfo="text",
            marker={"size": 9, "color": colours.text,
                    "line": {"color": colours.surface, "width": 1}},
            error_x=whisker(float(net[0]), net[1:], colours.whisker),
            hovertext=[_who_told(result, found, *cell)],
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1})
    figure.update_layout(barmode="overlay")
    layout_bars(figure, [""] * len(cells), (-1.1 * reach, 1.1 * reach), WHO_ROW)
    figure.update_yaxes(ticktext=[_cell_label(result, *cell) for cell in cells])
    figure.update_xaxes(tickformat=".0%")
    title(figure, "lose it (left), gain it (right)", "dot: the difference")
    note(figure, f"decision {escaped(shortened(result.favourable, 20))}; whiskers: 95 %", dark=dark)
    return figure


def _cell_label(result: Remedies, g: int, truth: int) -> str:
    name = escaped(shortened(result.group_names[g], NAME_LENGTH))
    outcome = result.favourable if truth else result.unfavourable
    return f"{name}<br>outcome {escaped(shortened(outcome, 14))}"


def _who_told(result: Remedies, found: ByTruth, g: int, truth: int) -> str:
    people = found.people[g, truth]
    if not people:
        return "nobody"
    gained, lost = found.gained[g, truth], found.lost[g, truth]
    return "<br>".join((
        f"<b>{_cell_label(result, g, truth).replace('<br>', ', ')}</b>",
        f"{number(float(gained * people))} of {people:,.0f} gain it ({percent(float(gained))})",
        f"{number(float(lost * people))} lose it ({percent(float(lost))})",
        f"difference {change_told(found.net[g, truth])} points",
    ))


def _as_distance(result: Remedies, r: int, gap: str) -> tuple[float, float, np.ndarray]:
    """Return a gap before and after and its change; of a ratio, of what lacks to 1."""
    q = GAP_NAMES.index(gap)
    before, after = float(result.gaps[0, q, 0]), float(result.gaps[r, q, 0])
    change = result.gap_changes[r, q]
    if GAPS[gap].way != "ratio":
        return before, after, change
    return 1 - before, 1 - after, -change[[0, 2, 1]]


def _add_pair(
    figure: go.Figure, y: int, before: float, after: float, ends: np.ndarray, colours: Palette,
    colour: str, told: str,
) -> None:  # fmt: skip
    figure.add_scatter(
        x=[before, after], y=[y, y], mode="lines", hoverinfo="skip",
        line={"color": colour, "width": 2},
    )  # fmt: skip
    figure.add_scatter(
        x=[before], y=[y], mode="markers", hoverinfo="text", hovertext=[told],
        marker={"size": 10, "symbol": "circle-open", "color": colours.text,
                "line": {"width": 1.5}},
    )  # fmt: skip
    figure.add_scatter(
        x=[after], y=[y], mode="markers", hoverinfo="text", hovertext=[told],
        marker={"size": 11, "color": colour}, error_x=whisker(after, ends, colours.whisker),
    )  # fmt: skip


def _say(figure: go.Figure, y: int, text: str, colours: Palette) -> None:
    """Write in a line why there is nothing to draw."""
    figure.add_annotation(
        x=0, y=y, xref="paper", xanchor="left", text=wrapped(text, LETTERS), showarrow=False,
        font={"color": colours.muted, "size": 12},
    )  # fmt: skip
