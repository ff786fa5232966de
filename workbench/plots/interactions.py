"""Pairs of features that work together: as a network, as a matrix, and in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from scipy import stats

from workbench.core.errors import InvalidInputError
from workbench.core.results import LEVEL, Interactions
from workbench.plots import words
from workbench.plots.layout import (
    check_row,
    empty,
    hover,
    note,
    shortened,
    stacked,
    title,
    write_cells,
)
from workbench.plots.on_paper import line_negative
from workbench.plots.theme import Palette, blended, escaped, ink_on, palette, template

HEIGHT, CELL_HEIGHT = 520, 34
LETTERS = 18
# Diameter of a node and width of a line, from nothing to the largest, in pixels.
NODE_SIZES, LINE_WIDTHS = (10.0, 46.0), (1.0, 9.0)
LABEL_RADIUS = 1.27
# Letters of a line of a name beside the circle: a narrow window cuts longer ones off.
NODE_LETTERS = 14
# Features up to which the cells of a matrix hold numbers.
NUMBERS = 12
NAMED = 3


@dataclass(frozen=True)
class _Shown:
    """What a figure is drawn from: one row with signs, or the mean size over all rows.

    Attributes
    ----------
    half
        Half widths of 95 % intervals: of one row for the choice of coalitions and background, of a
        mean over the rows. Zeros where not known.
    """

    values: Float[np.ndarray, "d d"]
    half: Float[np.ndarray, "d d"]
    signed: bool
    names: tuple[str, ...]
    labels: tuple[str, ...]

    def order(self) -> list[tuple[int, int]]:
        """Return the pairs, strongest first."""
        first, second = np.triu_indices(len(self.names), 1)
        order = np.argsort(-np.abs(self.values[first, second]), kind="stable")
        return [(int(first[i]), int(second[i])) for i in order]

    def told(self, i: int, j: int) -> str:
        """Write a value and its interval, as a mouse finds them."""
        name = self.labels[i] if i == j else f"{self.labels[i]} and {self.labels[j]}"
        half = float(self.half[i, j]) if self.half.any() else None
        decimals = words.decimals_for(float(np.abs(self.values).max()))
        floor = -np.inf if self.signed else 0.0
        value = float(self.values[i, j])
        return hover(name, value, half, decimals, floor=floor, sign=self.signed)

    def colour(self, value: float, colours: Palette) -> str:
        """Colour of a value by its sign, or that of sizes."""
        if not self.signed:
            return colours.size
        return colours.positive if value >= 0 else colours.negative


def network(
    interactions: Interactions,
    row: int | None = None,
    *,
    output: str | int | None = None,
    max_pairs: int = 20,
    dark: bool = False,
) -> go.Figure:
    """Draw features as circles and their interactions as lines between them.

    The area of a circle is the value of the single feature, the width of a line that of the pair.
    Of one row, colour is the sign, lines that lower the output are dashed, and what its 95 %
    interval does not tell from 0 is faint. Of several rows, all are mean sizes.

    Parameters
    ----------
    row
        Position of the row in the result; by default all rows together.
    max_pairs
        Lines, strongest first.

    Raises
    ------
    InvalidInputError
        If there is no such row or output, or ``max_pairs`` is below 1.
    """
    which = interactions.output_index(output)
    if max_pairs < 1:
        raise InvalidInputError(f"A network needs at least 1 pair, got {max_pairs}.")
    if not len(interactions):
        return empty(dark=dark)
    shown, colours = _shown(interactions, row, which), palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    x, y = circle_of(len(shown.names))
    pairs = shown.order()
    _draw_lines(figure, shown, pairs[:max_pairs][::-1], (x, y), colours)
    _draw_nodes(figure, shown, (x, y), colours)
    axis = {"showgrid": False, "showticklabels": False, "ticks": ""}
    figure.update_xaxes(**axis, range=[-2.1, 2.1])
    figure.update_yaxes(**axis, range=[-1.4, 1.4], scaleanchor="x")
    circle = f"circles: {_single(interactions)}"
    lines = ["lines: pairs, dashed where lower", "faint: may be 0"] if shown.signed else [
        "lines: pairs"
    ]  # fmt: skip
    title(figure, _measured(interactions, which, shown), _over(interactions, row), circle, *lines)
    if len(pairs) > max_pairs:
        largest = words.number(float(np.abs(shown.values[pairs[max_pairs]])))
        note(figure, f"{len(pairs) - max_pairs} more pairs, each at most {largest}", dark=dark)
    return figure


def matrix(
    interactions: Interactions,
    row: int | None = None,
    *,
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw the values of all pairs, with those of the single features on the diagonal.

    Of one row with their signs, of several rows as mean sizes. Colours reach up to the strongest
    pair, so that pairs can be told apart where single features are stronger.

    Parameters
    ----------
    row
        Position of the row in the result; by default all rows together.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = interactions.output_index(output)
    if not len(interactions):
        return empty(dark=dark)
    shown, colours = _shown(interactions, row, which), palette(dark=dark)
    d, top = len(shown.names), _colour_limit(shown)
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_heatmap(
        z=shown.values,
        zmin=-top if shown.signed else 0,
        zmax=top,
        colorscale=_colour_scale(shown, colours),
        showscale=False,
        xgap=2,
        ygap=2,
        hovertext=[[shown.told(i, j) for j in range(d)] for i in range(d)],
        hoverinfo="text",
    )
    if d <= NUMBERS:
        _write_numbers(figure, shown, top, colours)
    elif shown.signed:
        line_negative(figure, shown.values, top, colours)
    names = [escaped(shortened(name, LETTERS)) for name in shown.names]
    ticks = {"tickvals": list(range(d)), "ticktext": names, "showgrid": False, "ticks": ""}
    figure.update_layout(height=max(320, 170 + CELL_HEIGHT * d), margin={"t": 34})
    figure.update_xaxes(**ticks, tickangle=-90 if d > 4 else 0)
    figure.update_yaxes(**ticks, autorange="reversed", ticklabelstandoff=6)
    title(figure, _measured(interactions, which, shown), _over(interactions, row))
    diagonal = f"diagonal: {_single(interactions)}"
    note(figure, f"{diagonal}; colour up to the strongest pair", dark=dark)
    return figure


def interactions_sentence(
    interactions: Interactions, row: int | None = None, output: str | int | None = None
) -> str:
    """Say which pairs of features move the output most beyond what each feature does alone.

    Of one row up to two pairs are named, with their direction; over several rows up to three, by
    their mean size. A pair is left out when its 95 % interval for the choice of background
    includes 0, or when it is below a twentieth of the largest value, single ones included.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = interactions.output_index(output)
    if not len(interactions):
        return "There are no rows to explain."
    row = _row(interactions, row)
    if row is None:
        return _overall(interactions, which)
    shown = _shown(interactions, row, which)
    named = _worth_a_word(shown.values, shown.half)[:2]
    what = words.quantity(interactions.singles, which)
    start = f"Row {interactions.ids[row]}:"
    if not named:
        return f"{start} {_no_pair(interactions, what)}"
    first, *rest = [
        _clause(shown, pair, moved) for pair, moved in zip(named, (what, "it"), strict=False)
    ]
    then = f"; {rest[0]}" if rest else ""
    return f"{start} {first} beyond what each does alone{then}."


def _clause(shown: _Shown, pair: tuple[int, int], moved: str) -> str:
    value = float(shown.values[pair])
    one, other = (shown.labels[i] for i in pair)
    verb = "raise" if value > 0 else "lower"
    return f"{one} and {other} together {verb} {moved} by {words.number(abs(value))}"


def adds_up_sentence(interactions: Interactions) -> str:
    """Say whether singles and pairs add up to the prediction, and by how much they miss it."""
    if not len(interactions):
        return "There are no rows to explain."
    gap = float(np.abs(interactions.gap).max())
    if interactions.adds_up:
        return (
            f"Single effects and pairs of {interactions.index} add up to the prediction minus the "
            f"base value; largest gap {gap:.1e}."
        )
    name = _single(interactions).removesuffix("s")
    return (
        f"{interactions.index} does not add up to the prediction, as a {name} already holds its "
        f"feature's part in the pairs: together they miss it by up to {words.number(gap)}."
    )


def _overall(interactions: Interactions, which: int) -> str:
    """Name the pairs that are strongest on average."""
    size = np.abs(interactions.values[:, :, :, which]).mean(0)
    half = np.sqrt((interactions.uncertainty()[..., which] ** 2).mean(0))
    named = _worth_a_word(size, half)[:NAMED]
    what = words.quantity(interactions.singles, which)
    rows = f"Over {len(interactions):,} rows,"
    if not named:
        return f"{rows} {_no_pair(interactions, what)}"
    names = interactions.names
    shown = [(f"{names[i]} and {names[j]}", words.number(float(size[i, j]))) for i, j in named]
    (pair, by), *rest = shown
    others = ", then ".join(f"{other} ({how_much})" for other, how_much in rest)
    followed = f", followed by {others}" if others else ""
    return (
        f"{rows} {pair} together move {what} most beyond what each does alone (by {by} on "
        f"average){followed}."
    )


def _no_pair(interactions: Interactions, what: str) -> str:
    if not interactions.sources_of_error:
        return f"no pair of features noticeably moves {what} beyond what each does alone."
    return (
        f"no pair of features moves {what} beyond what each does alone by more than its "
        "uncertainty."
    )


def _worth_a_word(
    values: Float[np.ndarray, "d d"], half: Float[np.ndarray, "d d"]
) -> list[tuple[int, int]]:
    """Pairs beyond noise and not tiny beside the largest value, strongest first."""
    size = np.abs(values)
    settled = (size > half) & (size >= words.WORTH_A_WORD * size.max()) & (size > 0)
    first, second = np.triu_indices(len(values), 1)
    order = np.argsort(-size[first, second], kind="stable")
    pairs = [(int(first[i]), int(second[i])) for i in order]
    return [pair for pair in pairs if settled[pair]]


def _row(interactions: Interactions, row: int | None) -> int | None:
    """Return the row to show; the only one there is, where none is given."""
    if row is None:
        return 0 if len(interactions) == 1 else None
    check_row(interactions, row)
    return row


def _shown(interactions: Interactions, row: int | None, which: int) -> _Shown:
    row, names = _row(interactions, row), interactions.names
    if row is not None:
        singles = interactions.singles
        labels = tuple(words.feature_is(singles, row, i) for i in range(len(names)))
        half = interactions.uncertainty()[row, :, :, which]
        return _Shown(interactions.values[row, :, :, which], half, True, names, labels)
    size = np.abs(interactions.values[:, :, :, which])
    n = len(size)
    half = stats.t.ppf(0.5 + LEVEL / 2, n - 1) * size.std(0, ddof=1) / np.sqrt(n)
    return _Shown(size.mean(0), half, False, names, names)


def pair_half_widths(interactions: Interactions, output: str | int | None = None) -> np.ndarray:
    """Half the widths of 95 % intervals of ``interactions.strongest``, in its order.

    Of the mean over rows; of one row, for the choice of coalitions and background rows, NaN where
    neither is known.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = interactions.output_index(output)
    frame, names = interactions.strongest(which), interactions.names
    if len(interactions) == 1 and not interactions.sources_of_error:
        return np.full(len(frame), np.nan)
    pairs = [[names.index(name) for name in frame[column]] for column in ("feature", "other")]
    return _shown(interactions, None, which).half[pairs[0], pairs[1]]


def _single(interactions: Interactions) -> str:
    """Name what the diagonal holds."""
    named = {"SII": "Shapley values", "Banzhaf": "Banzhaf values"}
    return named.get(interactions.index, "single effects")


def _measured(interactions: Interactions, which: int, shown: _Shown) -> str:
    what = f"{interactions.index} of {words.quantity(interactions.singles, which)}"
    return what if shown.signed else f"mean |{interactions.index}| of {what.partition(' of ')[2]}"


def _over(interactions: Interactions, row: int | None) -> str:
    row = _row(interactions, row)
    return f"{len(interactions):,} rows" if row is None else f"row {interactions.ids[row]}"


def circle_of(d: int) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """Places of the features, clockwise from the top."""
    angles = np.pi / 2 - 2 * np.pi * np.arange(d) / d
    return np.cos(angles), np.sin(angles)


def _draw_lines(
    figure: go.Figure,
    shown: _Shown,
    pairs: list[tuple[int, int]],
    places: tuple[np.ndarray, np.ndarray],
    colours: Palette,
) -> None:
    """Draw each pair as a line, and a point on its middle that answers the mouse."""
    if not pairs:
        return
    x, y = places
    most = max(float(np.abs(shown.values[pairs[-1]])), np.finfo(float).tiny)
    thin, thick = LINE_WIDTHS
    for i, j in pairs:
        value = float(shown.values[i, j])
        dashed = shown.signed and value < 0
        sure = not shown.signed or abs(value) > shown.half[i, j]
        figure.add_scatter(
            x=[x[i], x[j]], y=[y[i], y[j]], mode="lines", hoverinfo="skip",
            opacity=0.85 if sure else 0.3,
            line={"color": shown.colour(value, colours), "dash": "dash" if dashed else "solid",
                  "width": thin + (thick - thin) * abs(value) / most},
        )  # fmt: skip
    first, second = np.array(pairs).T
    figure.add_scatter(
        x=(x[first] + x[second]) / 2, y=(y[first] + y[second]) / 2, mode="markers",
        marker={"size": 14, "opacity": 0, "color": colours.muted},
        hovertext=[shown.told(i, j) for i, j in pairs], hoverinfo="text",
    )  # fmt: skip


def _draw_nodes(
    figure: go.Figure, shown: _Shown, places: tuple[np.ndarray, np.ndarray], colours: Palette
) -> None:
    (x, y), singles = places, np.diag(shown.values)
    most = max(float(np.abs(singles).max()), np.finfo(float).tiny)
    small, large = NODE_SIZES
    figure.add_scatter(
        x=x, y=y, mode="markers", hoverinfo="text",
        marker={"size": small + (large - small) * np.sqrt(np.abs(singles) / most), "opacity": 1,
                "color": [shown.colour(v, colours) for v in singles],
                "line": {"color": colours.surface, "width": 2}},
        hovertext=[shown.told(i, i) for i in range(len(singles))],
    )  # fmt: skip
    name_nodes(figure, places, shown.labels)


def name_nodes(
    figure: go.Figure, places: tuple[np.ndarray, np.ndarray], labels: Sequence[str]
) -> None:
    """Write names around a circle, each on the side away from its middle."""
    x, y = places
    sides = ["right" if across > 0.1 else "left" if across < -0.1 else "center" for across in x]
    heights = ["middle" if side != "center" else "top" if up > 0 else "bottom"
               for side, up in zip(sides, y, strict=True)]  # fmt: skip
    figure.add_scatter(
        x=LABEL_RADIUS * x, y=LABEL_RADIUS * y, mode="text", hoverinfo="skip", cliponaxis=False,
        text=stacked(labels, NODE_LETTERS, lines=2),
        textposition=[f"{high} {side}" for high, side in zip(heights, sides, strict=True)],
        textfont={"size": 12},
    )  # fmt: skip


def _colour_limit(shown: _Shown) -> float:
    """Size at which colours are full: the strongest pair, unless pairs are hardly anything."""
    size = np.abs(shown.values)
    pairs = size[~np.eye(len(size), dtype=bool)]
    floor = words.WORTH_A_WORD * float(size.max())
    return max(float(pairs.max(initial=0.0)), floor) or 1.0


def _colour_scale(shown: _Shown, colours: Palette) -> list[list[float | str]]:
    if not shown.signed:
        return [[0.0, colours.grid], [1.0, colours.size]]
    return [[0.0, colours.negative], [0.5, colours.grid], [1.0, colours.positive]]


def _write_numbers(figure: go.Figure, shown: _Shown, top: float, colours: Palette) -> None:
    decimals = max(0, words.decimals_for(top) - 1)
    cells = []
    for i, j in np.ndindex(*shown.values.shape):
        value = float(shown.values[i, j])
        ground = blended(
            colours.grid, shown.colour(value, colours), min(1.0, abs(value) / top)
        )  # fmt: skip
        text = words.signed(value, decimals) if shown.signed else f"{value:,.{decimals}f}"
        cells.append((j, i, text, ink_on(ground)))
    write_cells(figure, cells)
