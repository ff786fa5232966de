"""Measures over people instead of groups, and over groups by log ratios."""

from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.table import Table
from workbench.engines.fairness.audit_params import AuditParams
from workbench.engines.fairness.tally import Partition
from workbench.numerics.count_bootstrap import bca_interval
from workbench.numerics.intervals import mean_interval
from workbench.numerics.unevenness import (
    between_groups,
    differential,
    disagreements,
    generalized_entropy,
    theil,
)

NAMES = ("consistency", "consistency_with_self", "generalized_entropy", "theil")
SAMPLE, INDICES, RATIOS = 0xFA4, 0xFA5, 0xFA6
# Rows among which neighbours are looked for.
MOST_POINTS = 20_000


def people_points(rows: Table, left_out: frozenset[str]) -> Float[np.ndarray, "n p"]:
    """Place people so that distance tells how unlike they are: one standard deviation is 1.

    Another category is 1 away as well, and so is a value that is missing. Columns in ``left_out``
    and protected ones do not count.
    """
    columns = []
    for feature, column in zip(rows.schema.features, rows.X.T.numpy(), strict=True):
        if feature.protected or feature.name in left_out:
            continue
        absent = np.isnan(column)
        if feature.kind == "categorical":
            codes = np.where(absent, len(feature.categories), column).astype(np.int64)
            columns.append(np.eye(len(feature.categories) + 1)[codes] / np.sqrt(2.0))
            continue
        known = column[~absent]
        spread = float(known.std()) if len(known) else 0.0
        centre = float(known.mean()) if len(known) else 0.0
        scaled = np.where(absent, 0.0, (column - centre) / (spread or 1.0))
        columns.append(np.stack([scaled, absent.astype(float)], 1))
    return np.concatenate([np.zeros((len(rows), 1)), *columns], 1)


def individual_fields(
    cells: Float[np.ndarray, " 4"],
    decided: Float[np.ndarray, " n"],
    table: Table | None,
    weights: Float[np.ndarray, " n"] | None,
    left_out: frozenset[str],
    params: AuditParams,
    context: Context,
) -> Float[np.ndarray, "i 3"]:
    """Return the measures of ``NAMES`` with intervals; NaN of those that need features.

    Parameters
    ----------
    cells
        Rows by (truth, decision), effective ones where rows have weights.
    """
    indices = bca_interval(
        lambda counts: np.stack(
            [generalized_entropy(counts[..., 0, :]), theil(counts[..., 0, :])], -1
        ),
        cells[None], params.resamples, context.stream(INDICES),
    )  # fmt: skip
    consistency = np.full((2, 3), np.nan)
    if table is not None and len(table) > 1:
        weights = np.ones(len(table)) if weights is None else weights
        consistency = _consistency(table, decided, weights, left_out, params, context)
    return np.concatenate([consistency, indices])


def _consistency(
    table: Table,
    decided: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    left_out: frozenset[str],
    params: AuditParams,
    context: Context,
) -> Float[np.ndarray, "2 3"]:
    chosen = np.arange(len(table))
    if len(table) > MOST_POINTS:
        chosen = np.sort(context.stream(SAMPLE).permutation(len(table))[:MOST_POINTS])
    own = np.arange(len(chosen))
    if len(chosen) > params.neighbour_rows:
        drawn = context.stream(SAMPLE, 1).permutation(len(chosen))
        own = np.sort(drawn[: params.neighbour_rows])
    points, found = people_points(table[chosen], left_out), []
    for with_self in (False, True):
        far = disagreements(points, decided[chosen], params.neighbours, own, with_self=with_self)
        mean, low, high = mean_interval(far, weights[chosen][own])
        found.append([1 - mean, max(0.0, 1 - high), min(1.0, 1 - low)])
    return np.array(found)


def evenness_fields(
    partition: Partition, place: int, resamples: int, context: Context
) -> dict[str, Any]:
    """Differential fairness of a partition, and what of Theil's index lies between its groups."""
    found = bca_interval(
        lambda counts: differential(counts)[..., None],
        partition.effective, resamples, context.stream(RATIOS, place),
    )  # fmt: skip
    value, low, high = found[0]
    # What is corrected for chance may lie below the greatest of several distances as it was seen.
    bounds = np.array([value, max(0.0, min(low, value)), max(high, value)])
    return {
        "differential": np.where(np.isfinite(value), bounds, np.nan),
        "between": between_groups(partition.counts.reshape(-1, 4)),
    }  # fmt: skip
