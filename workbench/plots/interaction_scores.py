"""Pairs and triples of features by how much they do together, as bars."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.results import InteractionScores
from workbench.core.wording import counted
from workbench.plots import words
from workbench.plots.layout import check_bars, cut, empty, layout_bars, note, padded, title
from workbench.plots.scored_sets import ALL_ALIKE, SIZES, TRIPLE, By, ScoredSets, scored_sets
from workbench.plots.theme import Palette, escaped, palette, template

BAR, BELOW, NAME_HEIGHT, ROOM, ROOM_FOR_RANGE = 0.52, 0.38, 16, 6, 12
NO_SETS = "No {}s were scored: run again with order 3 for triples."


def ranked(
    scores: InteractionScores,
    *,
    output: str | int | None = None,
    by: By = "mixed-difference",
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw the strongest pairs with their 95 % intervals, and the practical floor.

    Blue pairs strengthen each other, vermilion ones weaken each other; grey where that is not sure
    or a category has no order. With several models the line below a bar runs from the least to the
    greatest of them.

    Parameters
    ----------
    by
        ``mixed-difference`` (share of the variance) or ``loss`` (score in the loss).
    max_features
        Bars, strongest first.

    Raises
    ------
    InvalidInputError
        If there is no such output, no score in the loss, or ``max_features`` is below 1.
    """
    return _bars(scored_sets(scores, output, by=by), max_features, dark=dark)


def triples(
    scores: InteractionScores,
    *,
    output: str | int | None = None,
    by: By = "mixed-difference",
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw the strongest triples as ``ranked`` draws pairs.

    Raises
    ------
    InvalidInputError
        If there is no such output, no score in the loss, or ``max_features`` is below 1.
    """
    return _bars(scored_sets(scores, output, by=by, size=TRIPLE), max_features, dark=dark)


def _bars(sets: ScoredSets, most: int, *, dark: bool) -> go.Figure:
    check_bars(most)
    if not len(sets):
        return empty(NO_SETS.format(SIZES[sets.size]), dark=dark)
    if sets.floor is not None and sets.result.variances[0, sets.which] <= 0:
        return empty("The output is the same for all rows, so nothing interacts.", dark=dark)
    shown, rest = cut(np.arange(len(sets)), most)
    colours, several = palette(dark=dark), sets.n_models > 1
    figure = go.Figure(layout={"template": template(dark=dark)})
    hovers = [sets.told(at) for at in shown]
    _add_bars(figure, sets, shown, hovers, colours)
    if several:
        _add_ranges(figure, sets, shown, hovers, colours)
    low, high = _ends(sets, shown)
    _write_values(figure, sets, shown, high)
    start, stop = padded((min(0.0, float(low.min())), max(0.0, float(high.max()))), 0.04)
    room = 0.16 * (stop - start)
    span = (start if low.min() < 0 else 0.0, stop + room) if stop > start else (0.0, 1.0)
    height = NAME_HEIGHT * sets.size + (ROOM_FOR_RANGE if several else ROOM)
    layout_bars(figure, [""] * len(shown), span, height)
    figure.update_yaxes(ticktext=[sets.label(at) for at in shown])
    _mark_floor(figure, sets.floor, colours)
    title(
        figure, sets.measured, "whisker: 95 %", *_key(sets, shown),
        *([f"line below: {counted(sets.n_models, 'model')}"] if several else []),
    )  # fmt: skip
    if sets.floor is not None:
        figure.update_xaxes(ticksuffix=" %")
    if len(rest):
        largest = sets.show(float(np.abs(sets.own[rest]).max())).lstrip("+")
        remark = f"{counted(len(rest), f'more {SIZES[sets.size]}')}, each at most {largest}"
        note(figure, escaped(remark), dark=dark)
    return figure


def _key(sets: ScoredSets, shown: np.ndarray) -> list[str]:
    """Say what the colours in a figure mean."""
    more, less = (
        ("more loss together", "less loss together") if sets.by == "loss"
        else ("strengthen each other", "weaken each other")
    )  # fmt: skip
    meanings = {1: f"blue: {more}", -1: f"orange: {less}", 0: "grey: direction not sure"}
    there = set(sets.directions[shown].tolist())
    return [meaning for way, meaning in meanings.items() if way in there]


def _add_bars(
    figure: go.Figure, sets: ScoredSets, shown: np.ndarray, hovers: list[str], colours: Palette
) -> None:
    own = sets.own[shown]
    figure.add_bar(
        x=own, y=np.arange(len(shown)), width=BAR, orientation="h", hovertext=hovers,
        hoverinfo="text", customdata=sets.places[shown], unselected=ALL_ALIKE,
        marker={"color": [sets.colour(at, colours) for at in shown], "line": {"width": 0}},
        error_x={
            "type": "data", "symmetric": False, "array": sets.high[shown] - own,
            "arrayminus": own - sets.low[shown], "color": colours.whisker, "thickness": 1.3,
            "width": 4,
        },
    )  # fmt: skip


def _add_ranges(
    figure: go.Figure, sets: ScoredSets, shown: np.ndarray, hovers: list[str], colours: Palette
) -> None:
    """Draw a line over all models below each bar, with a mark at their median."""
    values = sets.values[:, shown]
    middle = np.median(values, 0)
    figure.add_scatter(
        x=middle, y=np.arange(len(shown)) + BELOW, mode="markers", hovertext=hovers,
        hoverinfo="text", customdata=sets.places[shown], unselected=ALL_ALIKE,
        marker={"symbol": "line-ns", "size": 7, "line": {"color": colours.muted, "width": 2}},
        error_x={
            "type": "data", "symmetric": False, "array": values.max(0) - middle,
            "arrayminus": middle - values.min(0), "color": colours.muted, "thickness": 2.4,
            "width": 0,
        },
    )  # fmt: skip


def _ends(sets: ScoredSets, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far left and right anything of a set is drawn."""
    values = sets.values[:, shown]
    return (
        np.minimum(sets.low[shown], values.min(0)),
        np.maximum(sets.high[shown], values.max(0)),
    )


def _write_values(figure: go.Figure, sets: ScoredSets, shown: np.ndarray, ends: np.ndarray) -> None:
    """Write each value right of all that is drawn of its set."""
    figure.add_scatter(
        x=np.maximum(ends, 0.0), y=np.arange(len(shown)), mode="text", hoverinfo="skip",
        text=[
            f"\N{NO-BREAK SPACE}{_brief(sets, float(sets.own[at]))}\N{NO-BREAK SPACE}"
            for at in shown
        ],
        textposition="middle right", textfont={"size": 12}, cliponaxis=False,
    )  # fmt: skip


def _brief(sets: ScoredSets, value: float) -> str:
    """Write a value without the unit that the axis names."""
    text = words.signed(value, sets.decimals) if sets.by == "loss" else sets.show(value)
    return escaped(text.replace("less than ", "< ").replace(" ", "\N{NO-BREAK SPACE}"))


def _mark_floor(figure: go.Figure, floor: float | None, colours: Palette) -> None:
    """Draw the line below which nothing is of practical importance, and the one of 0."""
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1}, layer="below")
    if floor is not None:
        figure.add_vline(x=floor, line={"color": colours.muted, "width": 1, "dash": "dot"})
