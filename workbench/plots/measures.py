"""The usual measures of explanations, a panel for each, and what they say in words."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import RANDOM, Type
from workbench.core.measures import MEASURES, Summary
from workbench.core.results import Measures
from workbench.core.schema import listing
from workbench.core.wording import counted
from workbench.plots import words
from workbench.plots.explanations import GROUPS, colour_of, groups_of, name_of
from workbench.plots.layout import empty
from workbench.plots.rows import wrapped
from workbench.plots.theme import Palette, escaped, palette, template

COLUMNS, LETTERS, METHOD_LETTERS = 3, 16, 16
BAR_HEIGHT, HEAD, FOOT = 26, 84, 40
ABOUT_LETTERS, NAMED = 56, 3
# Bars end at so many times the middle one: an outlier would leave nothing of the others.
OUTLYING = 8.0
BETTER = {
    "higher": "\N{UPWARDS ARROW} higher is better", "lower": "\N{DOWNWARDS ARROW} lower is better",
    "": "neither is better",
}  # fmt: skip
SIGNS = {"higher": 1.0, "lower": -1.0, "": 0.0}
STEADY = frozenset({"max-sensitivity", "ris", "ros"})
CUT = "\N{RIGHTWARDS ARROW}"


def scores(
    measures: Measures,
    measure: str | None = None,
    *,
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw a panel for each measure, in it the mean of each method over rows.

    Whiskers are 95 % intervals over rows. A bar that would be more than eight times as long as
    the middle one is cut off; its number says how long it is.

    Parameters
    ----------
    measure
        Key of one measure to draw alone.

    Raises
    ------
    InvalidInputError
        If there is no such measure or output.
    """
    which = measures.output_index(output)
    shown = _shown(measures, measure)
    if not len(measures) or not shown:
        return empty(dark=dark)
    order = [i for _, members in groups_of(measures.types) for i in members]
    found, colours = measures.summary(which), palette(dark=dark)
    columns = min(COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    each = HEAD + BAR_HEIGHT * len(order) + FOOT
    figure = make_subplots(
        lines, columns, shared_yaxes=True, horizontal_spacing=0.05,
        vertical_spacing=(HEAD + FOOT) / (lines * each) if lines > 1 else 0.0,
        subplot_titles=[_head(measures.measures[q]) for q in shown],
    )  # fmt: skip
    figure.update_layout(template=template(dark=dark), height=lines * each + 2 * FOOT)
    figure.update_annotations(font={"size": 12, "color": colours.text}, yshift=4)
    for place, q in enumerate(shown):
        at = place // columns + 1, place % columns + 1
        _add_panel(figure, measures, found, q, order, at, colours, first=place == 0)
    about = [words.quantity(measures, which), counted(len(measures), "row")]
    _label(figure, measures, order, [*about, *(["whiskers: 95 %"] if len(measures) > 1 else [])])
    return figure


def measures_sentence(measures: Measures, output: str | int | None = None) -> str:
    """Say which slope and which contribution is best by how many measures.

    Most measures are of slopes in one neighbourhood and of contributions in another, so the two
    do not compete, and only contributions are held against random numbers. Measures of which
    neither way is better do not count.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = measures.output_index(output)
    if not len(measures):
        return "There are no rows to explain."
    found = measures.summary(which)
    rows = f"Over {len(measures):,} rows" if len(measures) > 1 else f"Row {measures.ids[0]}"
    start = f"{rows}, {words.quantity(measures, which)}"
    said = [
        told for kind, members in groups_of(measures.types)
        if kind != "anchor" and (told := _leader(measures, found, kind, members))
    ]  # fmt: skip
    if not said:
        return f"{start}: no measure says which explanation is better."
    return f"{start}: {'; '.join(said)}.{_random(measures, found)}"


def _leader(measures: Measures, found: Summary, kind: Type, members: list[int]) -> str:
    """Say which method of a group is best by most measures; empty where none can be compared."""
    by: dict[int, list[str]] = {}
    for q, key in enumerate(measures.measures):
        mean, sign = found.mean[members, q], SIGNS[MEASURES[key].better]
        if sign and np.isfinite(mean).any():
            by.setdefault(members[int(np.nanargmax(sign * mean))], []).append(MEASURES[key].title)
    if not by:
        return ""
    order = sorted(by, key=lambda i: (-len(by[i]), i))
    first, *others = [(name_of(measures.methods[i]), by[i]) for i in order]
    left = f"; {len(first[1]) - NAMED} more" if len(first[1]) > NAMED else ""
    titles = f"({'; '.join(first[1][:NAMED])}{left})"
    of = counted(sum(map(len, by.values())), "measure")
    if len(members) == 1:
        return f"{first[0]} is the only {GROUPS[kind].removesuffix('s')}"
    said = f"of the {GROUPS[kind]}, {first[0]} is best by {len(first[1])} of {of} {titles}"
    then = listing([f"{name} by {len(titles)}" for name, titles in others], NAMED)
    return f"{said}, then {then}" if others else said


def _shown(measures: Measures, measure: str | None) -> list[int]:
    if measure is None:
        return list(range(len(measures.measures)))
    if measure not in measures.measures:
        raise InvalidInputError(
            f"There is no measure {measure!r} here; choose one of {listing(measures.measures, 20)}."
        )
    return [measures.measures.index(measure)]


def _head(measure: str) -> str:
    title = MEASURES[measure].title
    return f"<b>{wrapped(title, LETTERS)}</b><br>{BETTER[MEASURES[measure].better]}"


def _add_panel(
    figure: go.Figure, measures: Measures, found: Summary, q: int, order: list[int],
    at: tuple[int, int], colours: Palette, *, first: bool,
) -> None:  # fmt: skip
    mean, low, high = (part[order, q] for part in (found.mean, found.low, found.high))
    bottom, top = _limits(mean, low, high)
    kinds: list[Type] = [measures.types[i] for i in order]
    ends = [np.clip(part, bottom, top) for part in (mean, low, high)]
    for kind, _ in groups_of(measures.types):
        own = [place for place, other in enumerate(kinds) if other == kind]
        figure.add_bar(
            x=ends[0][own], y=own, orientation="h", width=0.72, hoverinfo="text",
            name=GROUPS[kind].partition(" (")[0], legendgroup=kind, showlegend=first,
            marker={"color": colour_of(kind, colours), "line": {"width": 0}},
            error_x={"type": "data", "symmetric": False, "array": (ends[2] - ends[0])[own],
                     "arrayminus": (ends[0] - ends[1])[own], "color": colours.whisker,
                     "thickness": 1.1, "width": 3},
            hovertext=[_told(measures, found, order[place], q) for place in own],
            row=at[0], col=at[1],
        )  # fmt: skip
    figure.add_scatter(
        x=np.maximum(0.0, np.nan_to_num(np.fmax(ends[0], ends[2]))), y=list(range(len(order))),
        mode="text", textposition="middle right", textfont={"size": 11}, cliponaxis=False,
        text=[f"\N{NO-BREAK SPACE}{_number(v, top)}" for v in mean], hoverinfo="text",
        hovertext=[_told(measures, found, i, q) for i in order], showlegend=False,
        row=at[0], col=at[1],
    )  # fmt: skip
    reach = top - bottom
    figure.update_xaxes(
        range=[bottom - 0.04 * reach * (bottom < 0), top + 0.48 * reach], nticks=3, tickangle=0,
        tickfont={"size": 11}, exponentformat="power", zeroline=bottom < 0,
        zerolinecolor=colours.muted, row=at[0], col=at[1],
    )  # fmt: skip


def _limits(mean: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Where bars end: at the furthest whisker, but for outliers at a multiple of the middle bar."""
    known = np.isfinite(mean)
    if not known.any():
        return 0.0, 1.0
    ends = np.concatenate([mean, low, high])
    middle = float(np.median(np.abs(mean[known & (mean != 0)]))) if mean[known].any() else 1.0
    cap = OUTLYING * middle
    bottom, top = float(np.nanmin(ends)), float(np.nanmax(ends))
    return max(-cap, min(0.0, bottom)), max(min(cap, top), -bottom / 20, middle / 20)


def _number(value: float, top: float) -> str:
    if np.isnan(value):
        return "n/a"
    text = words.number(float(f"{value:.2g}"))
    if abs(value) >= 10_000:
        text = f"{value:.0e}".replace("e+0", "e").replace("e+", "e").replace("-", words.MINUS)
    return f"{text}{f' {CUT}' if value > top else ''}"


def _told(measures: Measures, found: Summary, i: int, q: int) -> str:
    """Write a score with its interval and what it measures, as a mouse finds it."""
    measure = MEASURES[measures.measures[q]]
    name = f"<b>{escaped(name_of(measures.methods[i]))}</b><br>{escaped(measure.title)}"
    if np.isnan(found.mean[i, q]):
        return f"{name}<br>n/a: not defined for this method"
    lines = [f"{name}: {found.mean[i, q]:.4g}", f"median {found.median[i, q]:.4g}"]
    if np.isfinite(found.low[i, q]):
        lines.append(f"95 %: {found.low[i, q]:.4g} to {found.high[i, q]:.4g}")
    lines += [counted(found.rows[i, q], "row"), wrapped(measures.settings_words[q], 48)]
    return "<br>".join(lines)


def _label(figure: go.Figure, measures: Measures, order: list[int], about: list[str]) -> None:
    """Name the methods at the left of every line of panels, and all that they share below."""
    figure.update_yaxes(
        range=[len(order) - 0.4, -0.6], tickvals=list(range(len(order))), showgrid=False, ticks="",
        ticktext=[wrapped(name_of(measures.methods[i]), METHOD_LETTERS) for i in order],
        ticklabelstandoff=6, tickfont={"size": 11},
    )  # fmt: skip
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "bottom",
                "yref": "container", "title": {
                    "text": wrapped("; ".join(about), ABOUT_LETTERS), "side": "top",
                    "font": {"size": 13},
                }},
        margin={"t": HEAD, "b": FOOT + 64},
    )  # fmt: skip


def _random(measures: Measures, found: Summary) -> str:
    """Name the contributions that do no better than random numbers by some measure.

    What knows nothing is perfectly steady, so stability does not count.
    """
    if RANDOM not in measures.methods:
        return ""
    random = measures.methods.index(RANDOM)
    counts: dict[str, int] = {}
    for i, q in np.ndindex(*found.mean.shape):
        key = measures.measures[q]
        sign = 0.0 if key in STEADY else SIGNS[MEASURES[key].better]
        value, chance = sign * found.mean[i, q], sign * found.mean[random, q]
        if measures.types[i] == "contribution" and sign and value <= chance:
            name = name_of(measures.methods[i])
            counts[name] = counts.get(name, 0) + 1
    if not counts:
        return ""
    named = [
        f"{name} by {counted(count, 'measure')}"
        for name, count in sorted(counts.items(), key=lambda pair: -pair[1])
    ]
    return f" No better than random numbers: {listing(named, NAMED)}."
