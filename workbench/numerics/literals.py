"""Statements about a row that are true or false: ``age <= 34``, ``sex is Female``, ``missing``."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from workbench.core.schema import Schema

Kind = Literal["at_most", "is", "missing"]


class Statement(NamedTuple):
    """One statement about a feature; ``value`` is a bound or a category's code."""

    feature: int
    kind: Kind
    value: float = 0.0

    def holds(self, X: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """Say of which rows it is true; nothing but ``missing`` is true of a missing value."""
        column = X[:, self.feature]
        if self.kind == "missing":
            return np.isnan(column)
        found: np.ndarray = column <= self.value if self.kind == "at_most" else column == self.value
        return found


def statements_of(X: Float[np.ndarray, "n d"], schema: Schema, bins: int) -> tuple[Statement, ...]:
    """Cut numbers at their quantiles, and take each category apart; what says nothing is left out.

    Of two statements of a feature that always say the opposite, only one is kept.

    Parameters
    ----------
    bins
        Parts of about equal numbers of rows; there is one bound less, or fewer where values repeat.
    """
    kept: list[Statement] = []
    for j, feature in enumerate(schema.features):
        seen: set[bytes] = set()
        for statement in _candidates(X[:, j], j, bins, categorical=feature.kind == "categorical"):
            holds = statement.holds(X)
            if holds.all() or not holds.any() or holds.tobytes() in seen:
                continue
            seen |= {holds.tobytes(), (~holds).tobytes()}
            kept.append(statement)
    return tuple(kept)


def _candidates(
    column: Float[np.ndarray, " n"], j: int, bins: int, *, categorical: bool
) -> Iterator[Statement]:
    known = column[~np.isnan(column)]
    if categorical:
        yield from (Statement(j, "is", float(code)) for code in np.unique(known))
    elif len(known):
        shares = np.arange(1, bins) / bins
        bounds = np.unique(np.quantile(known, shares, method="inverted_cdf"))
        yield from (Statement(j, "at_most", float(bound)) for bound in bounds)
    yield Statement(j, "missing")


def holding(
    statements: tuple[Statement, ...], X: Float[np.ndarray, "n d"]
) -> Bool[np.ndarray, "n m"]:
    """Say of which rows each statement is true."""
    if not statements:
        return np.zeros((len(X), 0), dtype=bool)
    return np.stack([statement.holds(X) for statement in statements], axis=1)
