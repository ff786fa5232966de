"""Explanations across equally good models: ranges of a row, of importances, and of orders."""

from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go

from workbench.core.attribution_range import TOP
from workbench.core.errors import InvalidInputError
from workbench.core.results import AttributionRange
from workbench.core.schema import listing
from workbench.core.wording import counted
from workbench.plots import words
from workbench.plots.layout import (
    LABEL_LENGTH,
    check_bars,
    check_row,
    cut,
    empty,
    layout_bars,
    note,
    padded,
    shortened,
    title,
)
from workbench.plots.theme import Palette, escaped, palette, template

# Of each line: where its thick and its thin interval lie, how thick, and how high it is.
THICK, THIN, BAR, LINE_HEIGHT = -0.14, 0.2, 0.3, 44
RANGE_BAR, MIDDLE_BAR, RANK_HEIGHT = 0.1, 0.42, 32
FLIPS = "sign flips"
NOTHING = "No equally good model was found: allow a larger tolerance."
BINS, HEIGHT = 20, 340
Measure = Literal["order", "top"]
MEASURES: tuple[Measure, ...] = get_args(Measure)


def interval(
    ranges: AttributionRange,
    row: int = 0,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw for each feature how far equally good models differ, beside what sampling leaves open.

    The thick bar runs over all models, the given one included; the mark is the given model's
    value, and the thin line its 95 % interval. A feature that speaks for the output in one model
    and against it in another, each beyond its own sampling error, has the colour of a warning and
    says so.

    Parameters
    ----------
    row
        Position of the row in the result, not its number in the file.

    Raises
    ------
    InvalidInputError
        If there is no such row or output, or ``max_features`` is below 1.
    """
    which = ranges.output_index(output)
    check_bars(max_features)
    if not len(ranges) or not ranges.n_models:
        return empty(NOTHING, dark=dark) if len(ranges) else empty(dark=dark)
    check_row(ranges, row)
    one, colours = ranges[row], palette(dark=dark)
    low, high = (end[0] for end in one.span(which))
    values, half = one.given_values[0, :, which], one.given.uncertainty()[0, :, which]
    size = np.maximum(np.abs(low), np.abs(high))
    shown, rest = cut(np.argsort(-size, kind="stable"), max_features)
    flips = one.flips(which, least=words.WORTH_A_WORD)[0, shown]
    decimals, at = words.decimals_for(float(size.max())), np.arange(len(shown))
    against = one.opposed(which)[0]
    hovers = [
        _interval_hover(
            words.feature_is(one, 0, i), float(values[i]), float(half[i]),
            (float(low[i]), float(high[i])),
            f"{against[i]} of {one.n_models} with the other sign", decimals,
        )
        for i in shown
    ]  # fmt: skip
    figure = go.Figure(layout={"template": template(dark=dark)})
    _add_spans(
        figure, low[shown], high[shown], at + THICK, BAR, hovers,
        [colours.negative if flipped else colours.size for flipped in flips],
    )  # fmt: skip
    _add_marks(figure, values[shown], at + THIN, hovers, colours, half[shown])
    ends = np.maximum(high, values + half)[shown], np.minimum(low, values - half)[shown]
    _write(figure, ends[0], [FLIPS if flipped else "" for flipped in flips], colours.negative)
    room = padded((min(0.0, float(ends[1].min())), max(0.0, float(ends[0].max()))), 0.06)
    wide = 0.28 * (room[1] - room[0]) if flips.any() else 0.0
    labels = [shortened(words.feature_is(one, 0, i), LABEL_LENGTH) for i in shown]
    layout_bars(figure, labels, (room[0], room[1] + wide), LINE_HEIGHT)
    _zero(figure, colours)
    title(
        figure, f"attribution to {words.quantity(ranges, which)}", f"row {one.ids[0]}",
        f"bar: {counted(ranges.n_models, 'equally good model')}",
        "mark: this model", _sources(ranges),
    )  # fmt: skip
    _remark(figure, size, rest, dark=dark)
    return figure


def importance(
    ranges: AttributionRange,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw how far the mean absolute attribution of each feature differs over equally good models.

    The thin bar runs from the least to the greatest, the thick one over the middle half of the
    models; the mark is the given model. Behind it stands which rank a feature takes.

    Raises
    ------
    InvalidInputError
        If there is no such output or ``max_features`` is below 1.
    """
    which = ranges.output_index(output)
    check_bars(max_features)
    if not len(ranges) or not ranges.n_models:
        return empty(NOTHING, dark=dark) if len(ranges) else empty(dark=dark)
    frame, colours = ranges.importance(which), palette(dark=dark)
    size = frame["high"].to_numpy()
    shown, rest = cut(np.arange(len(frame)), max_features)
    part = frame.iloc[shown]
    low, q25, q75, high, own = (
        part[name].to_numpy() for name in ("low", "q25", "q75", "high", "importance")
    )
    decimals, at = words.decimals_for(float(size.max())) + 1, np.arange(len(part))
    ranks = [_ranks(best, worst) for best, worst in zip(
        part["best_rank"], part["worst_rank"], strict=True
    )]  # fmt: skip
    hovers = [
        f"<b>{escaped(str(name))}</b><br>this model: {value:,.{decimals}f}"
        f"<br>equally good models: {least:,.{decimals}f} to {most:,.{decimals}f}<br>{rank}"
        for name, value, least, most, rank in zip(
            part["feature"], own, low, high, ranks, strict=True
        )
    ]
    figure = go.Figure(layout={"template": template(dark=dark)})
    ink = [colours.size] * len(part)
    _add_spans(figure, low, high, at, RANGE_BAR, hovers, ink)
    _add_spans(figure, q25, q75, at, MIDDLE_BAR, hovers, ink)
    _add_marks(figure, own, at, hovers, colours)
    _write(figure, high, ranks, colours.muted)
    labels = [shortened(str(name), LABEL_LENGTH) for name in part["feature"]]
    layout_bars(figure, labels, (0.0, padded((0.0, float(size.max())), 0.35)[1]), RANK_HEIGHT)
    title(
        figure, f"mean |attribution| to {words.quantity(ranges, which)}",
        counted(len(ranges), "row"), f"bars: {counted(ranges.n_models, 'equally good model')}",
        "thick: their middle half", "mark: this model",
    )  # fmt: skip
    _remark(figure, size, rest, dark=dark)
    return figure


def stability(
    ranges: AttributionRange,
    *,
    output: str | int | None = None,
    measure: Measure = "order",
    dark: bool = False,
) -> go.Figure:
    """Draw for how many rows equally good models keep the order of the features.

    Bars count rows by the mean over the models, the line by the model that keeps least. Of one
    row, bars count models.

    Parameters
    ----------
    measure
        ``order``: Spearman's rank correlation of the sizes with the given model's; ``top``: the
        share of its three strongest features that are among a model's.

    Raises
    ------
    InvalidInputError
        If there is no such output or measure.
    """
    which = ranges.output_index(output)
    if measure not in MEASURES:
        raise InvalidInputError(
            f"There is no measure {measure!r}; choose one of {listing(MEASURES)}."
        )
    if not len(ranges) or not ranges.n_models:
        return empty(NOTHING, dark=dark) if len(ranges) else empty(dark=dark)
    top = min(TOP, len(ranges.names))
    found = ranges.rank_stability(which, top)
    each = found.agreement if measure == "order" else found.kept  # (m, n)
    each = each[:, ~np.isnan(each).any(0)]
    if not each.size:
        return empty("All features are of equal size, so they have no order.", dark=dark)
    one, colours = each.shape[1] == 1, palette(dark=dark)
    said = (
        "rank correlation with this model" if measure == "order"
        else f"share of the {counted(top, 'strongest feature')} kept"
    )  # fmt: skip
    counts = each[:, 0] if one else each.mean(0)
    edges = np.linspace(min(0.0, float(each.min())), 1.0, BINS + 1)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    what = "model" if one else "row"
    _add_counts(figure, counts, edges, what, colours)
    if not one:
        _add_outline(figure, each.min(0), edges, colours)
    figure.update_yaxes(title_text=f"{what}s", rangemode="tozero", nticks=5)
    figure.update_xaxes(range=[edges[0], 1.0], nticks=6, tickangle=0)
    models = counted(ranges.n_models, "equally good model")
    over = ["bars: mean over them", "line: the worst of them"]
    if one:
        over = ["each bar counts models"]
    title(figure, said, f"{words.quantity(ranges, which)}", models, *over)
    return figure


def _add_spans(
    figure: go.Figure, low: np.ndarray, high: np.ndarray, at: np.ndarray, width: float,
    hovers: list[str], ink: list[str],
) -> None:  # fmt: skip
    """Draw bars from one number to another; one without width is still a line."""
    figure.add_bar(
        x=high - low, base=low, y=at, width=width, orientation="h", hovertext=hovers,
        marker={"color": ink, "line": {"width": 1, "color": ink}}, hoverinfo="text",
    )  # fmt: skip
    figure.update_layout(barmode="overlay")


def _add_marks(
    figure: go.Figure, values: np.ndarray, at: np.ndarray, hovers: list[str], colours: Palette,
    half: np.ndarray | None = None,
) -> None:  # fmt: skip
    """Mark what the given model says, with its own interval where there is one."""
    line = {"type": "data", "array": half, "color": colours.whisker, "thickness": 1.4, "width": 4}
    figure.add_scatter(
        x=values, y=at, mode="markers", hovertext=hovers, hoverinfo="text",
        marker={"symbol": "diamond", "size": 9, "color": colours.whisker,
                "line": {"width": 1.2, "color": colours.surface}},
        error_x=None if half is None or not half.any() else line,
    )  # fmt: skip


def _write(figure: go.Figure, ends: np.ndarray, texts: list[str], ink: str) -> None:
    """Write behind the end of each line."""
    figure.add_scatter(
        x=ends, y=np.arange(len(ends)), mode="text", cliponaxis=False, hoverinfo="skip",
        text=[f"\N{NO-BREAK SPACE}{text}\N{NO-BREAK SPACE}" for text in texts],
        textposition="middle right", textfont={"size": 12, "color": ink},
    )  # fmt: skip


def _zero(figure: go.Figure, colours: Palette) -> None:
    figure.add_shape(
        type="line", x0=0, x1=0, y0=0, y1=1, yref="paper", layer="below",
        line={"color": colours.muted, "width": 1.2},
    )  # fmt: skip


def _add_counts(
    figure: go.Figure, values: np.ndarray, edges: np.ndarray, what: str, colours: Palette
) -> None:
    counts, _ = np.histogram(values, edges)
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2, y=counts, width=np.diff(edges) * 0.92, hoverinfo="text",
        marker={"color": colours.size, "line": {"width": 0}},
        hovertext=[
            f"{low:.2f} to {high:.2f}<br>{counted(int(count), what)}"
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ],
    )  # fmt: skip


def _add_outline(
    figure: go.Figure, values: np.ndarray, edges: np.ndarray, colours: Palette
) -> None:
    """Draw counts as a line in steps."""
    counts, _ = np.histogram(values, edges)
    figure.add_scatter(
        x=edges, y=np.append(counts, counts[-1]), mode="lines", hoverinfo="skip",
        line={"color": colours.negative, "width": 2, "shape": "hv"},
    )  # fmt: skip


def _interval_hover(
    name: str, value: float, half: float, ends: tuple[float, float], signs: str, decimals: int
) -> str:
    """Write the value, both intervals and the signs, as a mouse finds them."""

    def show(x: float) -> str:
        return words.signed(x, decimals + 1)

    lines = [
        f"<b>{escaped(name)}</b>",
        f"this model: {show(value)}",
        f"equally good models: {show(ends[0])} to {show(ends[1])}",
        signs,
    ]
    if half > 0:
        lines.insert(2, f"95 %: {show(value - half)} to {show(value + half)}")
    return "<br>".join(lines)


def _ranks(best: int, worst: int) -> str:
    return f"rank {best}" if best == worst else f"rank {best} to {worst}"


def _sources(ranges: AttributionRange) -> str:
    """Name what the sampling interval is about; nothing where no error is known."""
    sources = ranges.given.sources_of_error
    return f"line: 95 %, {' and '.join(sources)}" if sources else "its sampling error is not known"


def _remark(figure: go.Figure, size: np.ndarray, rest: np.ndarray, *, dark: bool) -> None:
    if len(rest):
        largest = words.number(float(size[rest].max()))
        note(figure, f"{counted(len(rest), 'more feature')}, each at most {largest}", dark=dark)
