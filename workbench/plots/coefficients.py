"""Coefficients of a simple function of one row: as bars, and which raise or lower the output."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from workbench.core.wording import counted
from workbench.plots import words
from workbench.plots.layout import (
    condition,
    cut,
    hover,
    layout_stacked,
    narrow_title,
    note,
    padded,
    span_of,
    whisker_style,
    write_lengths,
)
from workbench.plots.theme import palette, template

NAMED = 2


@dataclass(frozen=True)
class Coefficients:
    """Coefficients to draw, the largest first.

    Attributes
    ----------
    names, meanings
        Of each a label, and what a mouse finds.
    half
        Half widths of 95 % intervals.
    """

    names: Sequence[str]
    meanings: Sequence[str]
    values: Float[np.ndarray, " c"]
    half: Float[np.ndarray, " c"]

    def worth_a_word(self) -> list[tuple[str, bool]]:
        """Return names and whether each raises the output, largest first.

        One whose interval includes 0, or that is below a twentieth of the largest, is left out.
        """
        size = np.abs(self.values)
        worth = (size > self.half) & (size >= words.WORTH_A_WORD * size.max(initial=0.0))
        return [
            (name, bool(value > 0))
            for name, value, good in zip(self.names, self.values, worth, strict=True) if good
        ]  # fmt: skip


def coefficient_bars(
    found: Coefficients, *parts: str, max_features: int, dark: bool, what: str = "feature"
) -> go.Figure:
    """Draw coefficients as bars with their intervals; ``parts`` name the axis.

    Parameters
    ----------
    what
        What each coefficient is of, for a remark about those that are left out.
    """
    shown, rest = cut(np.arange(len(found.values)), max_features)
    lengths, half, colours = found.values[shown], found.half[shown], palette(dark=dark)
    decimals = words.decimals_for(float(np.abs(lengths).max()))
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_bar(
        x=lengths,
        y=np.arange(len(shown)),
        width=0.72,
        orientation="h",
        marker={
            "color": [colours.positive if v >= 0 else colours.negative for v in lengths],
            "line": {"width": 0},
        },
        error_x=whisker_style(half, colours),
        hovertext=[
            hover(found.meanings[i], float(found.values[i]), float(found.half[i]), decimals)
            for i in shown
        ],
        hoverinfo="text",
    )
    # The number of a bar stands right of it.
    span = span_of(np.zeros(1), lengths, half, np.zeros(1))
    room = padded(span, 0.15)[0], padded(span, 0.25)[1]
    write_lengths(figure, lengths, lengths, half, decimals)
    layout_stacked(figure, [condition(found.names[i]) for i in shown], room)
    narrow_title(figure, *parts)
    if len(rest):
        largest = words.number(float(np.abs(found.values[rest[0]])))
        note(figure, f"{counted(len(rest), f'more {what}')}, each at most {largest}", dark=dark)
    return figure


def moves(named: Sequence[tuple[str, bool]]) -> str:
    """Say what raises and what lowers an output most, from names in order of their size.

    Up to two are named each way.

    Examples
    --------
    >>> moves([("age", True), ("sex", False), ("hours", True)])
    'age and hours raise it most; sex lowers it'
    """
    ways = {
        verb: [name for name, raises in named if raises == way][:NAMED]
        for verb, way in (("raise", True), ("lower", False))
    }
    clauses = [
        f"{' and '.join(names)} {verb}{'s' if len(names) == 1 else ''} it"
        for verb, names in ways.items() if names
    ]  # fmt: skip
    if not named[0][1]:
        clauses.reverse()
    first, *rest = clauses
    return "; ".join([f"{first} most", *rest])
