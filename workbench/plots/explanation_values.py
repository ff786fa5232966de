"""What several methods say of each feature of a row, side by side, and how far they agree."""

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import LEVEL, Type
from workbench.core.results import Faithfulness
from workbench.core.schema import listing
from workbench.numerics.agreement_of_explanations import AGREEMENTS, agreement_of
from workbench.plots import words
from workbench.plots.explanations import (
    GROUPS,
    groups_of,
    name_of,
    type_or_first,
    write_legend,
)
from workbench.plots.layout import (
    LABEL_LENGTH,
    check_bars,
    check_row,
    cut,
    empty,
    hover,
    layout_bars,
    note,
    padded,
    shortened,
    span_of,
    title,
)
from workbench.plots.rows import SYMBOLS, shade, wrapped
from workbench.plots.theme import Palette, blended, escaped, ink_on, palette, template

LANE, DOT = 13, 7
CELL_HEIGHT, FRAME, HEADER = 34, 190, 0.8
METHOD_LETTERS = 16
PER: dict[Type, str] = {
    "slope": "per standard deviation", "contribution": "against the reference",
}  # fmt: skip
APART = "a slope and a contribution are not comparable"


def values(
    result: Faithfulness,
    row: int = 0,
    *,
    type: str | None = None,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw what each method says of each feature of a row, the strongest feature first.

    A point for each method, with its 95 % interval from sampling where it has one. Methods that
    say nothing of a feature have no point there.

    Parameters
    ----------
    row
        Position of the row in the result, not its number in the file.
    type
        ``contribution`` or ``slope``: they are in different units, so one of them at a time.

    Raises
    ------
    InvalidInputError
        If there is no such row, type or output, or ``max_features`` is below 1.
    """
    which = result.output_index(output)
    check_bars(max_features)
    if not len(result):
        return empty(dark=dark)
    check_row(result, row)
    kind = type_or_first(result.types, type)
    members = next(m for k, m in groups_of(result.types) if k == kind)
    found = result.values[row, ..., which][members]  # (m, d)
    size = np.nanmax(np.abs(np.nan_to_num(found)), axis=0)
    told = np.isfinite(found).any(0)
    order = np.array([j for j in np.argsort(-size, kind="stable") if told[j]], dtype=int)
    if not len(order):
        return empty("No method says anything of these features.", dark=dark)
    shown, rest = cut(order, max_features)
    figure = go.Figure(layout={"template": template(dark=dark)})
    low, high = _add_points(figure, result, row, members, shown, which, palette(dark=dark))
    labels = [words.feature_is(result, row, j) for j in shown]
    layout_bars(
        figure, [shortened(label, LABEL_LENGTH) for label in labels], padded((low, high), 0.05),
        14 + LANE * len(members),
    )  # fmt: skip
    _separate(figure, len(shown), palette(dark=dark))
    largest = words.number(float(size[rest].max())) if len(rest) else ""
    more = [f"{len(rest)} more, each at most {largest}"] if len(rest) else []
    title(
        figure, words.quantity(result, which), f"{GROUPS[kind].removesuffix('s')}, {PER[kind]}",
        f"row {result.ids[row]}", "whiskers: 95 %, samples", *more,
    )  # fmt: skip
    write_legend(figure, rows=2)
    return figure


def agreement(
    result: Faithfulness,
    measure: str = "top",
    *,
    row: int | None = None,
    top: int | None = None,
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw how far each two methods agree, slopes among each other and contributions likewise.

    Parameters
    ----------
    measure
        A key of ``AGREEMENTS``: ``top``, ``rank``, ``sign``, ``same-rank`` or ``signed-rank``.
    row
        Position of a row; by default the mean over all rows.
    top
        How many features count as the strongest; by default a quarter of them.

    Raises
    ------
    InvalidInputError
        If there is no such measure, row or output, or ``top`` is below 1.
    """
    which = result.output_index(output)
    if measure not in AGREEMENTS:
        raise InvalidInputError(
            f"There is no measure {measure!r} of agreement; choose one of {listing(AGREEMENTS)}."
        )
    top = _top(result, top)
    if not len(result):
        return empty(dark=dark)
    if row is not None:
        check_row(result, row)
        result = result[row]
    order = [i for kind, members in groups_of(result.types) if kind != "anchor" for i in members]
    if len(order) < 2:
        return empty("Agreement needs at least 2 methods.", dark=dark)
    found, colours = _blocks(result, order, measure, top, which), palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    _add_cells(figure, result, order, found, measure, colours)
    names = [wrapped(name_of(result.methods[i]), METHOD_LETTERS) for i in order]
    ticks = {"tickvals": list(range(len(order))), "ticktext": names, "showgrid": False, "ticks": ""}
    span = [-0.5, len(order) - 0.5]
    figure.update_layout(height=FRAME + CELL_HEIGHT * len(order))
    figure.update_xaxes(**ticks, range=span, autotickangles=[0, 90], tickfont={"size": 11})
    figure.update_yaxes(**ticks, range=span[::-1], ticklabelstandoff=6)
    over = f"row {result.ids[0]}" if len(result) == 1 else f"mean over {len(result):,} rows"
    strongest = [] if measure == "rank" else [f"of the {top} strongest"]
    title(figure, AGREEMENTS[measure].words, *strongest, words.quantity(result, which), over)
    note(figure, "1: alike; empty: not comparable", dark=dark)
    return figure


def values_sentence(
    result: Faithfulness, row: int | None = None, output: str | int | None = None
) -> str:
    """Say whether methods agree about the strongest features of a row, or of the rows together.

    Slopes and contributions answer different questions and are told apart; anchors do not count.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = result.output_index(output)
    if not len(result):
        return "There are no rows to explain."
    if row is not None or len(result) == 1:
        check_row(result, row or 0)
        result = result[row or 0]
    said = [
        _agree(result, kind, members, which)
        for kind, members in groups_of(result.types) if kind != "anchor"
    ]  # fmt: skip
    over = f"Row {result.ids[0]}" if len(result) == 1 else f"Over {len(result):,} rows"
    if not said:
        return f"{over}: there is no method to compare."
    return f"{over}, {words.quantity(result, which)}: {'; '.join(said)}."


def _add_points(
    figure: go.Figure, result: Faithfulness, row: int, members: list[int], shown: np.ndarray,
    which: int, colours: Palette,
) -> tuple[float, float]:  # fmt: skip
    """Draw the points of each method in a lane of its own; return how far they reach."""
    quantile = float(stats.norm.ppf(0.5 + LEVEL / 2))
    found = result.values[row][members][:, shown, which]
    half = quantile * np.nan_to_num(result.std_errors[row][members][:, shown, which])
    decimals = words.decimals_for(float(np.nanmax(np.abs(found))))
    full = [words.feature_is(result, row, j) for j in shown]
    apart = LANE / (14 + LANE * len(members))
    for place, i in enumerate(members):
        name = name_of(result.methods[i])
        figure.add_scatter(
            x=found[place], mode="markers", name=name, hoverinfo="text",
            y=np.arange(len(shown)) + (place - (len(members) - 1) / 2) * apart,
            marker={"color": colours.classes[place % len(colours.classes)], "size": DOT,
                    "symbol": SYMBOLS[place % len(SYMBOLS)]},
            error_x={"type": "data", "array": half[place], "thickness": 1.2, "width": 3,
                     "color": colours.classes[place % len(colours.classes)]},
            hovertext=[
                f"{hover(label, value, wide if wide > 0 else None, decimals)}<br>{escaped(name)}"
                for label, value, wide in zip(full, found[place], half[place], strict=True)
            ],
        )  # fmt: skip
    known = np.isfinite(found)
    return span_of(np.zeros(1), found[known], half[known], -half[known])


def _separate(figure: go.Figure, lanes: int, colours: Palette) -> None:
    """Draw a line between features, and one at nothing."""
    for place in range(1, lanes):
        figure.add_shape(
            type="line", x0=0, x1=1, xref="paper", y0=place - 0.5, y1=place - 0.5,
            line={"color": colours.grid, "width": 1}, layer="below",
        )  # fmt: skip
    figure.update_xaxes(zeroline=True, zerolinecolor=colours.muted, zerolinewidth=1,
                        exponentformat="power")  # fmt: skip


def _top(result: Faithfulness, top: int | None) -> int:
    """Return how many features are the strongest: a quarter of them, as measures usually have it.

    Raises
    ------
    InvalidInputError
        If ``top`` is below 1.
    """
    if top is None:
        return -(-len(result.names) // 4)
    if top < 1:
        raise InvalidInputError(f"Agreement needs at least 1 strongest feature, got {top}.")
    return top


def _blocks(
    result: Faithfulness, order: list[int], measure: str, top: int, which: int
) -> np.ndarray:
    """Agreement of each two methods; NaN between a slope and a contribution, and with itself."""
    found = agreement_of(result.values[..., which][:, order], measure, top=top)
    kinds = np.array([result.types[i] for i in order])
    found[(kinds[:, None] != kinds) | np.eye(len(order), dtype=bool)] = np.nan
    return found


def _add_cells(
    figure: go.Figure, result: Faithfulness, order: list[int], found: np.ndarray, measure: str,
    colours: Palette,
) -> None:  # fmt: skip
    low = -1.0 if measure == "rank" else 0.0
    half = blended(colours.grid, colours.positive, 0.5)
    stops = (colours.grid, half, colours.positive)
    if low < 0:
        stops = (colours.negative, colours.grid, colours.positive)
    names = [name_of(result.methods[i]) for i in order]

    def told(i: int, j: int) -> str:
        pair = escaped(f"{names[i]} and {names[j]}")
        if np.isfinite(found[i, j]):
            return f"<b>{pair}</b><br>{escaped(AGREEMENTS[measure].words)}: {found[i, j]:.3f}"
        if i == j:
            return f"<b>{escaped(names[i])}</b><br>the same method"
        apart = result.types[order[i]] != result.types[order[j]]
        return f"<b>{pair}</b><br>{APART if apart else 'nothing to compare'}"

    cells = range(len(order))
    figure.add_heatmap(
        z=found, zmin=low, zmax=1, showscale=False, xgap=2, ygap=2, hoverinfo="text",
        colorscale=list(zip((0.0, 0.5, 1.0), stops, strict=True)),
        hovertext=[[told(i, j) for j in cells] for i in cells],
    )  # fmt: skip
    written = list(figure.layout.annotations)  # one by one, each would be checked again
    for i, j in zip(*np.nonzero(np.isfinite(found)), strict=True):
        ground = shade((found[i, j] - low) / (1 - low), stops)
        text = f"{found[i, j]:.2f}".replace("-", words.MINUS)
        font = {"color": ink_on(ground), "size": 11}
        written.append({"x": int(j), "y": int(i), "text": text, "showarrow": False, "font": font})
    figure.update_layout(annotations=written)


def _agree(result: Faithfulness, kind: Type, members: list[int], which: int) -> str:
    """Say of one group which feature is put first, and what share of the strongest is shared."""
    found = result.values[..., which][:, members]
    what = GROUPS[kind].removesuffix("s")
    size = np.where(np.isfinite(found), np.abs(found), -1.0)
    known = size.max((0, 2)) >= 0
    if not known.any():
        return f"no {what} says anything"
    firsts = [result.names[int(j)] for j in size[:, known].mean(0).argmax(1)]
    m = len(firsts)
    if m == 1:
        name = name_of(result.methods[members[int(known.argmax())]])
        return f"the one {what} method, {name}, puts {firsts[0]} first"
    first = _put_first(firsts, what)
    top = _top(result, None)
    if top >= len(result.names):
        return first
    mean = {
        measure: agreement_of(found[:, known], measure, top=top)[np.triu_indices(m, 1)].mean()
        for measure in ("top", "sign")
    }
    strongest = "strongest feature" if top == 1 else f"{top} strongest features"
    pair = "they" if m == 2 else "two of them"
    shared = f"{pair} share {_percent(mean['top'])} of the {strongest}"
    if mean["sign"] < mean["top"] - 0.005:
        shared += f", {_percent(mean['sign'])} with the same sign"
    average = " on average" if m > 2 or len(result) > 1 else ""
    return f"{first}, and {shared}{average}"


def _put_first(firsts: list[str], what: str) -> str:
    """Say which feature most methods put first."""
    leader = max(firsts, key=firsts.count)
    count, m = firsts.count(leader), len(firsts)
    if count == m:
        return f"{'both' if m == 2 else f'all {m}'} {what} methods put {leader} first"
    if count == 1:
        return f"the {m} {what} methods put {m} different features first"
    return f"{count} of {m} {what} methods put {leader} first"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
