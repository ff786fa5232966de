"""Each row as a path from the base value to its prediction."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.results import Attribution
from workbench.plots import words
from workbench.plots.layout import (
    check_bars,
    empty,
    hover,
    layout_bars,
    narrow_title,
    note,
    padded,
    shortened,
    span_of,
)
from workbench.plots.rows import Lanes, check_rows, drawn_rows, lanes_of, sample_note, shade
from workbench.plots.theme import Palette, palette, template

EACH = 32
# Steps of colour; rows of a step share a trace.
STEPS = 16
FEW = 20
NAMED = 6
# Pixels of a line of text above the figure.
LINE = 18


def decision(
    attribution: Attribution,
    *,
    output: str | int | None = None,
    highlight: Sequence[int] = (),
    max_features: int = 15,
    max_rows: int = 200,
    dark: bool = False,
) -> go.Figure:
    """Draw each row as a path from the base value, below, to its prediction, above.

    At each feature the path moves by the attribution of that feature; the most important feature
    comes last, next to the prediction, whose rank is the colour. Paths that bundle are rows
    decided alike.

    Parameters
    ----------
    highlight
        Positions of rows drawn thick and in a colour of their own; the others step back.
    max_features
        Further features are one step, the first.
    max_rows
        Above it, as many rows drawn at random (always the same) are shown besides those to
        highlight, and the figure says so.

    Raises
    ------
    InvalidInputError
        If there is no such output or row, or ``max_features`` or ``max_rows`` is below 1.
    """
    which = attribution.output_index(output)
    check_bars(max_features)
    check_rows(max_rows, "decision plot")
    n = len(attribution)
    if not n:
        return empty(dark=dark)
    marked = _positions(highlight, n)
    lanes = lanes_of(attribution, which, max_features)
    rows = drawn_rows(n, max_rows, always=marked)
    paths = _paths(attribution, lanes, which)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    plain = np.setdiff1d(rows, marked)
    _add_paths(figure, attribution, lanes, paths, plain, which, faded=bool(len(marked)),
               colours=colours)  # fmt: skip
    for place, row in enumerate(marked):
        _add_marked(figure, attribution, lanes, paths, int(row), place, colours)
    coloured = len(plain) > 1 and not len(marked)
    _layout(figure, attribution, lanes, paths[rows], which, coloured=coloured, dark=dark)
    said = [*sample_note(len(rows), n)] or [f"{n:,} row{'' if n == 1 else 's'}"]
    note(figure, said[0], dark=dark)
    figure.layout.annotations[-1].update(yshift=LINE)  # above the name of the base value
    figure.update_layout(margin={"t": 28 + LINE})
    if len(marked):
        above = 1 + LINE / (EACH * len(lanes.names))
        figure.update_layout(showlegend=True, margin={"t": 56 + LINE}, legend={"y": above})
        figure.layout.annotations[-1].update(yshift=28 + LINE)
    return figure


def _positions(highlight: Sequence[int], n: int) -> np.ndarray:
    wrong = [row for row in highlight if not 0 <= row < n]
    if wrong:
        raise InvalidInputError(
            f"There is no row {wrong[0]} in this result; the last one is {n - 1}."
        )
    if len(set(highlight)) > NAMED:
        raise InvalidInputError(
            f"At most {NAMED} rows can be highlighted, got {len(set(highlight))}; choose fewer."
        )
    return np.array(list(dict.fromkeys(highlight)), dtype=int)


def _paths(attribution: Attribution, lanes: Lanes, which: int) -> np.ndarray:
    """Return where each row stands before the first step and after each, most important last."""
    steps = np.cumsum(lanes.values[:, ::-1], axis=1)
    base = attribution.base_values[:, which, None]
    return np.concatenate([base, base + steps], axis=1)


def _heights(lanes: Lanes) -> np.ndarray:
    """Return the height of each point of a path: the line between two lanes, from below."""
    return np.arange(len(lanes.names), -1, -1) - 0.5


def _add_paths(
    figure: go.Figure, attribution: Attribution, lanes: Lanes, paths: np.ndarray, rows: np.ndarray,
    which: int, *, faded: bool, colours: Palette,
) -> None:  # fmt: skip
    if not len(rows):
        return
    order = rows[np.argsort(attribution.predictions[rows, which], kind="stable")]
    few = len(rows) <= FEW
    for step, chosen in enumerate(np.array_split(order, min(STEPS, len(order)))):
        share = (step + 0.5) / min(STEPS, len(order))
        ink = colours.others if faded else shade(share, (colours.low, colours.middle, colours.high))
        x, y, texts = _joined(attribution, lanes, paths, chosen)
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": ink, "width": 1.6 if few else 1.1},
            opacity=0.35 if faded else 0.9 if few else 0.55, connectgaps=False,
            hovertext=texts, hoverinfo="text", showlegend=False,
        )  # fmt: skip


def _add_marked(
    figure: go.Figure, attribution: Attribution, lanes: Lanes, paths: np.ndarray, row: int,
    place: int, colours: Palette,
) -> None:  # fmt: skip
    x, y, texts = _joined(attribution, lanes, paths, np.array([row]))
    figure.add_scatter(
        x=x, y=y, mode="lines+markers", line={"color": colours.classes[place], "width": 2.6},
        marker={"size": 6}, name=f"row {attribution.ids[row]}", showlegend=True, hovertext=texts,
        hoverinfo="text",
    )  # fmt: skip


def _joined(
    attribution: Attribution, lanes: Lanes, paths: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Put the paths of rows behind each other, with a gap after each."""
    gap = np.full((len(rows), 1), np.nan)
    x = np.concatenate([paths[rows], gap], axis=1).ravel()
    y = np.tile(np.append(_heights(lanes), np.nan), len(rows))
    decimals = words.decimals_for(float(np.abs(lanes.values).max()))
    texts: list[str] = []
    for row in rows:
        head = f"row {attribution.ids[row]}<br>"
        texts.append(f"{head}base value {words.number(float(paths[row, 0]))}")
        for lane in reversed(range(len(lanes.names))):
            name = (
                words.feature_is(attribution, int(row), int(lanes.features[lane]))
                if lane < len(lanes.features) else lanes.names[lane]
            )  # fmt: skip
            after = words.number(float(paths[row, len(lanes.names) - lane]))
            moved = hover(name, lanes.values[row, lane], None, decimals)
            texts.append(f"{head}{moved}<br>after it {after}")
        texts.append("")
    return x, y, texts


def _add_base(
    figure: go.Figure, base: float, span: tuple[float, float], colours: Palette
) -> None:  # fmt: skip
    """Mark the base value on top of the paths, which would hide it, and name it above them."""
    figure.add_vline(
        x=base, line={"color": colours.text, "width": 1.5, "dash": "dot"}, layer="above"
    )
    figure.add_annotation(
        x=base, y=1, yref="paper", yanchor="bottom", text=f"base value {words.number(base)}",
        xanchor="left" if 2 * base < sum(span) else "right", showarrow=False,
        font={"color": colours.text, "size": 12},
    )  # fmt: skip


def _layout(
    figure: go.Figure, attribution: Attribution, lanes: Lanes, drawn: np.ndarray, which: int, *,
    coloured: bool, dark: bool,
) -> None:  # fmt: skip
    base = float(attribution.base_values[:, which].mean())
    span = span_of(drawn.min(1), drawn.max(1), np.zeros(len(drawn)), np.array([base]))
    layout_bars(figure, [shortened(name) for name in lanes.names], padded(span, 0.04), each=EACH)
    figure.update_yaxes(range=[len(lanes.names) - 0.35, -0.65])
    _add_base(figure, base, padded(span, 0.04), palette(dark=dark))
    meaning = ["colour: low to high prediction"] if coloured else []
    what = words.quantity(attribution, which)
    narrow_title(figure, what, *meaning)
    figure.update_layout(
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "font": {"size": 12}}
    )
