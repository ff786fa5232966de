"""The nearest changes of a row with which the model decides otherwise."""

from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from workbench.core.results import Counterfactuals
from workbench.plots import words
from workbench.plots.layout import (
    CONDITION_LENGTH,
    check_bars,
    check_row,
    empty,
    layout_stacked,
    note,
    padded,
    span_of,
    title,
)
from workbench.plots.theme import escaped, palette, template

NOTHING = "No change was found."
# Changes of a label, the last line of which says how many more there are.
MOST_CHANGES = 3


def nearest(
    found: Counterfactuals, row: int = 0, *, max_changes: int = 8, dark: bool = False
) -> go.Figure:
    """Draw how far away each counterfactual of a row is, nearest first, and what the model says.

    Parameters
    ----------
    row
        Position of the row in the result, not its number in the file.
    max_changes
        Counterfactuals at most.

    Raises
    ------
    InvalidInputError
        If there is no such row, or ``max_changes`` is below 1.
    """
    check_bars(max_changes)
    if not len(found):
        return empty(dark=dark)
    check_row(found, row)
    own = found.of(row)
    if not len(own):
        return empty("Nothing has to change." if found.fulfilled[row] else NOTHING, dark=dark)
    shown, colours = own[:max_changes], palette(dark=dark)
    lengths = found.distances[shown]
    said = [outcome(found, int(which)) for which in shown]
    labels = [changes_of(found, int(which)) for which in shown]
    figure = go.Figure(layout={"template": template(dark=dark)})
    places = np.arange(len(shown))
    figure.add_bar(
        x=lengths,
        y=places,
        width=0.72,
        orientation="h",
        marker={"color": colours.size, "line": {"width": 0}},
        hovertext=[
            f"<b>{escaped(label)}</b><br>distance {length:.2f}<br>{escaped(what)}"
            for label, length, what in zip(labels, lengths, said, strict=True)
        ],
        hoverinfo="text",
    )
    figure.add_scatter(
        x=lengths,
        y=places,
        mode="text",
        text=[f"\N{NO-BREAK SPACE}{escaped(what)}" for what in said],
        textposition="middle right",
        textfont={"size": 12, "color": colours.text},
        cliponaxis=False,
        hoverinfo="skip",
    )
    # What the model says stands right of a bar and takes up to almost half of a narrow plot.
    low, high = span_of(np.zeros(1), lengths, np.zeros(1), np.zeros(1))
    room = padded((low, high), 0.85)[1]
    layout_stacked(figure, [_label(found, int(which)) for which in shown], (0.0, room))
    title(figure, "distance of the change", f"row {found.ids[row]}", "right: what the model says")
    if left := len(own) - len(shown):
        note(figure, f"{left} further away", dark=dark)
    return figure


def _label(found: Counterfactuals, which: int) -> str:
    """Write each change on lines of its own, up to so many; the hover has them all."""
    said = [f"{name}: {old} → {new}" for name, old, new in found.changes(which)]
    kept = said if len(said) <= MOST_CHANGES else said[: MOST_CHANGES - 1]
    lines = [line for one in kept for line in wrap(one, CONDITION_LENGTH, max_lines=2,
                                                   placeholder="…")]  # fmt: skip
    if left := len(said) - len(kept):
        lines.append(f"and {left} more")
    return "<br>".join(map(escaped, lines))


def changes_of(found: Counterfactuals, which: int) -> str:
    """Write what a counterfactual changes: ``sex: Male → Female; age: 30 → 35``."""
    return "; ".join(f"{name}: {old} → {new}" for name, old, new in found.changes(which))


def outcome(found: Counterfactuals, which: int) -> str:
    """Write what the model says of a counterfactual: the likeliest class, or the value."""
    outputs = found.changed_predictions[which]
    if found.schema.classes:
        best = int(np.argmax(outputs))
        return f"{found.output_names[best]} ({words.probability(float(outputs[best]))})"
    return f"{words.number(float(outputs[0]))} {found.schema.target_unit}".strip()
