"""What the background says of each feature: its levels, their shares, and how numbers spread."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri

from workbench.core.errors import InvalidInputError
from workbench.core.local_models import IN_BINS, Sampling
from workbench.core.schema import Feature
from workbench.core.table import Table
from workbench.engines.lime.params import Bins, NeighbourhoodParams

SHARES = {"quartile": 4, "decile": 10}
TREE_DEPTH = 3


@dataclass(frozen=True)
class Levels:
    """One feature as the background knows it.

    Attributes
    ----------
    shares
        How often each level occurs; the last one is a missing value. The levels before it are
        the categories, the bins of a number, or a single one where numbers have no bins.
    edges
        Bounds between the bins, each of which holds its upper bound.
    centre, spread, low, high
        Of a number, for each level but the last: mean, standard deviation and bounds of the values
        in it.
    whole
        The model takes whole numbers alone: those that are drawn in a bin are whole, and in it.
    """

    shares: Float[np.ndarray, " l"]
    edges: Float[np.ndarray, " e"]
    centre: Float[np.ndarray, " c"]
    spread: Float[np.ndarray, " c"]
    low: Float[np.ndarray, " c"]
    high: Float[np.ndarray, " c"]
    whole: bool = False

    @property
    def missing(self) -> int:
        """The level of a missing value."""
        return len(self.shares) - 1

    def level_of(self, values: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """Return the level of each value."""
        known = np.nan_to_num(values)
        levels = np.searchsorted(self.edges, known) if len(self.centre) else known
        return np.where(np.isnan(values), self.missing, levels).astype(np.int64)

    def draw(
        self, u: Float[np.ndarray, " m"]
    ) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Turn uniform numbers into levels and values, by the inverse of the distribution.

        What is left of a number within the share of its level places the value in it: by a normal
        distribution cut off at the bounds of a bin.
        """
        ends = np.cumsum(self.shares)
        levels = np.minimum(np.searchsorted(ends, u, side="right"), self.missing)
        levels = np.where(self.shares[levels] > 0, levels, int(self.shares.argmax()))
        if not len(self.centre):  # a category
            return levels, np.where(levels == self.missing, np.nan, levels)
        within = (u - (ends - self.shares)[levels]) / self.shares[levels]
        inside = np.minimum(levels, len(self.centre) - 1)
        mean, spread = self.centre[inside], self.spread[inside]
        scale = np.where(spread > 0, spread, 1.0)
        first, last = (
            ndtr((bound[inside] - mean) / scale) for bound in (self.low, self.high)
        )  # fmt: skip
        normal = ndtri(np.clip(first + within * (last - first), 1e-12, 1 - 1e-12))
        values = np.clip(mean + spread * normal, self.low[inside], self.high[inside])
        if self.whole and len(self.edges):  # a bin holds its upper bound
            values = np.minimum(np.ceil(values), np.floor(self.high[inside]))
        return levels, np.where(levels == self.missing, np.nan, values)


def learn_levels(
    background: Table, params: NeighbourhoodParams, whole: Collection[int] = ()
) -> tuple[Levels, ...]:
    """Look at every feature of the background.

    Parameters
    ----------
    whole
        Features of which the model takes whole numbers alone.

    Raises
    ------
    InvalidInputError
        If entropy bins are asked for and the background has no labels.
    """
    in_bins = params.sampling == IN_BINS
    numeric = any(feature.kind != "categorical" for feature in background.schema.features)
    if in_bins and numeric and params.bins == "entropy" and background.y is None:
        raise InvalidInputError(
            f"Entropy bins need the labels of the background rows, and {background.name!r} has "
            "none; choose bins 'quartile' or 'decile', or a background with its target."
        )
    X = background.X.double().numpy()
    y = None if background.y is None else background.y.numpy()
    is_regression = background.schema.n_classes == 0
    found = []
    for j, (feature, column) in enumerate(zip(background.schema.features, X.T, strict=True)):
        if feature.kind == "categorical":
            found.append(_categories(feature, column))
            continue
        known = ~np.isnan(column)
        edges = np.empty(0)
        if in_bins and known.any():
            labels = None if y is None else y[known]
            edges = _edges(column[known], labels, params.bins, is_regression=is_regression)
        known_as = _numbers(column, edges, bounded=in_bins)
        found.append(replace(known_as, whole=j in whole))
    return tuple(found)


def scales_of(levels: tuple[Levels, ...], sampling: Sampling) -> Float[np.ndarray, " d"]:
    """Return the standard deviation of each number in the background, where it is not in bins."""
    return np.array([
        known.spread[0] if len(known.spread) and sampling != IN_BINS else 0.0 for known in levels
    ])


def _categories(feature: Feature, column: Float[np.ndarray, " n"]) -> Levels:
    n_levels, none = len(feature.categories), np.empty(0)
    codes = np.where(np.isnan(column), n_levels, column).astype(np.int64)
    counts = np.bincount(codes, minlength=n_levels + 1)
    return Levels(counts / len(column), none, none, none, none, none)


def _numbers(
    column: Float[np.ndarray, " n"], edges: Float[np.ndarray, " e"], *, bounded: bool
) -> Levels:
    known = column[~np.isnan(column)]
    places = np.searchsorted(edges, known)
    bins = [known[places == place] for place in range(len(edges) + 1)]
    counts = np.array([*map(len, bins), len(column) - len(known)], dtype=float)
    centre = np.array([values.mean() if len(values) else 0.0 for values in bins])
    # Of equal numbers the rounded mean gives a spread that is not quite nothing.
    spread = np.array([
        values.std() if len(values) and values.max() > values.min() else 0.0 for values in bins
    ])
    centre = np.where(spread > 0, centre, [v[0] if len(v) else 0.0 for v in bins])
    if bounded and len(known):
        low = np.concatenate([[known.min()], edges])
        high = np.concatenate([edges, [known.max()]])
    else:
        low, high = np.full(len(bins), -np.inf), np.full(len(bins), np.inf)
    return Levels(counts / len(column), edges, centre, spread, low, np.maximum(low, high))


def _edges(
    values: Float[np.ndarray, " n"],
    labels: np.ndarray | None,
    bins: Bins,
    *,
    is_regression: bool,
) -> Float[np.ndarray, " e"]:
    """Return the bounds between bins, ascending, each once."""
    if bins != "entropy":
        parts = SHARES[bins]
        return np.unique(np.percentile(values, [100 * i / parts for i in range(1, parts)]))
    from sklearn.tree import (  # noqa: PLC0415 - a second, rarely needed
        DecisionTreeClassifier,
        DecisionTreeRegressor,
    )

    tree = (
        DecisionTreeRegressor(max_depth=TREE_DEPTH, random_state=0)
        if is_regression
        else DecisionTreeClassifier(criterion="entropy", max_depth=TREE_DEPTH, random_state=0)
    )
    grown = tree.fit(values[:, None], labels).tree_
    edges = np.unique(grown.threshold[grown.children_left > -1])
    return edges if len(edges) else np.array([np.median(values)])
