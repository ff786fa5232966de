"""About which rows equally good models disagree: each row, all rows, and groups of rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.rashomon import RashomonSet, Share
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.numerics.intervals import mean_interval, wilson
from workbench.plots import words
from workbench.plots.cohorts import PREDICTION, TRUTH, row_groups
from workbench.plots.layout import (
    NO_ROWS,
    empty,
    layout_bars,
    note,
    padded,
    shortened,
    title,
    whisker_style,
)
from workbench.plots.rashomon_words import (
    At,
    at,
    decided_otherwise,
    explorer_title,
    has_range,
    models_text,
    nothing_sentence,
    widths,
)
from workbench.plots.rows import drawn_rows, sample_note, shade, wrapped
from workbench.plots.theme import palette, template

if TYPE_CHECKING:
    import pandas as pd

HEIGHT, UP_LETTERS, GROUP_LETTERS, ROWS, CURVE_POINTS = 420, 40, 22, 200, 500
SPREADS: Mapping[str, str] = {
    "width": "width of the range",
    "flips": "share of models that decide otherwise",
    "deviation": "standard deviation over models",
    "capacity": "Rashomon capacity",
}
SMALLEST = 2


def rows(
    result: RashomonSet,
    explorer: str | None = None,
    *,
    tolerance: float | None = None,
    output: str | int | None = None,
    count: int = ROWS,
    dark: bool = False,
) -> go.Figure:
    """Draw each row's prediction and the range that equally good models give it.

    Rows stand in the order of the prediction; those that some model decides otherwise have a
    colour of their own. Of more than ``count`` rows a sample is drawn.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, tolerance or output, or ``count`` is below 1.
    """
    which, where = result.output_index(output), at(result, explorer, tolerance)
    if count < 1:
        raise InvalidInputError(f"A strip needs at least 1 row, got {count}.")
    if not len(result):
        return empty(NO_ROWS, dark=dark)
    if not has_range(result, where):
        return empty(nothing_sentence(result, where), dark=dark)
    colours, chosen = palette(dark=dark), drawn_rows(len(result), count)
    order = chosen[np.argsort(result.predictions[chosen, which], kind="stable")]
    otherwise = decided_otherwise(result, where)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    names = {False: "decided alike", True: "decided otherwise by some"}
    for flag, colour in ((False, colours.size), (True, colours.negative)):
        places = np.flatnonzero(otherwise[order] == flag)
        if len(places):
            _add_rows(figure, result, where, which, order, places, colour)
            figure.data[-1].name = names[flag] if result.schema.n_classes else "range"
    if result.schema.task == "binary":
        figure.add_hline(y=0.5, line={"color": colours.text, "width": 1.2, "dash": "dash"})
    figure.update_layout(
        showlegend=bool(result.schema.n_classes),
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
    )
    is_share = bool(result.schema.n_classes)
    figure.update_yaxes(
        title_text=wrapped(words.quantity(result, which), UP_LETTERS), nticks=6,
        **({"range": [-0.03, 1.03]} if is_share else {}),
    )  # fmt: skip
    figure.update_xaxes(showticklabels=False, showgrid=False, range=[-1.5, len(order) + 0.5])
    left = sample_note(len(order), len(result)) or [counted(len(result), "row")]
    title(figure, f"{left[0]}, by prediction", explorer_title(result, where.explorer),
          models_text(result, where), f"tolerance {_tolerance(result, where)}")  # fmt: skip
    return figure


def distribution(
    result: RashomonSet,
    explorer: str | None = None,
    *,
    measure: str = "width",
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw which share of rows is spread at most so far, a curve for each tolerance.

    Of many rows a curve has a point for every 500th part of them.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, measure or output.
    """
    which, e = result.output_index(output), at(result, explorer).explorer
    if measure not in SPREADS:
        raise InvalidInputError(
            f"There is no measure {measure!r}; choose one of {listing(list(SPREADS))}."
        )
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    n = len(result)
    places = np.unique(np.linspace(0, n - 1, min(n, CURVE_POINTS)).round().astype(int))
    share = (places + 1) / max(1, n)
    last = len(result.tolerances) - 1
    for t, tolerance in enumerate(result.tolerances):
        values = np.sort(_spread(result, At(e, t), measure, which))
        if not n or not np.isfinite(values).all():
            continue
        values = values[places]
        figure.add_scatter(
            x=values, y=share, mode="lines", name=f"{words.number(float(tolerance))}",
            line={"color": shade(t / max(1, last), (colours.low, colours.middle, colours.high)),
                  "width": 2, "shape": "hv"},
            hoverinfo="text",
            hovertext=[
                f"tolerance {words.number(float(tolerance))}<br>{percent(float(s))} of rows: at "
                f"most {words.number(float(v))}"
                for s, v in zip(share, values, strict=True)
            ],
        )  # fmt: skip
    if not figure.data:
        return empty(_no_spread(result, At(e, last), measure), dark=dark)
    figure.update_layout(
        showlegend=True,
        legend={"title": {"text": "tolerance"}, "x": 1, "y": 0, "xanchor": "right",
                "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_yaxes(title_text="share of rows", tickformat=".0%", range=[0, 1.03])
    figure.update_xaxes(nticks=6, tickangle=0, rangemode="tozero" if measure != "capacity"
                        else "normal")  # fmt: skip
    what = words.quantity(result, which) if measure in {"width", "deviation"} else ""
    title(figure, SPREADS[measure], *([what] if what else []), explorer_title(result, e),
          models_text(result, At(e, last)))  # fmt: skip
    return figure


@dataclass(frozen=True)
class Groups:
    """How far equally good models disagree about groups of rows.

    Attributes
    ----------
    by
        What makes the groups: a column, ``prediction`` or ``truth``.
    shares
        Of a classification, the share of rows that some equally good model decides otherwise
        (Wilson); of a regression, the mean width of the range (Student's t over rows).
    flips
        Mean share of models that decide otherwise; NaN where it is not known.
    """

    by: str
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    shares: tuple[Share, ...]
    flips: tuple[float, ...]

    def to_frame(self) -> "pd.DataFrame":
        """One line per group: ``group``, ``rows``, ``share``, ``low``, ``high``, ``flips``."""
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        return pd.DataFrame({
            "group": self.names, "rows": self.sizes,
            "share": [share.value for share in self.shares],
            "low": [share.low for share in self.shares],
            "high": [share.high for share in self.shares], "flips": self.flips,
        })  # fmt: skip


def groupings(result: RashomonSet) -> list[str]:
    """List what can make groups, the default first: a protected column, then categories."""
    features = result.schema.features
    order = sorted(
        range(len(features)), key=lambda i: (not features[i].protected, not features[i].categories)
    )
    found = [features[i].name for i in order if len(np.unique(result.data[:, i])) > 1]
    found = found or [features[order[0]].name]
    known = (PREDICTION, True), (TRUTH, bool(np.isfinite(result.truth).any()))
    return found + [name for name, there in known if there and name not in found]


def groups_of(
    result: RashomonSet,
    by: str | None = None,
    *,
    explorer: str | None = None,
    tolerance: float | None = None,
    output: str | int | None = None,
) -> Groups:
    """Count rows by group and say about how many of each equally good models disagree.

    Groups of one row are left out.

    Raises
    ------
    InvalidInputError
        If there is no such explorer, tolerance or output.
    DataError
        If there is no such column.
    """
    which, where = result.output_index(output), at(result, explorer, tolerance)
    by = groupings(result)[0] if by is None else by
    member, labels = row_groups(result, by)
    otherwise, spread = decided_otherwise(result, where), widths(result, where, which)
    names, sizes, shares, flips = [], [], [], []
    for place, label in enumerate(labels):
        inside = member == place
        if (n := int(inside.sum())) < SMALLEST:
            continue
        names.append(label)
        sizes.append(n)
        flips.append(float(result.flips[where][inside].mean()))
        if result.schema.n_classes:
            count = int(otherwise[inside].sum())
            shares.append(Share(count / n, *wilson(count, n)))
        else:
            shares.append(Share(*mean_interval(spread[inside], np.ones(n))))
    return Groups(by, tuple(names), tuple(sizes), tuple(shares), tuple(flips))


def groups(
    result: RashomonSet,
    by: str | None = None,
    *,
    explorer: str | None = None,
    tolerance: float | None = None,
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw for each group of rows how many equally good models decide otherwise, with intervals.

    Raises
    ------
    WorkbenchError
        If there is no such column, explorer, tolerance or output.
    """
    where = at(result, explorer, tolerance)
    if not len(result):
        return empty(NO_ROWS, dark=dark)
    if not has_range(result, where):
        return empty(nothing_sentence(result, where), dark=dark)
    found = groups_of(result, by, explorer=explorer, tolerance=tolerance, output=output)
    if not found.names:
        return empty("No group has 2 rows or more.", dark=dark)
    colours, places = palette(dark=dark), np.arange(len(found.names))
    value, low, high = (np.array(part) for part in zip(*found.shares, strict=True))
    is_share = bool(result.schema.n_classes)
    figure = go.Figure(layout={"template": template(dark=dark)})
    above = np.nan_to_num(high - value)
    figure.add_bar(
        x=value, y=places, orientation="h", width=0.6, hoverinfo="text",
        marker={"color": colours.size, "line": {"width": 0}},
        error_x=whisker_style(above, colours)
        | {"symmetric": False, "arrayminus": np.nan_to_num(value - low)},
        hovertext=[_group_told(found, int(i), is_share=is_share) for i in places],
    )  # fmt: skip
    figure.add_scatter(
        x=value + above, y=places, mode="text", textposition="middle right", cliponaxis=False,
        textfont={"size": 12}, hoverinfo="skip",
        text=[f"\N{NO-BREAK SPACE}{percent(round(float(v), 3)) if is_share else words.number(v)}"
              for v in value],
    )  # fmt: skip
    top = float((value + above).max())
    layout_bars(figure, [f"{shortened(name, GROUP_LETTERS)} ({n:,})" for name, n in
                         zip(found.names, found.sizes, strict=True)],
                (0.0, padded((0.0, top or 1.0), 0.22)[1]))  # fmt: skip
    figure.update_xaxes(nticks=4, tickformat=".0%" if is_share else None)
    what = "decided otherwise by some" if is_share else "mean width of the range"
    title(figure, what, explorer_title(result, where.explorer), models_text(result, where),
          f"tolerance {_tolerance(result, where)}", "whiskers: 95 %")  # fmt: skip
    note(figure, f"by {wrapped(found.by, 40)}", dark=dark)
    return figure


def group_sentence(
    result: RashomonSet,
    by: str | None = None,
    *,
    explorer: str | None = None,
    tolerance: float | None = None,
    output: str | int | None = None,
) -> str:
    """Say which group bears most of the disagreement, and whether groups surely differ.

    Raises
    ------
    WorkbenchError
        If there is no such column, explorer, tolerance or output.
    """
    where = at(result, explorer, tolerance)
    if not len(result):
        return "There are no rows to look at."
    if not has_range(result, where):
        return nothing_sentence(result, where)
    found = groups_of(result, by, explorer=explorer, tolerance=tolerance, output=output)
    if len(found.names) < 2:
        return f"Fewer than two groups by {found.by} have 2 rows or more."
    order = np.argsort([-share.value for share in found.shares], kind="stable")
    most, least = int(order[0]), int(order[-1])
    is_share = bool(result.schema.n_classes)
    said = [
        f"{found.names[i]} ({_interval(found.shares[i], is_share=is_share)})" for i in (most, least)
    ]
    what = (
        "rows that some equally good model decides otherwise are most frequent" if is_share
        else "ranges over equally good models are widest"
    )  # fmt: skip
    apart = found.shares[most].low > found.shares[least].high
    doubt = "" if apart else " The intervals overlap, so the difference may be chance."
    return (
        f"By {found.by}, {what} for {said[0]} and {'least' if is_share else 'narrowest'} for "
        f"{said[1]} ({explorer_title(result, where.explorer)}, {models_text(result, where)}, "
        f"tolerance {_tolerance(result, where)}).{doubt}"
    )


def _add_rows(
    figure: go.Figure, result: RashomonSet, where: At, which: int, order: np.ndarray,
    places: np.ndarray, colour: str,
) -> None:  # fmt: skip
    """Draw ranges as upright bars and predictions as points."""
    chosen = order[places]
    value = result.predictions[chosen, which]
    low, high = result.low[where][chosen, which], result.high[where][chosen, which]
    figure.add_scatter(
        x=places, y=value, mode="markers", marker={"color": colour, "size": 5}, hoverinfo="text",
        error_y={"type": "data", "symmetric": False, "array": high - value,
                 "arrayminus": value - low, "color": colour, "thickness": 1.6, "width": 0},
        hovertext=[_row_told(result, where, which, int(i)) for i in chosen],
        customdata=chosen,
    )  # fmt: skip


def _row_told(result: RashomonSet, where: At, which: int, row: int) -> str:
    number = words.number
    low, high = result.low[where][row, which], result.high[where][row, which]
    lines = [
        f"<b>row {result.ids[row]}</b>",
        f"prediction {number(float(result.predictions[row, which]))}",
        f"equally good models: {number(float(low))} to {number(float(high))}",
    ]
    if np.isfinite(result.flips[where][row]):
        lines.append(f"{percent(float(result.flips[where][row]))} decide otherwise")
    return "<br>".join(lines)


def _spread(result: RashomonSet, where: At, measure: str, which: int) -> np.ndarray:
    if measure == "width":
        return widths(result, where, which)
    found: np.ndarray = {
        "flips": result.flips[where], "capacity": result.capacity[where],
        "deviation": result.deviation[where][:, which],
    }[measure]  # fmt: skip
    return found


def _no_spread(result: RashomonSet, where: At, measure: str) -> str:
    if not len(result):
        return NO_ROWS
    if not has_range(result, where):
        return nothing_sentence(result, where)
    return f"{explorer_title(result, where.explorer)} knows no {SPREADS[measure]}."


def _group_told(found: Groups, i: int, *, is_share: bool) -> str:
    lines = [
        f"<b>{wrapped(found.names[i], 60)}</b>", counted(found.sizes[i], "row"),
        _interval(found.shares[i], is_share=is_share),
    ]  # fmt: skip
    if np.isfinite(found.flips[i]):
        lines.append(f"on average {percent(round(found.flips[i], 3))} of models decide otherwise")
    return "<br>".join(lines)


def _interval(share: Share, *, is_share: bool) -> str:
    value, low, high = (
        percent(round(part, 3)) if is_share else words.number(part) for part in share
    )
    return value if np.isnan(share.low) else f"{value}, 95 %: {low} to {high}"


def _tolerance(result: RashomonSet, where: At) -> str:
    return words.number(float(result.tolerances[where.tolerance]))
