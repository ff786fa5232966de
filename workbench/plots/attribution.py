"""Three views of an attribution: one row, all rows together, and every row as a point.

The figures order and lay out what the result already holds; they compute no explanation. Names
and categories come from a user's file, and plotly renders a subset of HTML: everything a user
wrote is escaped where it enters a figure.
"""

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from workbench.core.counter_rng import stream
from workbench.core.errors import InvalidInputError
from workbench.core.results import LEVEL, Attribution
from workbench.core.schema import Feature
from workbench.plots import words
from workbench.plots.theme import Palette, escaped, palette, template

BAR_HEIGHT = 30
SWARM_HEIGHT = 40
FRAME_HEIGHT = 120
# Letters after which a label is cut; the whole text is in the hover.
LABEL_LENGTH = 36
TITLE_LENGTH = 48
LINE_LENGTH = 36
# Points after which a browser is slow with SVG.
SVG_POINTS = 1500
# Slices along the axis within which the beeswarm counts neighbours.
SWARM_SLICES = 80


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
    _check_bars(max_features)
    if not len(attribution):
        return _empty(dark=dark)
    if not 0 <= row < len(attribution):
        raise InvalidInputError(
            f"There is no row {row} in this result; the last one is {len(attribution) - 1}."
        )
    values = attribution.values[row, :, which]
    half = attribution.uncertainty()[row, :, which]
    order = np.argsort(-np.abs(values), kind="stable")
    shown, rest = _cut(order, max_features)
    full = [words.feature_is(attribution, row, int(i)) for i in shown]
    labels = [
        _label(attribution.schema.features[i], float(attribution.data[row, i])) for i in shown
    ]
    lengths, whiskers = values[shown], half[shown]
    if len(rest):
        full.append(f"{len(rest)} other features")
        labels.append(full[-1])
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
    positions = np.arange(len(labels))
    decimals = words.decimals_for(float(np.abs(lengths).max()))
    figure.add_bar(
        x=lengths,
        base=starts,
        y=positions,
        width=0.72,
        orientation="h",
        marker={"color": [_sign_colour(v, colours) for v in lengths], "line": {"width": 0}},
        error_x=_whiskers(whiskers, colours) if sources else None,
        hovertext=[
            _hover(name, value, wide if sources else None, decimals)
            for name, value, wide in zip(full, lengths, whiskers, strict=True)
        ],
        hoverinfo="text",
    )
    _connect(figure, ends, colours)
    span = _span(starts, ends, whiskers, np.array([base, prediction]))
    _write_lengths(figure, lengths, ends, whiskers, decimals)
    _mark(figure, base, f"base value {words.number(base)}", span, level=0, dark=dark)
    said = f"prediction {words.amount(attribution, prediction)}"
    _mark(figure, prediction, said, span, level=1, dark=dark)
    _bars_layout(figure, labels, _padded(span, 0.15))
    meaning = "base value: background mean"
    interval = [f"whiskers: 95 %, {sources}"] if sources else []
    _title(figure, words.quantity(attribution, which), meaning, *interval)
    figure.update_layout(margin={"t": 60, "r": 48})  # two lines of text above the bars
    return figure


def bar(
    attribution: Attribution,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw the mean absolute attribution of each feature, largest first.

    Whiskers are 95 % intervals of that mean over the rows (Student's t), so they say how far
    other rows of the same kind could move it; a single row has none.

    Raises
    ------
    InvalidInputError
        If there is no such output or ``max_features`` is below 1.
    """
    which = attribution.output_index(output)
    _check_bars(max_features)
    n = len(attribution)
    if not n:
        return _empty(dark=dark)
    frame = attribution.importance(which)
    shown, rest = _cut(frame.index.to_numpy(), max_features)
    means = frame["importance"].to_numpy()
    half: np.ndarray | None = None
    if n > 1:
        half = stats.t.ppf(0.5 + LEVEL / 2, n - 1) * frame["std_error"].to_numpy()[shown]
    colours = palette(dark=dark)
    names = [str(name) for name in frame["feature"].iloc[shown]]
    decimals = words.decimals_for(float(means.max()))
    lengths = means[shown]
    widths = np.zeros_like(lengths) if half is None else half

    figure = go.Figure(layout={"template": template(dark=dark)})
    whiskers = None
    if half is not None:
        # A mean of absolute values is never negative, so neither is its whisker.
        whiskers = _whiskers(half, colours) | {
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
            _hover(name, value, None if half is None else wide, decimals, floor=0.0, sign=False)
            for name, value, wide in zip(names, lengths, widths, strict=True)
        ],
        hoverinfo="text",
    )
    span = _span(np.zeros(1), lengths, widths, np.zeros(1))
    _write_lengths(figure, lengths, lengths, widths, decimals, sign=False)
    _bars_layout(figure, [_short(name) for name in names], (0.0, _padded(span, 0.15)[1]))
    over = ["one row"] if n == 1 else [f"{n:,} rows", "whiskers: 95 % over rows"]
    _title(figure, f"mean |attribution| to {words.quantity(attribution, which)}", *over)
    if len(rest):
        largest = words.number(float(means[rest[0]]))
        _note(figure, f"{len(rest)} more features, each at most {largest}", dark=dark)
    return figure


def beeswarm(
    attribution: Attribution,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    max_rows: int = 5000,
    webgl: bool = True,
    dark: bool = False,
) -> go.Figure:
    """Draw every row as a point: its attribution across, its feature value as colour.

    Points that would cover each other are moved up and down, the same way each time. The colour
    is the rank of the value among the rows drawn; of two categories, which one; grey where the
    value is missing or one of several categories, which have no order. Faint bars are 95 %
    sampling intervals.

    Parameters
    ----------
    max_rows
        Above it, as many rows drawn at random (always the same) are shown, and the figure says so.
    webgl
        Whether more than 1,500 points are drawn by WebGL, which keeps a browser quick; a page that
        allows no generated code cannot use it.

    Raises
    ------
    InvalidInputError
        If there is no such output, or ``max_features`` or ``max_rows`` is below 1.
    """
    which = attribution.output_index(output)
    _check_bars(max_features)
    if max_rows < 1:
        raise InvalidInputError(f"A beeswarm needs at least 1 row, got {max_rows}.")
    n = len(attribution)
    if not n:
        return _empty(dark=dark)
    names = attribution.importance(which)["feature"]
    shown, rest = _cut(np.array([attribution.names.index(name) for name in names]), max_features)
    notes = [f"{len(rest)} more features are not shown"] if len(rest) else []
    if n > max_rows:
        attribution = attribution[np.sort(stream(0).permutation(n)[:max_rows])]
        notes.insert(0, f"{max_rows:,} of {n:,} rows, drawn at random")
    values = attribution.values[:, shown, which]
    half = attribution.half_widths()[:, shown, which]
    span = _span(values - half, values + half, np.zeros(1), np.zeros(1))
    figure = go.Figure(layout={"template": template(dark=dark)})
    draw = go.Scattergl if webgl and values.size > SVG_POINTS else go.Scatter
    _add_points(figure, attribution, shown, which, span, draw=draw, dark=dark)
    figure.add_vline(x=0, line={"color": palette(dark=dark).muted, "width": 1}, layer="below")
    labels = [_short(attribution.names[i]) for i in shown]
    _bars_layout(figure, labels, _padded(span, 0.04), each=SWARM_HEIGHT)
    interval = [] if attribution.std_errors is None else ["faint bars: 95 %"]
    said = f"attribution to {words.quantity(attribution, which)}"
    _title(figure, said, "a point per row", *interval)
    if notes:
        _note(figure, "; ".join(notes), dark=dark)
    return figure


def _check_bars(max_features: int) -> None:
    if max_features < 1:
        raise InvalidInputError(f"A figure needs at least 1 feature, got {max_features}.")


def _cut(order: np.ndarray, max_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Split features into those with a bar and the rest; a rest of one gets its own bar."""
    keep = len(order) if len(order) <= max_features + 1 else max_features
    return order[:keep], order[keep:]


def _short(text: str, length: int = LABEL_LENGTH) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _label(feature: Feature, value: float) -> str:
    """``name = value``, where name and value each have at least half of the room."""
    room = LABEL_LENGTH - len(" = ")
    shown = _short(feature.show(value), max(room // 2, room - len(feature.name)))
    return f"{_short(feature.name, room - len(shown))} = {shown}"


def _sign_colour(value: float, colours: Palette) -> str:
    return colours.positive if value >= 0 else colours.negative


def _whiskers(half: np.ndarray, colours: Palette) -> dict[str, object]:
    return {"type": "data", "array": half, "color": colours.whisker, "thickness": 1.2, "width": 4}


def _hover(
    name: str,
    value: float,
    half: float | None,
    decimals: int,
    *,
    floor: float = -np.inf,
    sign: bool = True,
) -> str:
    def show(x: float) -> str:
        return words.signed(x, decimals + 1) if sign else f"{x:,.{decimals + 1}f}"

    lines = [f"<b>{escaped(name)}</b>", show(value)]
    if half is not None:
        lines.append(f"95 %: {show(max(floor, value - half))} to {show(value + half)}")
    return "<br>".join(lines)


def _span(
    starts: np.ndarray, ends: np.ndarray, half: np.ndarray, marks: np.ndarray
) -> tuple[float, float]:
    """Smallest and largest number drawn; never of zero width."""
    low = float(min(starts.min(), (ends - half).min(), marks.min()))
    high = float(max(starts.max(), (ends + half).max(), marks.max()))
    if high > low:
        return low, high
    return low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2


def _padded(span: tuple[float, float], share: float) -> tuple[float, float]:
    room = share * (span[1] - span[0])
    return span[0] - room, span[1] + room


def _write_lengths(
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


def _bars_layout(
    figure: go.Figure,
    labels: list[str],
    x_range: tuple[float, float],
    each: int = BAR_HEIGHT,
) -> None:
    figure.update_layout(height=FRAME_HEIGHT + each * len(labels))
    figure.update_xaxes(range=list(x_range), nticks=6, tickangle=0)
    # Positions, not names, are the coordinate: two names cut alike must not fall together.
    figure.update_yaxes(
        range=[len(labels) - 0.4, -0.6],
        tickvals=list(range(len(labels))),
        ticktext=[escaped(label) for label in labels],
        showgrid=False,
        ticks="",
        ticklabelstandoff=6,
    )


def _title(figure: go.Figure, *parts: str) -> None:
    """Name the axis, its parts on as many lines as a narrow window needs."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < LINE_LENGTH:
            lines[-1] = f"{lines[-1]}; {part}"
        else:
            lines.append(_short(part, TITLE_LENGTH))
    figure.update_xaxes(title_text="<br>".join(escaped(line) for line in lines))


def _note(figure: go.Figure, text: str, *, dark: bool) -> None:
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


def _empty(*, dark: bool) -> go.Figure:
    figure = go.Figure(layout={"template": template(dark=dark), "height": FRAME_HEIGHT})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        text="No rows to show: choose at least one row and run again.",
        showarrow=False,
        font={"color": palette(dark=dark).muted},
    )
    return figure


def _add_points(
    figure: go.Figure,
    attribution: Attribution,
    shown: np.ndarray,
    which: int,
    span: tuple[float, float],
    *,
    draw: type[go.Scatter | go.Scattergl],
    dark: bool,
) -> None:
    """Add the points of the beeswarm: one trace with colours, one in grey for no place in them."""
    n, m = len(attribution), len(shown)
    values = attribution.values[:, shown, which]
    half = attribution.half_widths()[:, shown, which]
    y = np.arange(m) + np.stack([_jitter(values[:, j], span) for j in range(m)], axis=1)
    ranks = np.stack(
        [_rank(attribution.schema.features[i], attribution.data[:, i]) for i in shown], axis=1
    )
    decimals = words.decimals_for(float(np.abs(values).max()))
    sampled = attribution.std_errors is not None
    hover = np.array([
        [
            f"row {attribution.ids[r]}<br>"
            + _hover(words.feature_is(attribution, r, int(i)), values[r, j],
                     half[r, j] if sampled else None, decimals)
            for j, i in enumerate(shown)
        ]
        for r in range(n)
    ])  # fmt: skip
    colours = palette(dark=dark)
    scale = {"colorscale": colours.scale, "cmin": 0, "cmax": 1, "colorbar": _colour_bar(colours)}
    known = ~np.isnan(ranks)
    for points, marker in (
        (~known, {"color": colours.missing}),
        (known, {"color": ranks[known], **scale}),
    ):
        if not points.any():
            continue
        errors = {"type": "data", "array": half[points], "color": colours.haze, "thickness": 1,
                  "width": 0}  # fmt: skip
        figure.add_trace(
            draw(
                x=values[points],
                y=y[points],
                mode="markers",
                marker={"size": 6, "opacity": 0.85, **marker},
                error_x=errors if sampled else None,
                hovertext=hover[points],
                hoverinfo="text",
            )
        )


def _colour_bar(colours: Palette) -> dict[str, object]:
    return {
        "title": {
            "text": "feature value",
            "side": "right",
            "font": {"color": colours.muted, "size": 12},
        },
        "tickvals": [0, 1],
        "ticktext": ["low", "high"],
        "tickfont": {"color": colours.muted},
        "thickness": 10,
        "outlinewidth": 0,
        "len": 0.9,
    }


def _rank(feature: Feature, values: np.ndarray) -> np.ndarray:
    """Place each value between 0 and 1: a number by its rank, one of two categories by its code."""
    if feature.kind == "categorical":
        return values if len(feature.categories) <= 2 else np.full(len(values), np.nan)
    known = ~np.isnan(values)
    ranks = np.full(len(values), np.nan)
    ordered = stats.rankdata(values[known])
    # Equal values share a colour; a single value gets the middle.
    ranks[known] = (ordered - 0.5) / max(1, len(ordered))
    return ranks


def _jitter(values: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    """Spread points that share a slice of the axis: 0, up, down, further up, further down …

    Full height is used by the fullest slice only, so height shows density; a sparse feature stays
    on its line.
    """
    slices = ((values - span[0]) / (span[1] - span[0]) * SWARM_SLICES).astype(int)
    order = np.argsort(slices, kind="stable")
    start = np.searchsorted(slices[order], slices[order], side="left")
    place = np.empty(len(values), dtype=int)
    place[order] = np.arange(len(values)) - start
    steps = (place + 1) // 2 * np.where(place % 2, 1, -1)
    return 0.38 * steps / max(6, int(np.abs(steps).max()))
