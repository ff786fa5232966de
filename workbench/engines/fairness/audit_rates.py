"""Rates of groups, and the gaps between them, from counts."""

from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.fairness_metrics import RATES
from workbench.engines.fairness.audit_params import AuditParams
from workbench.engines.fairness.tally import Cells, Partition
from workbench.numerics.gap_intervals import gap_intervals, gaps_by_chance, only
from workbench.numerics.group_rates import denominators_of, gaps_of, rates_of
from workbench.numerics.group_tests import holm
from workbench.numerics.least_chance import DRAWS_FOR_EACH
from workbench.numerics.pooling import pooled_rates
from workbench.numerics.rates import mover_difference, mover_ratio, wilson_bounds, with_bounds

BOOTSTRAP, CHANCE = 0xFA1, 0xFA2
DRAWS_EACH = DRAWS_FOR_EACH


def rates_with_bounds(counts: Cells, squares: Cells) -> Float[np.ndarray, "r g 3"]:
    """Rates with Wilson's interval, of as many rows as tell as much where rows have weights."""
    rates = rates_of(counts)
    total, squared = denominators_of(counts), denominators_of(squares)
    effective = total**2 / np.where(squared > 0, squared, 1.0)
    return with_bounds(rates, wilson_bounds(np.where(total > 0, rates, 0.0) * effective, effective))


def rate_fields(partition: Partition) -> dict[str, Any]:
    """Rates of the groups of a partition: raw, pooled, and against the reference group."""
    rates = rates_with_bounds(partition.counts, partition.squares)
    reference = int(partition.counts.sum((1, 2)).argmax())
    differences = mover_difference(rates, rates[:, reference][:, None])
    ratios = mover_ratio(rates, rates[:, reference][:, None])
    # A group does not differ from itself, whatever its rate.
    for fields, same in ((differences, 0.0), (ratios, 1.0)):
        fields[:, reference] = np.where(np.isfinite(fields[:, reference, :1]), same, np.nan)
    return {
        "rates": rates, "pooled": _pooled(partition, rates), "references": reference,
        "differences": differences, "ratios": ratios,
    }  # fmt: skip


def _pooled(partition: Partition, rates: Float[np.ndarray, "r g 3"]) -> Float[np.ndarray, "r g 3"]:
    total, squared = denominators_of(partition.counts), denominators_of(partition.squares)
    n = total**2 / np.where(squared > 0, squared, 1.0)
    k = np.where(n > 0, rates[..., 0], 0.0) * n
    return np.stack([pooled_rates(k[r], n[r]) for r in range(len(RATES))])


def gap_fields(
    partition: Partition,
    rates: Float[np.ndarray, "r g 3"],
    place: int,
    params: AuditParams,
    draws: int,
    context: Context,
) -> dict[str, Any]:
    """Gaps between the groups of a partition with enough rows, and what random groups show."""
    compared = denominators_of(partition.rows.astype(np.float64)) >= params.least_rows
    value, cells = gaps_of(only(rates[..., 0], compared)), partition.effective
    floors, chances = gaps_by_chance(
        np.rint(cells).astype(np.int64), value, draws, context.stream(CHANCE, place),
        compared=compared,
    )  # fmt: skip
    gaps = gap_intervals(
        cells, rates, chances, params.resamples, context.stream(BOOTSTRAP, place),
        compared=compared,
    )  # fmt: skip
    return {"gaps": gaps, "floors": floors, "chances": chances}


def adjusted_chances(chances: Float[np.ndarray, "q p"]) -> Float[np.ndarray, "q p"]:
    """Correct for the number of gaps that were looked at (Holm)."""
    found = np.full(chances.shape, np.nan)
    known = np.isfinite(chances)
    if known.any():
        found[known] = holm(chances[known])
    return found
