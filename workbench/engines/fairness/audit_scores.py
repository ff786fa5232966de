"""What scores say of groups: their level, what they tell apart, and how honest they are."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.context import Context
from workbench.engines.fairness.decided import Decided
from workbench.engines.fairness.tally import Partition
from workbench.numerics.group_means import Sums
from workbench.numerics.group_scores import (
    BINS,
    area_bounds,
    calibration_errors,
    cross_areas,
    reliability,
)

NAMES = (
    "mean_score", "mean_score_positive", "mean_score_negative", "auc", "calibration_error",
)  # fmt: skip
OUTCOMES = 0xFA3


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows with scores, sorted once."""

    decided: Decided
    truth: Int[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"] | None

    @cached_property
    def order(self) -> Int[np.ndarray, " n"]:
        """Rows by ascending score."""
        return np.argsort(self.decided.scores, kind="stable")

    @cached_property
    def rank(self) -> Int[np.ndarray, " n"]:
        """Of each score among the distinct ones."""
        ordered = self.decided.scores[self.order]
        rank = np.empty(len(ordered), dtype=np.int64)
        rank[self.order] = np.cumsum(np.concatenate([[0], ordered[1:] > ordered[:-1]]))
        return rank


def score_fields(
    scored: Scored,
    partition: Partition,
    group: Int[np.ndarray, " n"],
    place: int,
    resamples: int,
    context: Context,
) -> dict[str, Any]:
    """Measures of the scores of each group of a partition."""
    g, sums = len(partition), partition.scores
    areas = cross_areas(scored.rank, scored.truth, group, g, scored.weights)
    effective = sums.effective
    means, counts, positives = reliability(
        scored.decided.scores, scored.truth, group, g, scored.order
    )
    errors = calibration_errors(
        means, counts, positives, resamples, context.stream(OUTCOMES, place)
    )
    return {
        "score_values": np.stack([
            *(_inside(part) for part in (sums.over(1), sums[:, 1], sums[:, 0])),
            area_bounds(np.diagonal(areas), effective[:, 1], effective[:, 0]), errors,
        ]),
        "cross_areas": areas,
        "bin_scores": means, "bin_counts": counts, "bin_positives": positives,
    }  # fmt: skip


def _inside(sums: Sums) -> Float[np.ndarray, "g 3"]:
    """Mean scores with an interval between 0 and 1, which is all that one row can tell."""
    mean, low, high = np.moveaxis(sums.interval(), -1, 0)
    known = np.isfinite(mean)
    low = np.where(known & ~np.isfinite(low), 0.0, np.maximum(low, 0.0))
    high = np.where(known & ~np.isfinite(high), 1.0, np.minimum(high, 1.0))
    return np.stack([mean, low, high], -1)


def without_scores(partition: Partition) -> dict[str, Any]:
    """Return the same fields where decisions are all that is known."""
    g = len(partition)
    return {
        "score_values": np.full((len(NAMES), g, 3), np.nan),
        "cross_areas": np.full((g, g), np.nan),
        "bin_scores": np.full((g, BINS), np.nan),
        "bin_counts": np.zeros((g, BINS), dtype=np.int64),
        "bin_positives": np.zeros((g, BINS), dtype=np.int64),
    }
