"""What is in a table: the values of each feature, what is missing, how the classes are spread."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table

QUANTILES = (0.25, 0.5, 0.75)
HISTOGRAM_BINS = 30
TOP_CATEGORIES = 12
# Classes that a distribution is split by; of more, one distribution of all.
MOST_CLASSES = 6
_ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9)


@dataclass(frozen=True, eq=False)
class FeatureOverview:
    """The values of one feature.

    Attributes
    ----------
    missing
        Share of rows without a value.
    distinct
        Number of different values.
    low, quartiles, high
        Of a numeric feature; None of a categorical one or without values.
    labels
        Categories by number of rows, at most 12, and a last one for all others where there are
        more; empty for a numeric feature.
    edges
        Of the histogram of a numeric feature, which spans the middle 99 % of the values if the
        others would squeeze it; values outside count in the first and last bin.
    counts
        Rows by class (a single one where the table is not split) and label or bin.
    """

    feature: Feature
    missing: float
    distinct: int
    low: float | None
    quartiles: tuple[float, float, float] | None
    high: float | None
    labels: tuple[str, ...]
    edges: Float[np.ndarray, " b1"]
    counts: Int[np.ndarray, "k b"]


@dataclass(frozen=True, eq=False)
class Overview:
    """A table in numbers.

    Attributes
    ----------
    classes
        Names that ``FeatureOverview.counts`` is split by; empty where it is not.
    class_names, class_counts
        Every class of the target and its rows; empty without a target or for a regression.
    target
        The target of a regression, as a feature; None for classes.
    duplicates
        Rows whose features and target all equal those of an earlier row.
    """

    name: str
    schema: Schema
    n_rows: int
    features: tuple[FeatureOverview, ...]
    classes: tuple[str, ...]
    class_names: tuple[str, ...]
    class_counts: Int[np.ndarray, " c"]
    target: FeatureOverview | None
    duplicates: int

    def of(self, name: str) -> FeatureOverview:
        """Return the overview of one feature, or of the target of a regression.

        Raises
        ------
        InvalidInputError
            If there is none of that name.
        """
        if self.target is not None and self.target.feature.name == name:
            return self.target
        return self.features[self.schema.index(name)]


def table_overview(table: Table) -> Overview:
    """Count and measure every column of a table; rows count alike, whatever their weight.

    Raises
    ------
    InvalidInputError
        If the table has no rows.
    """
    if not len(table):
        raise InvalidInputError(f"Table {table.name!r} has no rows to describe.")
    schema, n = table.schema, len(table)
    codes = np.zeros(n, dtype=np.int64)
    classes: tuple[str, ...] = ()
    counts = np.zeros(0, dtype=np.int64)
    target = None
    if table.y is not None and schema.classes:
        y = table.y.numpy().astype(np.int64)
        counts = np.bincount(y, minlength=schema.n_classes)
        if schema.n_classes <= MOST_CLASSES:
            codes, classes = y, schema.classes
    elif table.y is not None and schema.target:
        described = Feature(name=schema.target, unit=schema.target_unit)
        target = _feature(described, table.y.double().numpy(), codes, 1)
    columns = (table.X[:, j].contiguous().numpy() for j in range(len(schema.features)))
    return Overview(
        name=table.name,
        schema=schema,
        n_rows=n,
        features=tuple(
            _feature(feature, column, codes, max(1, len(classes)))
            for feature, column in zip(schema.features, columns, strict=True)
        ),
        classes=classes,
        class_names=schema.classes if len(counts) else (),
        class_counts=counts,
        target=target,
        duplicates=_duplicates(table),
    )


def _feature(
    feature: Feature, column: Float[np.ndarray, " n"], codes: Int[np.ndarray, " n"], k: int
) -> FeatureOverview:
    known = ~np.isnan(column)
    whole = bool(known.all())
    values, groups = (column, codes) if whole else (column[known], codes[known])
    missing = 1 - len(values) / len(column)
    if feature.kind == "categorical":
        return _categories(feature, values.astype(np.int64), groups, k, missing)
    return _numbers(feature, values, groups, k, missing)


def _categories(
    feature: Feature, values: Int[np.ndarray, " n"], groups: Int[np.ndarray, " n"], k: int,
    missing: float,
) -> FeatureOverview:  # fmt: skip
    c = len(feature.categories)
    counts = np.bincount(groups * c + values, minlength=k * c).reshape(k, c)
    order = np.argsort(-counts.sum(0), kind="stable")
    keep = c if c <= TOP_CATEGORIES + 1 else TOP_CATEGORIES
    labels = [feature.categories[i] for i in order[:keep]]
    shown = counts[:, order[:keep]]
    if keep < c:
        labels.append(f"{c - keep} others")
        shown = np.column_stack([shown, counts[:, order[keep:]].sum(1)])
    return FeatureOverview(
        feature=feature, missing=missing, distinct=int((counts.sum(0) > 0).sum()), low=None,
        quartiles=None, high=None, labels=tuple(labels), edges=np.zeros(0), counts=shown,
    )  # fmt: skip


def _numbers(
    feature: Feature, values: Float[np.ndarray, " n"], groups: Int[np.ndarray, " n"], k: int,
    missing: float,
) -> FeatureOverview:  # fmt: skip
    if not len(values):
        return FeatureOverview(
            feature=feature, missing=missing, distinct=0, low=None, quartiles=None, high=None,
            labels=(), edges=np.zeros(1), counts=np.zeros((k, 0), dtype=np.int64),
        )  # fmt: skip
    ordered = np.sort(values)
    n = len(ordered)
    low, high = float(ordered[0]), float(ordered[-1])
    lower, first, middle, third, upper = (
        float(q) for q in _quantiles(ordered, (0.005, *QUANTILES, 0.995))
    )
    edges = _edges(low, high, lower, upper, integer=feature.integer)
    b = len(edges) - 1
    # Equal widths, so a value's bin is a division; a search takes ten times as long.
    place = ((values - edges[0]) * (b / (edges[-1] - edges[0]))).astype(np.int64)
    place = np.clip(place, 0, b - 1)
    counts = np.bincount(groups * b + place, minlength=k * b).reshape(k, b)
    return FeatureOverview(
        feature=feature, missing=missing, distinct=1 + int((ordered[1:] != ordered[: n - 1]).sum()),
        low=low, quartiles=(first, middle, third), high=high, labels=(), edges=edges,
        counts=counts,
    )  # fmt: skip


def _quantiles(
    ordered: Float[np.ndarray, " n"], shares: tuple[float, ...]
) -> Float[np.ndarray, " q"]:
    """Quantiles of sorted values, between two of them as ``numpy.quantile`` does it."""
    at = np.array(shares) * (len(ordered) - 1)
    left = at.astype(int)
    right = np.minimum(left + 1, len(ordered) - 1)
    found: np.ndarray = ordered[left] + (at - left) * (ordered[right] - ordered[left])
    return found


def _edges(
    low: float, high: float, lower: float, upper: float, *, integer: bool
) -> Float[np.ndarray, " b1"]:
    """Return edges of equal width; between whole numbers where the feature has only such."""
    if high - low > 3 * (upper - lower) > 0:
        low, high = lower, upper
    if integer:  # each bin holds equally many whole numbers, or the counts would go up and down
        low, high = math.floor(low), math.ceil(high)
        width = math.ceil((high - low + 1) / HISTOGRAM_BINS)
        n_bins = math.ceil((high - low + 1) / width)
        return low - 0.5 + width * np.arange(n_bins + 1.0)
    if high <= low:
        half = max(abs(low), 1.0) / 2
        low, high = low - half, high + half
    return np.linspace(low, high, HISTOGRAM_BINS + 1)


def _duplicates(table: Table) -> int:
    """Count rows that equal an earlier one, by two hashes of 64 bits each.

    Two different rows share both about once in 10^26 tables of a million rows. Zero and minus
    zero are equal; so are missing values.
    """
    n = len(table)
    keys = [np.zeros(n, dtype=np.uint64) for _ in _ODD]
    columns = [table.X[:, j] for j in range(table.X.shape[1])]
    if table.y is not None:
        columns.append(table.y)
    for column in columns:
        bits = _bits(column)
        for i, odd in enumerate(_ODD):
            key = keys[i] ^ bits
            key *= np.uint64(odd)
            key ^= key >> np.uint64(29 + 2 * i)
            keys[i] = key
    order = np.argsort(keys[0], kind="stable")
    first, second = keys[0][order], keys[1][order]
    close = first[1:] == first[:-1]
    if not close.any():
        return 0
    if bool((second[1:][close] == second[:-1][close]).all()):
        return int(close.sum())
    pairs = np.stack(keys, axis=1)
    return n - len(np.unique(pairs, axis=0))


def _bits(column: torch.Tensor) -> np.ndarray:
    values = column.double().numpy() + 0.0  # minus zero becomes zero
    values[np.isnan(values)] = np.nan  # there are many kinds of NaN
    found: np.ndarray = values.view(np.uint64)
    return found
