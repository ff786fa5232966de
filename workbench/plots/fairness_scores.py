"""Scores of groups: how well they rank, and whether they come true."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Int

from workbench.core.fairness import ENOUGH, FairnessAudit
from workbench.core.fairness_metrics import FPR, TPR
from workbench.core.wording import counted, percent
from workbench.numerics.audit_reading import group_phrase, rate_index
from workbench.numerics.rates import wilson_bounds
from workbench.plots.layout import empty, note, shortened, whisker_style
from workbench.plots.theme import DASHES, Palette, blended, escaped, palette, template

HEIGHT = 440
LETTERS, LINE = 22, 20
AREA, ERROR = "auc", "calibration_error"
EDGE = [-0.02, 1.02]


def roc(audit: FairnessAudit, *, partition: str | int = 0, dark: bool = False) -> go.Figure:
    """Draw the ROC curve of each group, with where the model's decisions lie on it.

    The cross at each operating point is its 95 % interval both ways, the legend the area under
    the curve with its own. Points of groups at different places have different errors, even
    where the curves are the same.

    Raises
    ------
    InvalidInputError
        If there is no such partition.
    """
    p = audit.partition_index(partition)
    found = drawn_groups(audit, p)
    if not len(found):
        return empty(f"No group has {ENOUGH} rows with and without that outcome.", dark=dark)
    colours = palette(dark=dark)
    figure = _figure(dark=dark)
    totals = audit.passed[0]
    for place, g in enumerate(found):
        ink = colours.classes[place]
        across, up = (audit.passed[:, g] / totals[g]).T
        figure.add_scatter(
            x=across, y=up, mode="lines", name=_named(audit, int(g), AREA),
            line={"color": ink, "width": 2, "dash": DASHES[place]},
            hovertext=[
                f"<b>{escaped(group_phrase(audit, int(g)))}</b><br>from score {t:.2f}: "
                f"{percent(b)} of those with the outcome, {percent(a)} of those without"
                for t, a, b in zip(audit.thresholds, across, up, strict=True)
            ],
            hoverinfo="text",
        )  # fmt: skip
        _operating_point(figure, audit, int(g), ink)
    _diagonal(figure, colours)
    good = escaped(shortened(audit.favourable, LETTERS))
    figure.update_xaxes(title_text=f"of those without outcome {good},<br>the share decided {good}")
    figure.update_yaxes(title_text=f"of those with it, the share decided {good}")
    _legend(figure, "area under the curve (95 %)")
    note(figure, f"dots: the decisions; {_left(audit, p, len(found))}", dark=dark)
    return figure


def calibration(audit: FairnessAudit, *, partition: str | int = 0, dark: bool = False) -> go.Figure:
    """Draw how often the favourable outcome occurs at each score, group by group.

    A group whose points lie above those of another has the outcome more often than the same score
    says of the other. Whiskers are Wilson's 95 % intervals.

    Raises
    ------
    InvalidInputError
        If there is no such partition.
    """
    p = audit.partition_index(partition)
    found = drawn_groups(audit, p)
    if not len(found):
        return empty(f"No group has {ENOUGH} rows with and without that outcome.", dark=dark)
    colours = palette(dark=dark)
    figure = _figure(dark=dark)
    for place, g in enumerate(found):
        ink, used = colours.classes[place], audit.bin_counts[g] > 0
        n, k = audit.bin_counts[g, used], audit.bin_positives[g, used]
        low, high = wilson_bounds(k, n)
        share = k / n
        figure.add_scatter(
            x=audit.bin_scores[g, used], y=share, mode="lines+markers",
            name=_named(audit, int(g), ERROR),
            line={"color": ink, "width": 1.5, "dash": DASHES[place]},
            marker={"color": ink, "size": 7},
            error_y={**whisker_style(high - share, colours), "color": ink, "symmetric": False,
                     "arrayminus": share - low},
            hovertext=[
                f"<b>{escaped(group_phrase(audit, int(g)))}</b><br>{percent(s)} of "
                f"{counted(int(m), 'row')}, score {x:.2f}<br>95 %: {percent(a)} to {percent(b)}"
                for x, s, m, a, b in zip(
                    audit.bin_scores[g, used], share, n, low, high, strict=True
                )
            ],
            hoverinfo="text",
        )  # fmt: skip
    _diagonal(figure, colours)
    good = escaped(shortened(audit.favourable, LETTERS))
    figure.update_xaxes(title_text=f"score for {good}")
    figure.update_yaxes(title_text=f"share whose outcome is {good}")
    _legend(figure, "calibration error (95 %)")
    note(figure, f"dotted: as scored; {_left(audit, p, len(found))}", dark=dark)
    return figure


def drawn_groups(audit: FairnessAudit, partition: int) -> Int[np.ndarray, " m"]:
    """Return the largest groups with enough rows of both outcomes: as many as have colours."""
    found = audit.groups_of(partition)
    kept = found[(audit.counts[found].sum(2) >= ENOUGH).all(1)]
    most = len(palette(dark=False).classes)
    return np.sort(kept[np.argsort(-audit.sizes[kept], kind="stable")[:most]])


def _figure(*, dark: bool) -> go.Figure:
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    figure.update_xaxes(range=EDGE, nticks=6)
    figure.update_yaxes(range=EDGE, nticks=6)
    return figure


def _operating_point(figure: go.Figure, audit: FairnessAudit, group: int, ink: str) -> None:
    (x, left, right), (y, low, high) = (audit.rates[rate_index(name), group] for name in (FPR, TPR))
    ends = {"type": "data", "symmetric": False, "color": ink, "thickness": 1.4, "width": 4}
    figure.add_scatter(
        x=[x], y=[y], mode="markers", showlegend=False, hoverinfo="text",
        marker={"color": ink, "size": 11, "line": {"color": blended("#ffffff", ink, 0.2),
                                                   "width": 1.5}},
        error_x={**ends, "array": [right - x], "arrayminus": [x - left]},
        error_y={**ends, "array": [high - y], "arrayminus": [y - low]},
        hovertext=[
            f"<b>{escaped(group_phrase(audit, group))}</b> as decided<br>{percent(y)} of those "
            f"with the outcome ({percent(low)} to {percent(high)})<br>{percent(x)} of those "
            f"without ({percent(left)} to {percent(right)})"
        ],
    )  # fmt: skip


def _diagonal(figure: go.Figure, colours: Palette) -> None:
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": colours.muted, "width": 1, "dash": "dot"},
    )  # fmt: skip


def _named(audit: FairnessAudit, group: int, measure: str) -> str:
    name = escaped(shortened(audit.group_names[group], LETTERS))
    if measure not in audit.score_names:
        return name
    value, low, high = audit.score_values[audit.score_names.index(measure), group]
    if not np.isfinite(value):
        return name
    if not np.isfinite(low):
        return f"{name}: {value:.2f}"
    return f"{name}: {value:.2f} ({low:.2f} to {high:.2f})"


def _legend(figure: go.Figure, heading: str) -> None:
    """Explain the lines above the figure, where they hide nothing in a narrow window."""
    shown = sum(trace.showlegend is not False for trace in figure.data)
    figure.update_layout(
        showlegend=True, height=HEIGHT + LINE * shown, margin={"t": 2 * LINE + LINE * shown},
        legend={"orientation": "v", "x": 0, "xanchor": "left", "y": 1.07, "yanchor": "bottom",
                "bgcolor": "rgba(0,0,0,0)", "font": {"size": 12}, "title": {"text": heading}},
    )  # fmt: skip


def _left(audit: FairnessAudit, partition: int, drawn: int) -> str:
    """Say how many groups are not drawn, and that curves count rows alike."""
    left = len(audit.groups_of(partition)) - drawn
    told = f"{counted(left, 'group')} not drawn" if left else "every group"
    return f"{told}; curves: unweighted" if audit.weighted else told
