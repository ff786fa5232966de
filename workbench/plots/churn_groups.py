"""Whose decisions change: churn, fixes and breaks for groups of rows."""

from dataclasses import dataclass

import numpy as np

from workbench.core.churn import Churn, mean_of
from workbench.core.errors import InvalidInputError
from workbench.core.schema import listing
from workbench.numerics.intervals import mean_interval
from workbench.plots.feature_axis import top_groups

NAMED, SMALLEST = 8, 2
DECISION = "decision"


@dataclass(frozen=True)
class ChurnGroups:
    """Groups of rows, and what prospective models do to them on average.

    Attributes
    ----------
    churn
        Mean flip probability of the group's rows with its 95 % interval over rows.
    fixes, breaks, neutral
        Shares of the group's rows, on average over models; NaN for a regression.
    """

    by: str
    names: tuple[str, ...]
    sizes: np.ndarray
    churn: np.ndarray
    fixes: np.ndarray
    breaks: np.ndarray
    neutral: np.ndarray


def groupings_of(churn: Churn) -> list[str]:
    """List what can make groups, protected columns first, then other categories.

    What is the same for all rows is left out; ``decision`` groups by what the model decides now.
    """
    features = churn.schema.features
    order = sorted(range(len(features)), key=lambda j: not features[j].protected)
    found = [
        features[j].name for j in order
        if features[j].kind == "categorical" and len(np.unique(churn.data[:, j])) > 1
    ]  # fmt: skip
    decides = churn.classifies and len(np.unique(churn.base)) > 1 and DECISION not in found
    return [*found, *([DECISION] if decides else [])]


def groups_of(
    churn: Churn, by: str | None = None, *, tolerance: float | None = None
) -> ChurnGroups:
    """Put rows into groups by a category, and sum up what would change in each.

    Groups of one row are left out.

    Raises
    ------
    InvalidInputError
        If nothing makes groups, or not by this.
    """
    known = groupings_of(churn)
    if not known:
        raise InvalidInputError(
            "There are no groups to compare: the rows are alike in every category, or there is "
            "none."
        )
    by = known[0] if by is None else by
    if by not in known:
        raise InvalidInputError(f"There are no groups by {by!r}; choose one of {listing(known)}.")
    place, names = _groups(churn, by)
    flips = churn.flips(tolerance).value
    kept = [code for code in range(len(names)) if (place == code).sum() >= SMALLEST]
    shares, effects = [], []
    for code in kept:
        own = np.flatnonzero(place == code)
        value, low, high = mean_interval(flips[own], np.ones(len(own)))
        shares.append((value, max(0.0, low), min(1.0, high)))
        effects.append([mean_of(part) for part in churn[own].effects(tolerance)])
    sizes = np.array([(place == code).sum() for code in kept], dtype=int)
    fixes, breaks, neutral = np.array(effects, dtype=float).reshape(-1, 3).T
    share = np.array(shares, dtype=float).reshape(-1, 3)
    return ChurnGroups(
        by, tuple(names[code] for code in kept), sizes, share, fixes, breaks, neutral
    )


def _groups(churn: Churn, by: str) -> tuple[np.ndarray, list[str]]:
    if by in churn.schema.names:
        j = churn.schema.names.index(by)
        return top_groups(churn.schema.features[j], churn.data[:, j], NAMED)
    return churn.base, list(churn.output_names)
