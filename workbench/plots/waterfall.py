"""One row of an attribution, from the base value to its prediction."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.results import Attribution
from workbench.plots import words
from workbench.plots.layout import (
    check_bars,
    check_row,
    condition,
    cut,
    empty,
    hover,
    layout_stacked,
    narrow_title,
    padded,
    span_of,
    whisker_style,
    write_lengths,
)
from workbench.plots.theme import Palette, palette, template

# What the base value is where it is no mean over the background rows, by value function.
BASE_MEANS = {
    "baseline": "reference row",
    "gaussian": "mean of the draws",
    "neighbours": "background mean (unknown features from similar rows)",
    "conditional": "no feature known",
}


def waterfall(
    attribution: Attribution,
    row: int = 0,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw how the features carry one row from the base value to its prediction.

    Read from the top: the first bar starts at the base value, each bar starts where the one above
    ends, and the last ends at the prediction when the attribution is additive. Whiskers at the
    bars' ends are 95 % intervals of the single attribution, from sampled coalitions and from the
    choice of background rows, as far as they are known.

    Parameters
    ----------
    row
        Position of the row in the result, not its number in the file.
    output
        Name or position of the output; the favourable one by default.
    max_features
        Bars for single features, largest first; the others are added up in one more bar.

    Raises
    ------
    InvalidInputError
        If there is no such row or output, or ``max_features`` is below 1.
    """
    which = attribution.output_index(output)
    check_bars(max_features)
    if not len(attribution):
        return empty(dark=dark)
    check_row(attribution, row)
    values = attribution.values[row, :, which]
    half = attribution.uncertainty()[row, :, which]
    order = np.argsort(-np.abs(values), kind="stable")
    shown, rest = cut(order, max_features)
    full = [words.feature_is(attribution, row, int(i)) for i in shown]
    lengths, whiskers = values[shown], half[shown]
    if len(rest):
        full.append(f"{len(rest)} other features")
        lengths = np.append(lengths, values[rest].sum())
        # As if the errors were independent. The result holds no covariances; as an efficient
        # estimate's errors add up to zero over the features, they lean towards cancelling, so
        # this whisker is rather too wide than too narrow.
        whiskers = np.append(whiskers, np.sqrt(np.square(half[rest]).sum()))
    base = float(attribution.base_values[row, which])
    ends = base + np.cumsum(lengths)
    starts = ends - lengths
    prediction = float(attribution.predictions[row, which])
    colours = palette(dark=dark)
    sources = " and ".join(attribution.sources_of_error)

    figure = go.Figure(layout={"template": template(dark=dark)})
    positions = np.arange(len(full))
    decimals = words.decimals_for(float(np.abs(lengths).max()))
    figure.add_bar(
        x=lengths,
        base=starts,
        y=positions,
        width=0.72,
        orientation="h",
        marker={"color": [_sign_colour(v, colours) for v in lengths], "line": {"width": 0}},
        error_x=whisker_style(whiskers, colours) if sources else None,
        hovertext=[
            hover(name, value, wide if sources else None, decimals)
            for name, value, wide in zip(full, lengths, whiskers, strict=True)
        ],
        hoverinfo="text",
    )
    _connect(figure, ends, colours)
    span = span_of(starts, ends, whiskers, np.array([base, prediction]))
    write_lengths(figure, lengths, ends, whiskers, decimals)
    _mark(figure, base, f"base value {words.number(base)}", span, level=0, dark=dark)
    said = f"prediction {words.amount(attribution, prediction)}"
    _mark(figure, prediction, said, span, level=1, dark=dark)
    layout_stacked(figure, [condition(label) for label in full], padded(span, 0.15))
    value = str(attribution.provenance.params.get("value"))
    meaning = f"base value: {BASE_MEANS.get(value, 'background mean')}"
    interval = [f"whiskers: 95 %, {sources}"] if sources else []
    narrow_title(figure, words.quantity(attribution, which), meaning, *interval)
    figure.update_layout(margin={"t": 60, "r": 48})  # two lines of text above the bars
    return figure


def _sign_colour(value: float, colours: Palette) -> str:
    return colours.positive if value >= 0 else colours.negative


def _connect(figure: go.Figure, ends: np.ndarray, colours: Palette) -> None:
    """Draw thin lines from the end of each bar to the start of the next."""
    # One trace with breaks: x = end, end, gap and y = this bar, the next bar, gap.
    x = np.repeat(ends[:-1], 3)
    y = np.repeat(np.arange(len(ends) - 1, dtype=float), 3)
    y[1::3] += 1
    x[2::3] = y[2::3] = np.nan
    line = {"color": colours.muted, "width": 1}
    figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", connectgaps=False)


def _mark(
    figure: go.Figure, x: float, text: str, span: tuple[float, float], *, level: int, dark: bool
) -> None:
    """Draw a labelled vertical line; the label leans inwards, so that the edge does not cut it.

    Labels on different levels cannot run into each other, however close their lines are.
    """
    colours = palette(dark=dark)
    figure.add_vline(x=x, line={"color": colours.muted, "width": 1, "dash": "dot"}, layer="below")
    figure.add_annotation(
        x=x,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor="left" if 2 * x < sum(span) else "right",
        yshift=16 * level,
        text=text,
        showarrow=False,
        font={"color": colours.muted, "size": 12},
    )
