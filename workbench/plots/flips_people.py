"""Attribute flips of people: everybody's score as they are and as another, and one person's."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Int

from workbench.core.errors import InvalidInputError
from workbench.core.flips import AttributeFlips
from workbench.core.schema import listing
from workbench.core.wording import counted
from workbench.plots.flips_words import support_text
from workbench.plots.layout import layout_bars, note, shortened, title
from workbench.plots.rows import drawn_rows
from workbench.plots.theme import DASHES, escaped, palette, template

HEIGHT, MOST, LISTED, NAME_LENGTH = 460, 1500, 12, 28
# People of whom one may be chosen.
OFFERED = 200
FURTHEST = "whoever moves it most"
HALF = 0.5


def choices_of(result: AttributeFlips) -> list[str]:
    """Return whom everybody may be shown as."""
    return [FURTHEST, *result.assignment_names]


def people(
    result: AttributeFlips, to: str | None = None, *, max_rows: int = MOST, dark: bool = False
) -> go.Figure:
    """Draw each person's score as they are across, and as another upwards.

    Coloured are those whose decision changes; hollow marks are alternatives that are hardly ever
    met. Off the diagonal the attribute moves the score. All whose decision changes are drawn first;
    of the others as many as there is room for.

    Raises
    ------
    InvalidInputError
        If there is no such assignment, or ``max_rows`` is below 1.
    """
    if max_rows < 1:
        raise InvalidInputError(f"A figure of people needs at least 1 row, got {max_rows}.")
    colours, column = palette(dark=dark), _column(result, to)
    rows = np.flatnonzero(column >= 0)
    changed = np.zeros(len(result), dtype=bool)
    changed[rows] = result.changes()[rows, column[rows]]
    drawn = _drawn(rows, changed[rows], max_rows)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    line = {"color": colours.muted, "width": 1, "dash": DASHES[2]}
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line=line)
    if _turns_at_half(result):
        figure.add_vline(x=HALF, line=line)
        figure.add_hline(y=HALF, line=line)
    for name, ink, size, some in (
        ("decided alike", colours.others, 4, ~changed),
        ("refused, and would not be", colours.negative, 8, changed & ~result.own_decided),
        ("granted, and would be refused", colours.positive, 8, changed & result.own_decided),
    ):
        if len(these := drawn[some[drawn]]):
            _add(figure, result, these, column, name, ink, size)
    axis = {"range": [-0.03, 1.03], "nticks": 6, "tickangle": 0}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis, title_text=f"as {escaped(shortened(to or FURTHEST, 40))}")
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
                "itemsizing": "constant"},
    )  # fmt: skip
    some = [f"{len(drawn):,} of {counted(len(rows), 'row')}"] if len(drawn) < len(rows) else []
    odd = ["hollow: hardly ever met"] if result.implausible.any() else []
    title(figure, f"probability of {result.favourable}", "as they are", *some, *odd)
    return figure


def person(result: AttributeFlips, row: str | None = None, *, dark: bool = False) -> go.Figure:
    """Draw the score of one person under every assignment.

    A star marks the person as they are; blue is the favourable decision, hollow an alternative
    that is hardly ever met.

    Parameters
    ----------
    row
        Number of the row; by default the first whose decision changes.

    Raises
    ------
    InvalidInputError
        If there is no such row.
    """
    i = result.position(number_of(result, row))
    colours, known = palette(dark=dark), np.flatnonzero(np.isfinite(result.scores[i]))
    order = known[np.argsort(-result.scores[i, known], kind="stable")]
    figure = go.Figure(layout={"template": template(dark=dark)})
    ink = [colours.positive if result.decided[i, c] else colours.negative for c in order]
    own = order == result.own[i]
    odd = result.implausible[i, order]
    figure.add_scatter(
        x=result.scores[i, order], y=np.arange(len(order)), mode="markers",
        marker={
            "size": np.where(own, 15, 11), "color": ink,
            "symbol": np.where(own, "star", np.where(odd, "circle-open", "circle")),
            "line": {"width": 2, "color": ink},
        },
        hoverinfo="text", hovertext=[_about_assignment(result, i, int(c)) for c in order],
    )  # fmt: skip
    names = [shortened(result.assignment_names[c], NAME_LENGTH) for c in order]
    layout_bars(figure, names, (-0.03, 1.03))
    if _turns_at_half(result):
        figure.add_vline(x=HALF, line={"color": colours.muted, "width": 1, "dash": DASHES[2]})
    title(figure, f"probability of {result.favourable}")
    note(figure, "star: as the row is; hollow: hardly ever met", dark=dark)
    return figure


def number_of(result: AttributeFlips, row: str | int | None) -> int:
    """Return the number of the row that is meant; the first with a flip where none is named.

    Raises
    ------
    InvalidInputError
        If it is no number.
    """
    if row is None:
        return int(result.ids[people_in_order(result)[0]])
    if not str(row).isdecimal():
        raise InvalidInputError(f"A row is named by its number, got {str(row)!r}.")
    return int(row)


def people_in_order(result: AttributeFlips) -> Int[np.ndarray, " n"]:
    """Positions of rows: refused because of it, favoured, then by how far the score moves."""
    rank = np.where(result.flipped("adverse"), 0, np.where(result.flipped("favoured"), 1, 2))
    # A flip that only an alternative makes that is hardly ever met is of less interest.
    doubtful = result.flipped() & ~result.flipped(plausible=True)
    order: np.ndarray = np.lexsort((-np.nan_to_num(np.abs(result.largest_moves)), doubtful, rank))
    return order


def _column(result: AttributeFlips, to: str | None) -> Int[np.ndarray, " n"]:
    """Return as whom each row is shown; -1 where it is not."""
    if to is None or to == FURTHEST:
        changes = result.changes()
        size = np.where(result.known, np.abs(result.scores - result.own_scores[:, None]), -1.0)
        return np.where(result.known.any(1), (size + 2 * changes).argmax(1), -1)
    if to not in result.assignment_names:
        raise InvalidInputError(
            f"There is no assignment {to!r}; choose one of {listing(choices_of(result))}."
        )
    c = result.assignment_names.index(to)
    return np.where(result.known[:, c], c, -1)


def _drawn(
    rows: Int[np.ndarray, " m"], changed: np.ndarray, most: int
) -> Int[np.ndarray, " k"]:  # fmt: skip
    first, rest = rows[changed], rows[~changed]
    first = first[drawn_rows(len(first), most)]
    rest = rest[drawn_rows(len(rest), max(0, most - len(first)))] if len(first) < most else rest[:0]
    return np.concatenate([rest, first])


def _add(
    figure: go.Figure, result: AttributeFlips, rows: Int[np.ndarray, " k"],
    column: Int[np.ndarray, " n"], name: str, ink: str, size: int,
) -> None:  # fmt: skip
    odd = result.implausible[rows, column[rows]]
    order = np.argsort(odd, kind="stable")  # the legend shows the first
    rows, odd = rows[order], odd[order]
    figure.add_scatter(
        x=result.own_scores[rows], y=result.scores[rows, column[rows]], mode="markers", name=name,
        marker={
            "size": size, "color": ink, "opacity": 0.75,
            "symbol": np.where(odd, "circle-open", "circle"),
        },
        customdata=result.ids[rows], hoverinfo="text",
        hovertext=[_about(result, int(i), int(column[i])) for i in rows],
    )  # fmt: skip


def _about(result: AttributeFlips, i: int, chosen: int) -> str:
    own = escaped(result.group_names[result.group[i]])
    lines = [f"<b>row {result.ids[i]}, {own}</b>: {result.own_scores[i]:.3f}"]
    order = np.argsort(-np.nan_to_num(result.scores[i], nan=-1.0), kind="stable")
    for c in order[:LISTED]:
        if result.known[i, c]:
            otherwise = result.decided[i, c] != result.own_decided[i]
            mark = ", decided otherwise" if otherwise else ""
            lines.append(f"as {escaped(result.assignment_names[c])}: "
                         f"{result.scores[i, c]:.3f}{mark}")  # fmt: skip
    return "<br>".join([*lines, f"<i>{support_text(result, i, chosen)}</i>"])


def _about_assignment(result: AttributeFlips, i: int, c: int) -> str:
    said = "gets" if result.decided[i, c] else "does not get"
    lines = [
        f"<b>{escaped(result.assignment_names[c])}</b>: {result.scores[i, c]:.3f}",
        f"{said} {escaped(result.favourable)}",
    ]
    if c == result.own[i]:
        return "<br>".join([*lines, f"row {result.ids[i]} as it is"])
    return "<br>".join([*lines, support_text(result, i, c)])


def _turns_at_half(result: AttributeFlips) -> bool:
    """Tell whether decisions change at a half, as they do between two classes."""
    every = np.isfinite(result.scores)
    return bool(
        ((result.scores[every] > HALF) == result.decided[every]).all()
        and ((result.own_scores > HALF) == result.own_decided).all()
    )
