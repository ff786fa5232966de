"""One feature as an axis: numbers, categories and missing values, with a count of the rows."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from workbench.core.counter_rng import stream
from workbench.core.schema import Feature
from workbench.plots import words

# Categories along the axis; the less frequent ones come together.
LANES = 12
# Numbers with as many distinct values have a bar each.
FEW_VALUES = 40
BINS = 30
MISSING = "missing"


@dataclass(frozen=True)
class Axis:
    """Where rows stand: ``x`` with ticks, and the bars that count them.

    Attributes
    ----------
    ticks
        None where plotly may choose.
    shown
        What each bar counts, in words.
    means
        Mean effect of each category.
    divider
        Where the lane of missing values begins.
    """

    x: np.ndarray
    range: tuple[float, float]
    ticks: list[float] | None
    labels: list[str]
    centres: np.ndarray
    widths: np.ndarray
    counts: np.ndarray
    shown: list[str]
    means: np.ndarray | None
    divider: float | None


def axis_of(feature: Feature, values: np.ndarray, effects: np.ndarray) -> Axis:
    """Place rows by a feature; equal values are spread a little, so that points do not hide."""
    known = ~np.isnan(values)
    if feature.kind == "categorical" or not known.any():
        return _categories(feature, values, effects)
    return _numbers(feature, values, known)


def _categories(feature: Feature, values: np.ndarray, effects: np.ndarray) -> Axis:
    """Give each category a lane, from the lowest mean to the highest; missing last."""
    lanes, names = top_groups(feature, values, LANES)
    means = np.bincount(lanes, effects) / np.bincount(lanes)
    last = np.array([name == MISSING for name in names])
    order = np.lexsort((means, last))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    x = place[lanes].astype(float)
    counts = np.bincount(place[lanes])
    labels = [names[i] for i in order]
    return Axis(
        x=x + _spread(len(x), 0.28), range=(-0.6, len(order) - 0.4),
        ticks=[float(i) for i in range(len(order))], labels=labels,
        centres=np.arange(len(order), dtype=float), widths=np.full(len(order), 0.7),
        counts=counts, shown=labels, means=means[order], divider=None,
    )  # fmt: skip


def _numbers(feature: Feature, values: np.ndarray, known: np.ndarray) -> Axis:
    distinct = np.unique(values[known])
    low, high = float(distinct[0]), float(distinct[-1])
    span = high - low or max(1.0, abs(low))
    gap = float(np.diff(distinct).min()) if len(distinct) > 1 else span
    # Bars thinner than this are not seen, so values that lie closer are counted in bins.
    few = len(distinct) <= FEW_VALUES and gap >= span / 60
    discrete = few or feature.integer
    x = values + (_spread(len(values), 0.25 * min(gap, span / 20)) if discrete else 0.0)
    if few:
        centres, edges = distinct, None
        widths = np.full(len(distinct), 0.8 * min(gap, span / 12))
        counts = np.array([(values == value).sum() for value in distinct])
    else:
        counts, edges = np.histogram(values[known], bins=BINS)
        centres, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges) * 0.92
    shown = (
        [feature.show(v) for v in centres] if edges is None
        else [f"{feature.show(a)} to {feature.show(b)}"
              for a, b in pairwise(edges)]
    )  # fmt: skip
    room, divider, ticks, labels = 0.04 * span, None, None, []
    end = high
    if not known.all():
        divider, end = high + 0.06 * span, high + 0.12 * span
        x = np.where(known, x, end + _spread(len(values), 0.025 * span))
        centres, widths = np.append(centres, end), np.append(widths, 0.06 * span)
        counts, shown = np.append(counts, (~known).sum()), [*shown, MISSING]
        ticks = [t for t in _round_ticks(low, high) if t <= high]
        labels = [words.number(t) for t in ticks] + [MISSING]
        ticks = [*ticks, end]
    return Axis(
        x=x, range=(low - room, end + room), ticks=ticks, labels=labels, centres=centres,
        widths=widths, counts=counts, shown=shown, means=None, divider=divider,
    )  # fmt: skip


def top_groups(feature: Feature, values: np.ndarray, most: int) -> tuple[np.ndarray, list[str]]:
    """Group rows by category, the most frequent first; the rare ones together, missing last.

    There are at most ``most`` groups with a name, one of the others, and one of missing values.
    """
    known = ~np.isnan(values)
    codes, counts = np.unique(values[known].astype(int), return_counts=True)
    order = codes[np.argsort(-counts, kind="stable")]
    kept = order if len(order) <= most + 1 else order[:most]
    groups = np.zeros(len(values), dtype=int)
    names: list[str] = []
    for code in kept:
        groups[values == code] = len(names)
        names.append(feature.categories[code])
    if len(kept) < len(order):
        groups[known & ~np.isin(values, kept)] = len(names)
        names.append(f"{len(order) - len(kept)} others")
    if not known.all():
        groups[~known] = len(names)
        names.append(MISSING)
    return groups, names


def _spread(n: int, width: float) -> np.ndarray:
    return stream(0).uniform(-width, width, n)


def _round_ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, about five."""
    span = high - low
    if span <= 0:
        return [low]
    step = 10 ** np.floor(np.log10(span / 4))
    step *= next(m for m in (1, 2, 5, 10) if span / (m * step) <= 5)
    first = np.ceil(low / step) * step
    return [float(t) for t in np.arange(first, high + step * 1e-9, step)]
