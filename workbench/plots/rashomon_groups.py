"""About which groups of rows equally good models disagree: who bears it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.core.rashomon import RashomonSet, Share
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
    at,
    decided_otherwise,
    explorer_title,
    has_range,
    models_text,
    nothing_sentence,
    tolerance_text,
    widths,
)
from workbench.plots.rows import wrapped
from workbench.plots.theme import palette, template

if TYPE_CHECKING:
    import pandas as pd

GROUP_LETTERS, SMALLEST = 22, 2


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
          f"tolerance {tolerance_text(result, where)}", "whiskers: 95 %")  # fmt: skip
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
        f"tolerance {tolerance_text(result, where)}).{doubt}"
    )


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
