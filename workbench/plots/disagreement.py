"""Two attributions of the same rows against each other, and the answer in words."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from workbench.core.errors import InvalidInputError
from workbench.core.results import Attribution
from workbench.core.schema import listing
from workbench.plots import words
from workbench.plots.layout import (
    check_bars,
    cut,
    empty,
    hover,
    layout_bars,
    note,
    padded,
    shortened,
    span_of,
    title,
    whisker_style,
)
from workbench.plots.theme import Palette, escaped, palette, template

if TYPE_CHECKING:
    import pandas as pd

PAIR_HEIGHT = 44
NAME_LENGTH = 24
# Below this share of the largest attribution two results are the same but for rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Pair:
    """Attributions to one output of the same rows by two results, and 95 % half widths."""

    first: np.ndarray  # (n, d)
    second: np.ndarray
    first_half: np.ndarray
    second_half: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """Second minus first."""
        return self.second - self.first

    @property
    def half(self) -> np.ndarray:
        """Half width of the interval of the difference, as if the two errors were independent.

        They share their background rows more often than not, and then it is rather too wide.
        """
        return np.hypot(self.first_half, self.second_half)

    @property
    def order(self) -> np.ndarray:
        """Features by how much they differ, the most first."""
        return np.argsort(-np.abs(self.difference).mean(0), kind="stable")


def disagreement(
    first: Attribution,
    second: Attribution,
    *,
    output: str | int | None = None,
    names: tuple[str, str] | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw what two results say of each feature side by side, the most different feature first.

    Of one row: its attributions with 95 % intervals, and the second minus the first as a number.
    Of more rows: the mean absolute attributions, and a diamond and a number for the mean absolute
    difference, which is not the difference of the means.

    Parameters
    ----------
    names
        What to call the two results; by default what tells them apart (see ``labels_of``).

    Raises
    ------
    InvalidInputError
        If the results differ in rows, features, unit or output, or ``max_features`` is below 1.
    """
    check_bars(max_features)
    pair, which = _pair(first, second, output)
    if not len(first):
        return empty(dark=dark)
    labels = names or labels_of(first, second)
    single = len(first) == 1
    shown, rest = cut(pair.order, max_features)
    figure = go.Figure(layout={"template": template(dark=dark)})
    ends = _draw_pairs(figure, pair, shown, first, second, labels, palette(dark=dark))
    away = pair.difference[0] if single else np.abs(pair.difference).mean(0)
    decimals = words.decimals_for(float(np.abs(away).max()))
    _write(figure, ends, away[shown], decimals, sign=single)
    span = span_of(np.zeros(1), ends.ravel(), np.zeros(1), np.zeros(1))
    labelled = [shortened(first.names[i]) for i in shown]
    layout_bars(figure, labelled, _range(span, single=single), PAIR_HEIGHT)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        margin={"t": 48, "r": 48},
    )
    about = words.quantity(first, which)
    if single:
        sources = dict.fromkeys((*first.sources_of_error, *second.sources_of_error))
        whiskers = [f"whiskers: 95 %, {' and '.join(sources)}"] if sources else []
        title(figure, about, f"numbers: {_minus(labels)}", *whiskers)
    else:
        title(figure, f"mean |attribution| to {about}", f"{len(first):,} rows",
              "diamonds and numbers: mean |difference|")  # fmt: skip
    if len(rest):
        largest = words.number(float(np.abs(away[rest]).max()))
        figure.update_layout(margin={"t": 64})
        note(figure, f"{len(rest)} more features, each differs by at most {largest}", dark=dark)
    return figure


def disagreement_frame(
    first: Attribution, second: Attribution, *, output: str | int | None = None
) -> "pd.DataFrame":
    """One line per feature, the most different first.

    Columns: ``feature``; ``first`` and ``second`` (of one row its attributions, of more the means
    of their sizes); ``difference`` (mean over the rows, second minus first) and ``size`` (mean of
    its absolute value); ``beyond`` (share of rows where it is larger than the 95 % intervals of
    both together) and ``opposite`` (share where the signs differ and both are worth a word).

    Raises
    ------
    InvalidInputError
        If the results differ in rows, features, unit or output.
    """
    import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

    pair, _ = _pair(first, second, output)
    means = [v[0] if len(v) == 1 else np.abs(v).mean(0) for v in (pair.first, pair.second)]
    frame = pd.DataFrame({
        "feature": first.names,
        "first": means[0],
        "second": means[1],
        "difference": pair.difference.mean(0),
        "size": np.abs(pair.difference).mean(0),
        "beyond": (np.abs(pair.difference) > pair.half).mean(0),
        "opposite": _opposite(pair).mean(0),
    })
    return frame.iloc[pair.order].reset_index(drop=True)


def disagreement_sentence(
    first: Attribution,
    second: Attribution,
    *,
    output: str | int | None = None,
    names: tuple[str, str] | None = None,
) -> str:
    """Say where two results differ most, and whether they agree on order and direction.

    Plain text. A feature points the other way where the signs differ, both attributions are at
    least a twentieth of the largest of their row, and both are beyond their 95 % intervals.

    Raises
    ------
    InvalidInputError
        If the results differ in rows, features, unit or output.
    """
    pair, which = _pair(first, second, output)
    labels = names or labels_of(first, second)
    if not len(first):
        return "There are no rows to compare."
    largest = max(float(np.abs(pair.first).max()), float(np.abs(pair.second).max()))
    if np.abs(pair.difference).max() <= ROUNDING * largest:
        return f"{labels[0]} and {labels[1]} give the same values."
    known = bool(first.sources_of_error and second.sources_of_error)
    say = _of_one_row if len(first) == 1 else _of_rows
    return say(first, pair, which, labels, known=known)


def labels_of(first: Attribution, second: Attribution) -> tuple[str, str]:
    """Return what tells two results apart: model, value function, method or background."""
    one, other = first.provenance, second.provenance
    for a, b in (
        (one.model, other.model),
        (one.params.get("value"), other.params.get("value")),
        (one.title, other.title),
        (one.background, other.background),
    ):
        if a != b and a and b:
            return str(a), str(b)
    return "first", "second"


def _pair(first: Attribution, second: Attribution, output: str | int | None) -> tuple[Pair, int]:
    """Line up two results, or say why they cannot be compared."""
    if first.unit != second.unit:
        units = " and ".join(unit or "no unit" for unit in (first.unit, second.unit))
        raise InvalidInputError(
            f"The two results are in different units ({units}); explain both with the same output "
            "and link."
        )
    columns = [
        [(f.name, f.kind, f.categories) for f in result.schema.features]
        for result in (first, second)
    ]
    if columns[0] != columns[1]:
        own = [name for name in first.names if name not in second.names]
        own += [name for name in second.names if name not in first.names]
        what = f": {listing(own)}" if own else " in their order or categories"
        raise InvalidInputError(
            f"The two results differ in their features{what}; compare models of the same columns."
        )
    same = np.array_equal(first.ids, second.ids)
    if not same or not np.array_equal(first.data, second.data, equal_nan=True):
        raise InvalidInputError(
            "The two results explain different rows; explain the same rows of the same table."
        )
    which = first.output_index(output)
    there = second.output_index(first.output_names[which])
    pair = Pair(
        first.values[:, :, which],
        second.values[:, :, there],
        first.uncertainty()[:, :, which],
        second.uncertainty()[:, :, there],
    )
    return pair, which


def _draw_pairs(
    figure: go.Figure,
    pair: Pair,
    shown: np.ndarray,
    first: Attribution,
    second: Attribution,
    labels: tuple[str, str],
    colours: Palette,
) -> np.ndarray:
    """Draw both bars of each feature; return where they and their whiskers end ``[d, 4]``."""
    single = len(first) == 1
    ends = []
    for place, (result, name, values, half) in enumerate((
        (first, labels[0], pair.first, pair.first_half),
        (second, labels[1], pair.second, pair.second_half),
    )):
        lengths = values[0, shown] if single else np.abs(values).mean(0)[shown]
        sure = half[0, shown] if single and result.sources_of_error else None
        decimals = words.decimals_for(float(np.abs(lengths).max()))
        texts = [
            hover(first.names[i], value, None if sure is None else sure[j], decimals, sign=single)
            for j, (i, value) in enumerate(zip(shown, lengths, strict=True))
        ]
        figure.add_bar(
            x=lengths,
            y=np.arange(len(shown)) + (place - 0.5) * 0.38,
            width=0.36,
            orientation="h",
            name=escaped(shortened(name, NAME_LENGTH)),
            marker={"color": colours.classes[2 + place], "line": {"width": 0}},
            error_x=None if sure is None else whisker_style(sure, colours),
            hovertext=[f"{text}<br>{escaped(name)}" for text in texts],
            hoverinfo="text",
        )
        room = np.zeros_like(lengths) if sure is None else sure
        ends += [lengths - room, lengths + room]
    if not single:
        away = np.abs(pair.difference).mean(0)[shown]
        figure.add_scatter(
            x=away, y=np.arange(len(shown)), mode="markers", name="difference", hoverinfo="skip",
            marker={"symbol": "diamond", "size": 9, "color": colours.text},
        )  # fmt: skip
        ends += [away]
    return np.stack(ends, axis=1)


def _write(
    figure: go.Figure, ends: np.ndarray, away: np.ndarray, decimals: int, *, sign: bool
) -> None:
    """Write each difference right of its bars."""
    figure.add_scatter(
        x=np.maximum(0.0, ends.max(1)),
        y=np.arange(len(away)),
        mode="text",
        # The no-break spaces keep the number off the bars at any width of the figure.
        text=[
            f"\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}"
            f"{words.signed(v, decimals) if sign else f'{v:,.{decimals}f}'}\N{NO-BREAK SPACE}"
            for v in away
        ],
        textposition="middle right",
        textfont={"size": 12},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )


def _range(span: tuple[float, float], *, single: bool) -> tuple[float, float]:
    low, high = padded(span, 0.15)
    return (low, high) if single else (0.0, high)


def _minus(labels: tuple[str, str]) -> str:
    one, other = (shortened(label, NAME_LENGTH) for label in labels)
    return f"{other} {words.MINUS} {one}"


def _opposite(pair: Pair) -> np.ndarray:
    """Tell where ``[n, d]`` the signs differ and neither attribution is noise or a trifle."""
    opposite = np.sign(pair.first) != np.sign(pair.second)
    for values, half in ((pair.first, pair.first_half), (pair.second, pair.second_half)):
        size = np.abs(values)
        opposite &= (size > half) & (size >= words.WORTH_A_WORD * size.max(1, keepdims=True))
    return opposite


def _of_one_row(
    result: Attribution, pair: Pair, which: int, labels: tuple[str, str], *, known: bool
) -> str:
    top = int(pair.order[0])
    away = float(abs(pair.difference[0, top]))
    sure = away > pair.half[0, top]
    decimals = words.decimals_for(max(abs(pair.first[0, top]), abs(pair.second[0, top])))
    shown = [words.signed(float(v[0, top]), decimals) for v in (pair.first, pair.second)]
    said = (
        f"Row {result.ids[0]}: {result.names[top]} differs most, {shown[0]} with {labels[0]} and "
        f"{shown[1]} with {labels[1]}; {_apart(result, away, which)}"
    )
    said += f", {'beyond' if sure else 'within'} their 95 % intervals." if known else "."
    firsts = [result.names[int(np.abs(v[0]).argmax())] for v in (pair.first, pair.second)]
    if firsts[0] == firsts[1]:
        said += f" Both put {firsts[0]} first."
    else:
        said += f" {labels[0]} puts {firsts[0]} first, {labels[1]} {firsts[1]}."
    other_way = [result.names[int(i)] for i in pair.order if _opposite(pair)[0, i]]
    if other_way:
        verb = "points" if len(other_way) == 1 else "point"
        said += f" {listing(other_way, limit=3)} {verb} the other way."
    return said


def _of_rows(
    result: Attribution, pair: Pair, which: int, labels: tuple[str, str], *, known: bool
) -> str:
    n, top = len(pair.first), int(pair.order[0])
    away = np.abs(pair.difference)
    sizes = [np.abs(v).mean(0) for v in (pair.first, pair.second)]
    said = (
        f"Over {n:,} rows, {result.names[top]} differs most between {labels[0]} and {labels[1]}: "
        f"{_apart(result, float(away[:, top].mean()), which)} on average, where its mean size is "
        f"{words.number(float(sizes[0][top]))} and {words.number(float(sizes[1][top]))}"
    )
    beyond = int((away[:, top] > pair.half[:, top]).sum())
    said += f", beyond their 95 % intervals in {beyond:,} of {n:,} rows." if known else "."
    tops = [np.abs(v).argmax(1) for v in (pair.first, pair.second)]
    others = int((tops[0] != tops[1]).sum())
    said += f" They put another feature first in {others:,} of {n:,} rows"
    if len(result.names) > 2 and all(np.ptp(size) > 0 for size in sizes):
        order = float(stats.spearmanr(*sizes).statistic)
        said += f"; their order of features overall correlates by {words.number(order)}"
    opposite = int(_opposite(pair).any(1).sum())
    if opposite:
        said += f"; some feature points the other way in {opposite:,} of {n:,} rows"
    return f"{said}."


def _apart(result: Attribution, away: float, which: int) -> str:
    scaled = result.unit in words.SCALES
    about = words.quantity(result, which) if scaled else result.output_names[which]
    return f"{words.amount(result, away)} apart in {about}"
