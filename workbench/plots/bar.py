"""All rows of an attribution together."""

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from workbench.core.results import LEVEL, Attribution
from workbench.plots import words
from workbench.plots.layout import (
    check_bars,
    cut,
    empty,
    hover,
    layout_bars,
    narrow_title,
    note,
    padded,
    shortened,
    span_of,
    whisker_style,
    write_lengths,
)
from workbench.plots.theme import palette, template


def bar(
    attribution: Attribution,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    r"""Draw the mean absolute attribution of each feature, largest first.

    Whiskers are 95 % intervals of that mean: over the rows (Student's t), so they say how far
    other rows of the same kind could move it, and, where known, for the choice of background
    rows. The noise of sampling coalitions is drawn anew for each row, so it is part of the spread
    over rows; where rows share coalitions it is added in full. The background is shared
    by all rows: taken as moving all of them together, its error :math:`s` is the most that the
    mean can have, and both add up in squares,

    .. math:: \sqrt{(t_{n-1} \, \mathrm{sd} / \sqrt{n})^2 + (t \, s)^2}.

    A single row has none. Sampling noise also lengthens bars, as sizes cannot be negative: a bar
    not longer than its row's noise (the beeswarm's faint bars) may be noise.

    Raises
    ------
    InvalidInputError
        If there is no such output or ``max_features`` is below 1.
    """
    which = attribution.output_index(output)
    check_bars(max_features)
    n = len(attribution)
    if not n:
        return empty(dark=dark)
    frame = attribution.importance(which)
    shown, rest = cut(frame.index.to_numpy(), max_features)
    means = frame["importance"].to_numpy()
    half = importance_half_widths(attribution, which)[shown] if n > 1 else None
    colours = palette(dark=dark)
    names = [str(name) for name in frame["feature"].iloc[shown]]
    decimals = words.decimals_for(float(means.max()))
    lengths = means[shown]
    widths = np.zeros_like(lengths) if half is None else half

    figure = go.Figure(layout={"template": template(dark=dark)})
    whiskers = None
    if half is not None:
        # A mean of absolute values is never negative, so neither is its whisker.
        whiskers = whisker_style(half, colours) | {
            "symmetric": False,
            "arrayminus": np.minimum(half, lengths),
        }
    figure.add_bar(
        x=lengths,
        y=np.arange(len(shown)),
        width=0.72,
        orientation="h",
        marker={"color": colours.size, "line": {"width": 0}},
        error_x=whiskers,
        hovertext=[
            hover(name, value, None if half is None else wide, decimals, floor=0.0, sign=False)
            for name, value, wide in zip(names, lengths, widths, strict=True)
        ],
        hoverinfo="text",
    )
    span = span_of(np.zeros(1), lengths, widths, np.zeros(1))
    write_lengths(figure, lengths, lengths, widths, decimals, sign=False)
    layout_bars(figure, [shortened(name) for name in names], (0.0, padded(span, 0.15)[1]))
    drawn = "" if attribution.background_std_errors is None else " and background"
    over = ["one row"] if n == 1 else [f"{n:,} rows", f"whiskers: 95 % over rows{drawn}"]
    narrow_title(figure, f"mean |attribution| to {words.quantity(attribution, which)}", *over)
    if len(rest):
        largest = words.number(float(means[rest[0]]))
        note(figure, f"{len(rest)} more features, each at most {largest}", dark=dark)
    return figure


def importance_half_widths(attribution: Attribution, output: str | int | None = None) -> np.ndarray:
    """Half the widths of 95 % intervals of ``attribution.importance``, in its order.

    Over the rows and, where it is known, for the choice of background rows; NaN for one row.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = attribution.output_index(output)
    frame = attribution.importance(which)
    over_rows = stats.t.ppf(0.5 + LEVEL / 2, len(attribution) - 1) * frame["std_error"].to_numpy()
    places = [attribution.names.index(name) for name in frame["feature"]]
    half: np.ndarray = np.hypot(over_rows, _background_half(attribution, which)[places])
    return half


def _background_half(attribution: Attribution, which: int) -> np.ndarray:
    """Half widths for the choice of background rows, one per feature; zeros where not known."""
    errors, dof = attribution.background_std_errors, attribution.background_dof
    if errors is None:
        return np.zeros(len(attribution.names))
    tail = 0.5 + LEVEL / 2
    quantile = stats.norm.ppf(tail) if dof is None else stats.t.ppf(tail, dof)
    half: np.ndarray = quantile * errors[:, which]
    return half
