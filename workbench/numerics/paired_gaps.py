"""Rates of groups and gaps under several rules for the same rows, and how they change."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.core.fairness_metrics import ALL, GAPS, RATES, Rate
from workbench.core.paired_changes import changes_by
from workbench.numerics.group_rates import denominators_of, gaps_of, rates_of
from workbench.numerics.intervals import wilson

AT_ONCE = 2**22


class Compared(NamedTuple):
    """Rates, gaps and accuracy of each rule, and the same less those of the first rule.

    Axes: rules, rates or gaps, groups, and 3 for the value with its 95 % interval.
    """

    rates: Float[np.ndarray, "r v g 3"]
    gaps: Float[np.ndarray, "r q 3"]
    accuracy: Float[np.ndarray, "r 3"]
    rate_changes: Float[np.ndarray, "r v g 3"]
    gap_changes: Float[np.ndarray, "r q 3"]
    accuracy_changes: Float[np.ndarray, "r 3"]


def compared(
    decisions: Float[np.ndarray, "r n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    resamples: int,
    rng: np.random.Generator,
) -> Compared:
    """Compare rules on the same rows.

    Rates have Wilson's interval. A change of a rate whose rows are told by the truth has that of
    a paired difference (``changes_by``). Gaps, their changes, and changes of other rates have
    percentiles over resamples that draw each group's rows together for all rules; the interval
    is widened to hold the value itself. Where no decision changes, a resample would say 0 for
    certain: a gap's interval is then that of its two least certain rates.

    Parameters
    ----------
    decisions
        Probability of the favourable decision.
    """
    r = len(decisions)
    counts = np.stack([_counts(own, truth, group, n_groups) for own in decisions])
    rates, gaps = rates_of(counts), gaps_of(rates_of(counts))
    right = np.where(truth == 1, decisions, 1 - decisions)
    everyone = np.zeros(len(truth), dtype=np.int64)
    drawn_rates, drawn_gaps = _drawn(decisions, truth, group, n_groups, resamples, rng)
    rate_changes = _with(rates - rates[:1], drawn_rates - drawn_rates[:, :1])
    for v, rate in enumerate(RATES.values()):
        if (rows := _fixed_rows(rate, truth)) is None:
            continue
        for at in range(r):
            change = _shift(rate, decisions[at] - decisions[0], truth)
            rate_changes[at, v] = changes_by(change[rows], group[rows], n_groups)
    gap_changes = _with(gaps - gaps[:1], drawn_gaps - drawn_gaps[:, :1])
    for at in range(1, r):
        if np.array_equal(decisions[at], decisions[0]):
            gap_changes[at] = _unchanged(rate_changes[at], gaps[at])
    # The first rule is the one held against: it does not change, and not by chance either.
    for first in (rate_changes[0], gap_changes[0]):
        first[np.isfinite(first)] = 0.0
    accuracy_changes = np.stack([changes_by(own - right[0], everyone, 1)[0] for own in right])
    accuracy_changes[0] = 0.0
    return Compared(
        _wilson(rates, denominators_of(counts)), _with(gaps, drawn_gaps),
        np.array([[own.mean(), *wilson(float(own.sum()), len(own))] for own in right]),
        rate_changes, gap_changes, accuracy_changes,
    )  # fmt: skip


def _counts(
    decisions: Float[np.ndarray, " n"], truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"], n_groups: int,
) -> Float[np.ndarray, "g 2 2"]:  # fmt: skip
    cell = group * 2 + truth
    granted = np.bincount(cell, decisions, 2 * n_groups)
    refused = np.bincount(cell, 1 - decisions, 2 * n_groups)
    return np.stack([refused, granted], -1).reshape(n_groups, 2, 2)


def _fixed_rows(rate: Rate, truth: Int[np.ndarray, " n"]) -> np.ndarray | None:
    """Return the rows that a rate is a share of, where decisions do not say which these are."""
    if rate.of == ALL:
        return np.ones(len(truth), bool)
    of = {cell[0] for cell in rate.of}
    return truth == of.pop() if len(of) == 1 else None


def _shift(
    rate: Rate, change: Float[np.ndarray, " n"], truth: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Return by how much each row counts more or less than before."""
    way = np.array([
        float((side, 1) in rate.counts) - float((side, 0) in rate.counts) for side in (0, 1)
    ])
    found: np.ndarray = change * way[truth]
    return found


def _drawn(
    decisions: Float[np.ndarray, "r n"], truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"], n_groups: int, resamples: int, rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "b r v g"], Float[np.ndarray, "b r q"]]:  # fmt: skip
    """Resample rows within groups; rows that all rules treat alike are drawn by their number."""
    kinds = [
        np.unique(np.vstack([truth[None, group == g], decisions[:, group == g]]).T, axis=0,
                  return_counts=True)
        for g in range(n_groups)
    ]  # fmt: skip
    widest = max([1, *(len(own) for own, _ in kinds)])
    rates, gaps = [], []
    for size in _sizes(resamples, max(1, AT_ONCE // widest)):
        counts = np.zeros((size, len(decisions), n_groups, 2, 2))
        for g, (own, times) in enumerate(kinds):
            if not len(own):
                continue
            n = int(times.sum())
            drawn = rng.multinomial(n, times / n, size=size).astype(np.float64)  # (b, u)
            for side in (0, 1):
                here = own[:, 0] == side
                granted = drawn[:, here] @ own[here, 1:]  # (b, r)
                counts[:, :, g, side, 1] = granted
                counts[:, :, g, side, 0] = drawn[:, here].sum(1, keepdims=True) - granted
        # Sums of the same shares in another order differ by rounding, not by chance.
        rates.append(rates_of(np.maximum(counts, 0.0)))
        gaps.append(gaps_of(rates[-1]))
    return np.concatenate(rates), np.concatenate(gaps)


def _sizes(total: int, at_once: int) -> Iterator[int]:
    while total > 0:
        yield min(total, at_once)
        total -= at_once


def _with(
    values: Float[np.ndarray, "*m"], drawn: Float[np.ndarray, "b *m"]
) -> Float[np.ndarray, "*m 3"]:
    """Put percentiles beside values; NaN where the value or all resamples are undefined."""
    known = np.isfinite(values) & np.isfinite(drawn).any(0)
    low, high = np.nanpercentile(np.where(known, drawn, 0.0), (2.5, 97.5), axis=0)
    bounds = np.stack([np.fmin(low, values), np.fmax(high, values)], -1)
    bounds[~known] = np.nan
    return np.concatenate([values[..., None], bounds], -1)


def _wilson(
    rates: Float[np.ndarray, "r v g"], of: Float[np.ndarray, "r v g"]
) -> Float[np.ndarray, "r v g 3"]:
    found = np.full((*rates.shape, 3), np.nan)
    for at in zip(*np.nonzero(of > 0), strict=True):
        found[at] = rates[at], *wilson(float(rates[at] * of[at]), float(of[at]))
    return found


def _unchanged(
    changes: Float[np.ndarray, "v g 3"], gaps: Float[np.ndarray, " q"]
) -> Float[np.ndarray, "q 3"]:
    """Return intervals around 0 from the two least certain groups of each gap's rates."""
    names, found = list(RATES), np.full((len(GAPS), 3), np.nan)
    for q, gap in enumerate(GAPS.values()):
        half = np.nan_to_num(changes[[names.index(name) for name in gap.of], :, 2])
        widest = float(np.sqrt(np.square(np.sort(half, -1)[:, -2:]).sum(-1)).max())
        if np.isfinite(gaps[q]):
            found[q] = 0.0, -widest, widest
    return found
