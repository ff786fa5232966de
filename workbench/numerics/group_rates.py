"""Counts of truth and decision by group, the rates of groups, and the gaps between them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.fairness_metrics import GAPS, RATES, Cells


def confusion(
    decided: Bool[np.ndarray, " n"] | Int[np.ndarray, " n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    weights: Float[np.ndarray, " n"] | None = None,
) -> Float[np.ndarray, "g 2 2"]:
    """Count rows by group, truth and decision, where favourable is 1.

    With ``weights``, their sums: expected decisions of a randomised rule, or sampling weights.
    """
    cell = (group.astype(np.int64) * 2 + truth) * 2 + decided
    counts = np.bincount(cell, weights=weights, minlength=4 * n_groups)
    return counts.reshape(n_groups, 2, 2).astype(np.float64)


def _sum(counts: Float[np.ndarray, "*m g 2 2"], cells: Cells) -> Float[np.ndarray, "*m g"]:
    total: np.ndarray = sum(counts[..., truth, decided] for truth, decided in cells)  # type: ignore[assignment]
    return total


def rates_of(counts: Float[np.ndarray, "*m g 2 2"]) -> Float[np.ndarray, "*m r g"]:
    """Rates in the order of ``RATES``; NaN where nobody is of whom it would be a share."""
    found = []
    for rate in RATES.values():
        of = _sum(counts, rate.of)
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(np.where(of > 0, _sum(counts, rate.counts) / of, np.nan))
    return np.stack(found, -2)


def denominators_of(counts: Float[np.ndarray, "*m g 2 2"]) -> Float[np.ndarray, "*m r g"]:
    """Of how many rows each rate is a share."""
    return np.stack([_sum(counts, rate.of) for rate in RATES.values()], -2)


@dataclass(frozen=True)
class Extremes:
    """The greatest and the least rate among the groups that have one, and how many those are."""

    high: Float[np.ndarray, "*m r"]
    low: Float[np.ndarray, "*m r"]
    known: Int[np.ndarray, "*m r"]


def extremes_of(rates: Float[np.ndarray, "*m r g"]) -> Extremes:
    """Find greatest and least rates, infinite where no group has one."""
    known = np.isfinite(rates)
    high, low = np.where(known, rates, -np.inf).max(-1), np.where(known, rates, np.inf).min(-1)
    return Extremes(high, low, known.sum(-1))


def gaps_of(rates: Float[np.ndarray, "*m r g"]) -> Float[np.ndarray, "*m q"]:
    """Gaps in the order of ``GAPS`` among the groups whose rates are defined.

    NaN where fewer than two groups are, and for a ratio where no group has a rate above 0.
    """
    return gaps_between(extremes_of(rates))


def gaps_between(found: Extremes) -> Float[np.ndarray, "*m q"]:
    """Gaps in the order of ``GAPS`` of the extremes of each rate."""
    few = found.known < 2
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.where(few, np.nan, found.high - found.low)
        ratio = np.where(few | ~(found.high > 0), np.nan, found.low / found.high)
    return combined(difference, ratio)


def combined(
    difference: Float[np.ndarray, "*m r"], ratio: Float[np.ndarray, "*m r"]
) -> Float[np.ndarray, "*m q"]:
    """Make gaps in the order of ``GAPS`` of what the rates have as differences and ratios."""
    names = list(RATES)
    gaps = []
    for gap in GAPS.values():
        at = [names.index(name) for name in gap.of]
        if gap.way == "ratio":
            gaps.append(ratio[..., at[0]])
        elif gap.way == "worst":
            gaps.append(difference[..., at].max(-1))
        else:  # a single difference is the mean of one
            gaps.append(difference[..., at].mean(-1))
    return np.stack(gaps, -1)
