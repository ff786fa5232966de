"""What figures with a line for each name share: labels, axes, whiskers and remarks.

Names and categories come from a user's file, and plotly renders a subset of HTML: everything a
user wrote is escaped where it enters a figure.
"""

import re
from collections.abc import Iterable, Sequence, Sized
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.plots import words
from workbench.plots.theme import Palette, escaped, palette, template

BAR_HEIGHT = 30
FRAME_HEIGHT = 120
LINE_HEIGHT = 20
# Letters after which a label is cut; the whole text is in the hover.
LABEL_LENGTH = 36
TITLE_LENGTH = 48
LINE_LENGTH = 36
# Letters of a line of a title below a plot that labels leave little room, and of a hover.
NARROW_LENGTH, HOVER_LENGTH = 26, 45
# Letters of a label of a feature and its value, or of two features, above which it is parted.
CONDITION_LENGTH = 24
_CONDITION = re.compile(" (?=[=≤<>≥\N{MULTIPLICATION SIGN}] )")
# Lines of a label at most.
MOST_LINES = 6
NO_ROWS = "No rows to show: choose at least one row and run again."


def check_bars(max_features: int) -> None:
    """Refuse a figure without bars.

    Raises
    ------
    InvalidInputError
        If ``max_features`` is below 1.
    """
    if max_features < 1:
        raise InvalidInputError(f"A figure needs at least 1 feature, got {max_features}.")


def check_row(result: Sized, row: int) -> None:
    """Refuse a position that a result does not have.

    Raises
    ------
    InvalidInputError
        If there is no such row.
    """
    if not isinstance(row, int | np.integer):
        raise InvalidInputError(f"A row is named by its place, a whole number, got {row!r}.")
    if not 0 <= row < len(result):
        raise InvalidInputError(
            f"There is no row {row} in this result; the last one is {len(result) - 1}."
        )


def cut(order: np.ndarray, max_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Split features into those with a bar and the rest; a rest of one gets its own bar."""
    keep = len(order) if len(order) <= max_features + 1 else max_features
    return order[:keep], order[keep:]


def shortened(text: str, length: int = LABEL_LENGTH) -> str:
    """Cut a text for a label; the whole of it is in the hover."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def whisker_style(half: np.ndarray, colours: Palette) -> dict[str, object]:
    """Return error bars of these half widths."""
    return {"type": "data", "array": half, "color": colours.whisker, "thickness": 1.2, "width": 4}


def hover(
    name: str,
    value: float,
    half: float | None,
    decimals: int,
    *,
    floor: float = -np.inf,
    sign: bool = True,
) -> str:
    """Write a name, its value and interval, as a mouse finds them."""

    def show(x: float) -> str:
        return words.signed(x, decimals + 1) if sign else f"{x:,.{decimals + 1}f}"

    lines = [f"<b>{escaped(name)}</b>", show(value)]
    if half is not None:
        lines.append(f"95 %: {show(max(floor, value - half))} to {show(value + half)}")
    return "<br>".join(lines)


def span_of(
    starts: np.ndarray, ends: np.ndarray, half: np.ndarray, marks: np.ndarray
) -> tuple[float, float]:
    """Smallest and largest number drawn; never of zero width."""
    low = float(min(starts.min(), (ends - half).min(), marks.min()))
    high = float(max(starts.max(), (ends + half).max(), marks.max()))
    if high > low:
        return low, high
    return low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2


def padded(span: tuple[float, float], share: float) -> tuple[float, float]:
    """Widen a span by a share of itself on both sides."""
    room = share * (span[1] - span[0])
    return span[0] - room, span[1] + room


def write_lengths(
    figure: go.Figure,
    lengths: np.ndarray,
    ends: np.ndarray,
    half: np.ndarray,
    decimals: int,
    *,
    sign: bool = True,
) -> None:
    """Write each number right of its bar and whisker; on the left stand the names."""
    figure.add_scatter(
        x=np.maximum(ends - lengths, ends + half),
        y=np.arange(len(lengths)),
        mode="text",
        # The no-break spaces keep the number off the whisker at any width of the figure.
        text=[
            f"\N{NO-BREAK SPACE}{words.signed(v, decimals) if sign else f'{v:,.{decimals}f}'}"
            "\N{NO-BREAK SPACE}"
            for v in lengths
        ],
        textposition="middle right",
        textfont={"size": 12},
        cliponaxis=False,
        hoverinfo="skip",
    )


def layout_bars(
    figure: go.Figure,
    labels: list[str],
    x_range: tuple[float, float],
    each: int = BAR_HEIGHT,
) -> None:
    """Give each bar its line and its label."""
    figure.update_layout(height=FRAME_HEIGHT + each * len(labels))
    figure.update_xaxes(range=list(x_range), nticks=4, tickangle=0)
    # Positions, not names, are the coordinate: two names cut alike must not fall together.
    figure.update_yaxes(
        range=[len(labels) - 0.4, -0.6],
        tickvals=list(range(len(labels))),
        ticktext=[escaped(label) for label in labels],
        showgrid=False,
        ticks="",
        ticklabelstandoff=6,
    )


def layout_stacked(
    figure: go.Figure, labels: Sequence[str], x_range: tuple[float, float], each: int = BAR_HEIGHT
) -> None:
    """Give each bar the room that its label needs; labels are escaped, lines are broken in them.

    A label on one line would leave a narrow window no room to draw.
    """
    most = 1 + max((label.count("<br>") for label in labels), default=0)
    layout_bars(figure, list(labels), x_range, each if most == 1 else max(each, most * 18 + 4))
    figure.update_yaxes(ticktext=list(labels))


def condition(text: str) -> str:
    """Write a feature and its value, or a pair, on two lines where one is long, and escape it.

    Examples
    --------
    >>> condition("age > 42")
    'age &gt; 42'
    >>> condition("checking_account = no checking account")
    'checking_account<br>= no checking account'
    >>> condition("37 years < age ≤ 48 years")
    '37 years &lt; age<br>≤ 48 years'
    """
    places = [found.start() for found in _CONDITION.finditer(text)]
    if len(text) <= CONDITION_LENGTH or not places:
        return escaped(shortened(text, CONDITION_LENGTH))
    is_range = len(places) == 2 and text[places[0] :].startswith(" < ")
    at = places[-1 if is_range else 0]
    parts = text[:at], text[at + 1 :]
    return "<br>".join(escaped(shortened(part, CONDITION_LENGTH)) for part in parts)


def title(figure: go.Figure, *parts: str) -> None:
    """Name the axis, its parts on as many lines as a narrow window needs."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < LINE_LENGTH:
            lines[-1] = f"{lines[-1]}; {part}"
        else:
            lines.append(shortened(part, TITLE_LENGTH))
    figure.update_xaxes(title_text="<br>".join(escaped(line) for line in lines))


def narrow_title(figure: go.Figure, *parts: str) -> None:
    """Name the axis below a plot beside long labels: each part on lines of its own."""
    lines = [line for part in parts for line in wrap(part, NARROW_LENGTH, max_lines=3,
                                                     placeholder="…")]  # fmt: skip
    figure.update_xaxes(title_text="<br>".join(escaped(line) for line in lines))


def folded(text: str, length: int = HOVER_LENGTH) -> str:
    """Break a text into lines for a hover, so that it is no wider than a small window."""
    return "<br>".join(escaped(line) for line in wrap(text, length))


def stacked(texts: Sequence[str], length: int, lines: int = 3) -> list[str]:
    """Write labels on several lines; on more than ``lines`` where cut ones would look alike."""
    for most in range(lines, max(lines, MOST_LINES) + 1):
        found = [
            "<br>".join(map(escaped, wrap(text, length, max_lines=most, placeholder="…")))
            for text in texts
        ]
        if len(set(found)) == len(found):
            return found
    return [
        f"{label} ({at})" if found.count(label) > 1 else label
        for at, label in enumerate(found, start=1)
    ]


def note(figure: go.Figure, text: str, *, dark: bool) -> None:
    """Write a remark above the right end of a figure."""
    figure.add_annotation(
        x=1,
        y=1,
        xref="paper",
        yref="paper",
        xanchor="right",
        yanchor="bottom",
        text=text,
        showarrow=False,
        font={"color": palette(dark=dark).muted, "size": 12},
    )


def write_cells(
    figure: go.Figure, cells: Iterable[tuple[float, float, str, str]], letters: int = 11
) -> None:
    """Write a text into each cell, given as its place across and up, the text and its colour."""
    written = list(figure.layout.annotations)  # one by one, each would be checked again
    written += [
        {"x": x, "y": y, "text": text, "showarrow": False, "font": {"color": ink, "size": letters}}
        for x, y, text, ink in cells
    ]
    figure.update_layout(annotations=written)


def empty(text: str = NO_ROWS, *, dark: bool) -> go.Figure:
    """Draw a figure that says why there is nothing in it."""
    lines = [escaped(line) for line in wrap(text, LINE_LENGTH)]
    height = max(FRAME_HEIGHT, LINE_HEIGHT * len(lines) + FRAME_HEIGHT // 2)
    figure = go.Figure(layout={"template": template(dark=dark), "height": height})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        text="<br>".join(lines),
        showarrow=False,
        font={"color": palette(dark=dark).muted},
    )
    return figure
