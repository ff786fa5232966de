"""What matters for one group of rows beside what matters for another."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from workbench.core.errors import InvalidInputError
from workbench.core.results import LEVEL, Attribution, RashomonSet
from workbench.core.schema import Feature, listing
from workbench.numerics.group_tests import holm, welch_p
from workbench.plots import words
from workbench.plots.feature_axis import MISSING, top_groups
from workbench.plots.layout import (
    NO_ROWS,
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
)
from workbench.plots.rows import SYMBOLS
from workbench.plots.theme import Palette, escaped, palette, template

if TYPE_CHECKING:
    import pandas as pd

Measure = Literal["size", "mean"]
MEASURES: tuple[Measure, ...] = ("size", "mean")
# Groups that no column makes; a column of that name goes first.
PREDICTION = "prediction"
TRUTH = "truth"
# Groups made of a column: of a number its quarters, of categories the most frequent.
QUARTERS = 4
NAMED = 4
SMALLEST = 2
FALSE_ALARMS = 0.05
LETTERS = 22
FEW = "No groups to compare: fewer than two groups by {by} have 2 rows or more."


@dataclass(frozen=True)
class Cohorts:
    """Groups of rows, and their mean attributions.

    Attributes
    ----------
    by
        What makes the groups: a column, ``prediction`` or ``truth``.
    names, sizes
        Of each group, and how many rows it has.
    means, half_widths
        Per group and feature; half widths of 95 % intervals over rows (Student's t).
    p
        Per feature, the p-value of all groups having one mean (Welch, adjusted by Holm).
    """

    by: str
    measure: Measure
    features: tuple[str, ...]
    names: tuple[str, ...]
    sizes: np.ndarray
    means: np.ndarray
    half_widths: np.ndarray
    p: np.ndarray

    @property
    def differs(self) -> np.ndarray:
        """Features whose groups differ by more than chance, at 5 % for all features together."""
        different: np.ndarray = self.p < FALSE_ALARMS
        return different

    def to_frame(self) -> "pd.DataFrame":
        """One line per feature and group.

        Columns: ``feature``, ``group``, ``rows``, ``mean`` (of sizes or of values, as asked),
        ``low`` and ``high`` (95 % over rows), ``p`` (of no difference between the groups).
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        k, d = self.means.shape
        return pd.DataFrame({
            "feature": np.repeat(np.array(self.features, dtype=object), k),
            "group": np.tile(np.array(self.names, dtype=object), d),
            "rows": np.tile(self.sizes, d),
            "mean": self.means.T.ravel(),
            "low": (self.means - self.half_widths).T.ravel(),
            "high": (self.means + self.half_widths).T.ravel(),
            "p": np.repeat(self.p, k),
        })


def groupings_of(attribution: Attribution) -> list[str]:
    """List what can make groups, the default first.

    The default is a protected column, else the most important one; ``prediction`` and ``truth``
    stand at the end. What is the same for all rows is left out, unless nothing differs.
    """
    order = np.argsort(-np.abs(attribution.values).mean((0, 2)), kind="stable")
    features = attribution.schema.features
    first = sorted(order, key=lambda i: not features[i].protected)
    varied = [i for i in first if len(np.unique(attribution.data[:, i])) > 1]
    found = [features[i].name for i in varied or first]
    truth = attribution.truth[~np.isnan(attribution.truth)]
    for name, values in ((PREDICTION, _said(attribution)), (TRUTH, truth)):
        if name not in found and len(np.unique(values)) > 1:
            found.append(name)
    return found


def cohorts_of(
    attribution: Attribution,
    by: str | None = None,
    *,
    measure: Measure = "size",
    output: str | int | None = None,
) -> Cohorts:
    """Compare groups of rows: the mean absolute attribution of each feature, or the mean.

    Groups are categories (beyond the four most frequent, the others together), quarters of a
    number, the class predicted (or quarters of the predicted value), or the true one; missing
    values are a group. Groups of a single row are left out.

    Raises
    ------
    InvalidInputError
        If there is no such output or measure.
    DataError
        If there is no such column.
    """
    which = attribution.output_index(output)
    if measure not in MEASURES:
        raise InvalidInputError(
            f"There is no measure {measure!r}; choose one of {listing(MEASURES)}."
        )
    by = groupings_of(attribution)[0] if by is None else by
    groups, labels = row_groups(attribution, by)
    values = attribution.values[:, :, which]
    values = np.abs(values) if measure == "size" else values
    parts = [(label, values[groups == i]) for i, label in enumerate(labels)]
    parts = [(label, part) for label, part in parts if len(part) >= SMALLEST]
    sizes = np.array([len(part) for _, part in parts], dtype=int)
    d = len(attribution.names)
    means = np.array([part.mean(0) for _, part in parts]).reshape(-1, d)
    half = np.array([
        stats.t.ppf(0.5 + LEVEL / 2, len(part) - 1) * part.std(0, ddof=1) / np.sqrt(len(part))
        for _, part in parts
    ]).reshape(-1, d)  # fmt: skip
    p = holm(welch_p([part for _, part in parts])) if len(parts) > 1 else np.ones(d)
    names = tuple(label for label, _ in parts)
    return Cohorts(by, measure, attribution.names, names, sizes, means, half, p)


def cohorts(
    attribution: Attribution,
    *,
    by: str | None = None,
    measure: Measure = "size",
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw the mean absolute attribution of each feature for each of several groups of rows.

    Whiskers are 95 % intervals over the rows of the group (Student's t). Features in bold differ
    between groups by more than chance: Welch's test, adjusted for the number of features (Holm),
    at 5 %. That includes the noise of sampling coalitions, but not the choice of background rows,
    which all groups share.

    Parameters
    ----------
    by
        A column, ``prediction`` or ``truth``; by default a protected column, else the most
        important one.
    measure
        ``size`` for the mean absolute attribution, ``mean`` for the mean with its sign.

    Raises
    ------
    WorkbenchError
        If there is no such column, output or measure, or ``max_features`` is below 1.
    """
    which = attribution.output_index(output)
    check_bars(max_features)
    if not len(attribution):
        return empty(NO_ROWS, dark=dark)
    found = cohorts_of(attribution, by, measure=measure, output=which)
    if len(found.names) < 2:
        return empty(FEW.format(by=found.by), dark=dark)
    order = np.argsort(-np.abs(attribution.values[:, :, which]).mean(0), kind="stable")
    shown, rest = cut(order, max_features)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    for group in range(len(found.names)):
        _add_group(figure, found, shown, group, colours)
    _layout(figure, attribution, found, shown, which, dark=dark)
    if len(rest):
        figure.layout.annotations[-1].text += f"; {len(rest)} more not shown"
    return figure


def _said(attribution: Attribution | RashomonSet) -> np.ndarray:
    """Return what the model says of each row: the code of a class, or the value."""
    if attribution.schema.classes:
        return attribution.predictions.argmax(1).astype(float)
    return attribution.predictions[:, 0]


def row_groups(attribution: Attribution | RashomonSet, by: str) -> tuple[np.ndarray, list[str]]:
    """Group rows by a column, ``prediction`` or ``truth``; returns each row's group, and names.

    Raises
    ------
    DataError
        If there is no such column.
    """
    schema = attribution.schema
    if by in schema.names or by not in {PREDICTION, TRUTH}:
        position = schema.index(by)
        feature, values = schema.features[position], attribution.data[:, position]
    else:
        values = _said(attribution) if by == PREDICTION else attribution.truth
        feature = (
            Feature(name=by, kind="categorical", categories=schema.classes) if schema.classes
            else Feature(name=by, unit=schema.target_unit)
        )  # fmt: skip
    if feature.kind == "categorical":
        return top_groups(feature, values, NAMED)
    return _quarters(feature, values)


def _quarters(feature: Feature, values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Group rows by the quarter of a number, or by the number where it has few; missing last."""
    known = ~np.isnan(values)
    groups, labels = np.zeros(len(values), dtype=int), []
    distinct = np.unique(values[known])
    if len(distinct) <= QUARTERS:
        edges = distinct[:-1]
    else:
        edges = np.unique(np.quantile(values[known], np.linspace(0, 1, QUARTERS + 1)[1:-1]))
    # Where most rows share the largest value, its edge would leave the last group empty.
    edges = edges[edges < values[known].max(initial=-np.inf)]
    for i, inside in enumerate(_between(values, known, edges)):
        groups[inside] = i
        low, high = values[inside].min(), values[inside].max()
        labels.append(
            feature.show(float(low)) if low == high
            else f"{feature.model_copy(update={'unit': ''}).show(float(low))} to "
                 f"{feature.show(float(high))}"
        )  # fmt: skip
    if not known.all():
        groups[~known] = len(labels)
        labels.append(MISSING)
    return groups, labels


def _between(values: np.ndarray, known: np.ndarray, edges: np.ndarray) -> list[np.ndarray]:
    place = np.searchsorted(edges, values, side="left")
    parts = [known & (place == i) for i in range(len(edges) + 1)]
    return [part for part in parts if part.any()]


def _add_group(
    figure: go.Figure, found: Cohorts, shown: np.ndarray, group: int, colours: Palette
) -> None:
    k = len(found.names)
    means, half = found.means[group, shown], found.half_widths[group, shown]
    offset = 0.62 * ((group + 0.5) / k - 0.5)
    decimals = words.decimals_for(float(np.abs(found.means).max()))
    floor = 0.0 if found.measure == "size" else -np.inf
    ink = _inks(found, colours)[group]
    name = f"{escaped(shortened(found.names[group], LETTERS))} · {found.sizes[group]:,}"
    figure.add_scatter(
        x=means,
        y=np.arange(len(shown)) + offset,
        mode="markers",
        name=name,
        marker={"color": ink, "size": 8, "symbol": SYMBOLS[group % len(SYMBOLS)]},
        error_x=whisker_style(half, colours)
        | {"color": ink, "width": 0, "symmetric": False, "arrayminus": np.minimum(
            half, means - floor)},
        hovertext=[
            hover(f"{found.features[i]}, {found.by} {found.names[group]}", mean, wide, decimals,
                  floor=floor, sign=found.measure == "mean")
            for i, mean, wide in zip(shown, means, half, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip


def _inks(found: Cohorts, colours: Palette) -> list[str]:
    return [
        colours.missing if name == MISSING and found.by != PREDICTION else colours.classes[i]
        for i, name in enumerate(found.names)
    ]


def _layout(
    figure: go.Figure, attribution: Attribution, found: Cohorts, shown: np.ndarray, which: int, *,
    dark: bool,
) -> None:  # fmt: skip
    means, half = found.means[:, shown], found.half_widths[:, shown]
    span = span_of(np.zeros(1), means, half, np.zeros(1))
    low = span_of(means, means, -half, np.zeros(1))[0] if found.measure == "mean" else 0.0
    span = padded((min(low, float((means - half).min())) if low else 0.0, span[1]), 0.04)
    lane = 22 + 7 * len(found.names)
    labels = [shortened(found.features[i], 32) for i in shown]
    layout_bars(figure, labels, span, each=lane)
    bold = found.differs[shown]
    figure.update_yaxes(
        ticktext=[
            f"<b>{escaped(label)}</b>" if strong else escaped(label)
            for label, strong in zip(labels, bold, strict=True)
        ]
    )
    figure.add_vline(
        x=0, line={"color": palette(dark=dark).muted, "width": 1}, layer="below"
    )  # fmt: skip
    size = "mean |attribution|" if found.measure == "size" else "mean attribution"
    narrow_title(
        figure, f"{size} to {words.quantity(attribution, which)}", "whiskers: 95 % over rows",
        "bold: groups differ",
    )  # fmt: skip
    note(figure, f"rows by {escaped(shortened(found.by, 28))}", dark=dark)
    figure.layout.annotations[-1].update(x=0, xanchor="left", yshift=6)
    figure.update_layout(
        showlegend=True,
        margin={"t": 34},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0,
                "font": {"size": 12}},
        height=figure.layout.height + 46,
    )  # fmt: skip
