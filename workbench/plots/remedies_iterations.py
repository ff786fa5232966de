"""Remedies tried one after another: gap and accuracy step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.core.fairness_metrics import GAPS
from workbench.core.remedies import Remedies
from workbench.core.wording import counted
from workbench.plots.layout import empty
from workbench.plots.remedies_drawing import gap_position, within
from workbench.plots.remedies_words import accuracy_told, gap_told
from workbench.plots.rows import wrapped
from workbench.plots.theme import escaped, palette, template

HEIGHT, LETTERS = 420, 44


@dataclass(frozen=True)
class Iteration:
    """One step: a comparison of remedies, and the remedy that was looked at."""

    result: Remedies
    remedy: str

    @property
    def at(self) -> int:
        """Position of the remedy in the comparison."""
        return self.result.index(self.remedy)


def iterations(steps: Sequence[Iteration], *, gap: str, dark: bool = False) -> go.Figure:
    """Draw a gap and accuracy of each step below each other; step 0 is the model as it is.

    Whiskers are 95 % intervals of the change against the model as it is, over the same rows.

    Raises
    ------
    InvalidInputError
        If there is no such gap.
    """
    q, colours = gap_position(gap), palette(dark=dark)
    if not steps:
        return empty("Nothing was tried yet.", dark=dark)
    figure = make_subplots(
        2, 1, shared_xaxes=True, vertical_spacing=0.14,
        subplot_titles=[wrapped(GAPS[gap].title, LETTERS), "Decided rightly"],
    )  # fmt: skip
    figure.update_layout(template=template(dark=dark), height=HEIGHT, margin={"t": 40})
    figure.update_annotations(font={"size": 12, "color": colours.text})
    first = steps[0].result
    told = ["<b>The model as it is</b>", *(_told(step, gap) for step in steps)]
    parts = (
        (first.gaps[0, q, 0], [(s.result.gaps[s.at, q, 0], s.result.gaps[0, q, 0]
                                + s.result.gap_changes[s.at, q, 1:]) for s in steps],
         colours.classes[0], "circle", True),
        (first.accuracy[0, 0], [(s.result.accuracy[s.at, 0], s.result.accuracy[0, 0]
                                 + s.result.accuracy_changes[s.at, 1:]) for s in steps],
         colours.classes[1], "square", False),
    )  # fmt: skip
    for row, (start, later, colour, symbol, is_gap) in enumerate(parts, 1):
        values = np.array([start, *(value for value, _ in later)], dtype=float)
        ends = np.array([[start, start], *(end for _, end in later)], dtype=float)
        ends = within(gap, ends) if is_gap else np.clip(ends, 0, 1)
        figure.add_scatter(
            x=np.arange(len(values)), y=values, mode="lines+markers", hoverinfo="text",
            line={"color": colour, "width": 2, "dash": "solid" if is_gap else "dash"},
            marker={"size": 9, "symbol": symbol}, hovertext=told,
            error_y={
                "type": "data", "symmetric": False, "color": colour, "thickness": 1.2, "width": 4,
                "array": np.nan_to_num(np.maximum(ends[:, 1] - values, 0)),
                "arrayminus": np.nan_to_num(np.maximum(values - ends[:, 0], 0)),
            },
            row=row, col=1,
        )  # fmt: skip
    ratio = GAPS[gap].way == "ratio"
    figure.update_yaxes(nticks=5, tickformat=".2f" if ratio else ".1~%", row=1, col=1)
    figure.update_yaxes(nticks=5, tickformat=".1~%", row=2, col=1)
    figure.update_xaxes(tickvals=list(range(len(steps) + 1)), range=[-0.3, len(steps) + 0.3])
    figure.update_xaxes(title_text="step", row=2, col=1)
    return figure


def iterations_sentence(steps: Sequence[Iteration], *, gap: str) -> str:
    """Say how many steps there were and which one left the least gap."""
    q = gap_position(gap)
    known = [step for step in steps if np.isfinite(step.result.gaps[step.at, q, 0])]
    if not known:
        return "No step has this gap defined."
    best = min(known, key=lambda step: abs(float(step.result.gaps[step.at, q, 0]) - GAPS[gap].none))
    number = 1 + list(steps).index(best)
    return (
        f"Of {counted(len(steps), 'step')}, step {number} "
        f"({best.result.titles[best.at].lower()}) leaves the least "
        f"{GAPS[gap].title.lower()}: {gap_told(best.result, best.at, gap)}."
    )


def _told(step: Iteration, gap: str) -> str:
    return "<br>".join((
        f"<b>{escaped(step.result.titles[step.at])}</b>",
        wrapped(gap_told(step.result, step.at, gap), LETTERS),
        wrapped(accuracy_told(step.result, step.at), LETTERS),
    ))
