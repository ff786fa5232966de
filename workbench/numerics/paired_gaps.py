"""Rates of groups and gaps under several rules for the same rows, and how they change."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from workbench.core.fairness_metrics import ALL, GAPS, RATES, Rate
from workbench.core.paired_changes import Z, changes_by
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
    is widened to hold the value itself. It is never narrower than what the two groups furthest
    apart give by their own intervals: few rows that all fare alike do not vary in a resample.

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
        half = gap_change_noise(rates[[0, at]], rate_changes[at])
        own = gap_changes[at]
        own[:, 1] = np.fmin(own[:, 1], own[:, 0] - half)
        own[:, 2] = np.fmax(own[:, 2], own[:, 0] + half)
    spread = _wilson(rates, denominators_of(counts))
    with_interval = _with(gaps, drawn_gaps)
    for own, given in zip(with_interval, spread, strict=True):
        plain = furthest_apart(given)
        wider = np.stack([np.fmin(own[:, 1], plain[:, 0]), np.fmax(own[:, 2], plain[:, 1])], -1)
        own[:, 1:] = np.where(np.isfinite(own[:, :1]), wider, np.nan)
    # The first rule is the one held against: it does not change, and not by chance either.
    for first in (rate_changes[0], gap_changes[0]):
        first[np.isfinite(first)] = 0.0
    accuracy_changes = np.stack([changes_by(own - right[0], everyone, 1)[0] for own in right])
    accuracy_changes[0] = 0.0
    return Compared(
        spread, with_interval,
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
    """Put ``intervals.wilson`` beside rates, all at once."""
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (rates + Z**2 / (2 * of)) / (1 + Z**2 / of)
        half = Z * np.sqrt(rates * (1 - rates) / of + (Z / (2 * of)) ** 2) / (1 + Z**2 / of)
    low, high = np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
    return np.where(
        (of > 0)[..., None], np.stack([rates, np.fmin(low, rates), np.fmax(high, rates)], -1),
        np.nan,
    )  # fmt: skip


def furthest_apart(rates: Float[np.ndarray, "v g 3"]) -> Float[np.ndarray, "q 2"]:
    r"""Return bounds of gaps from the intervals of the two groups furthest apart (MOVER).

    Of a difference :math:`d - \sqrt{(p_1 - l_1)^2 + (u_2 - p_2)^2}` and
    :math:`d + \sqrt{(u_1 - p_1)^2 + (p_2 - l_2)^2}`, not below 0; of the worst of two the greater
    bounds, of their mean the mean ones, which is wider than needed.

    References
    ----------
    Zou and Donner (2008), Construction of Confidence Limits about Effect Measures; Donner and
    Zou (2012), Closed-form Confidence Intervals for Functions of the Normal Mean and Standard
    Deviation, for ratios.
    """
    top, bottom = _extremes(rates)
    low = top[:, 0] - bottom[:, 0] - np.hypot(top[:, 0] - top[:, 1], bottom[:, 2] - bottom[:, 0])
    high = top[:, 0] - bottom[:, 0] + np.hypot(top[:, 2] - top[:, 0], bottom[:, 0] - bottom[:, 1])
    low = np.maximum(low, 0.0)
    names, found = list(RATES), []
    for gap in GAPS.values():
        at = [names.index(name) for name in gap.of]
        if gap.way == "ratio":
            found.append(_ratio_bounds(bottom[at[0]], top[at[0]]))
        elif gap.way == "mean":
            found.append((low[at].mean(), high[at].mean()))
        else:
            found.append((low[at].max(), high[at].max()))
    return np.array(found)


def _extremes(
    rates: Float[np.ndarray, "v g 3"],
) -> tuple[Float[np.ndarray, "v 3"], Float[np.ndarray, "v 3"]]:
    """Return the groups of greatest and least rate; of equal ones those that are least certain."""
    value, every = rates[..., 0], np.arange(len(rates))
    known = np.isfinite(value)
    most = np.where(known, value, -np.inf)
    least = np.where(known, value, np.inf)
    highest = np.where(most == most.max(1, keepdims=True), rates[..., 2], -np.inf)
    lowest = np.where(least == least.min(1, keepdims=True), rates[..., 1], np.inf)
    return rates[every, highest.argmax(1)], rates[every, lowest.argmin(1)]


def _ratio_bounds(
    low_group: Float[np.ndarray, " 3"], high_group: Float[np.ndarray, " 3"]
) -> tuple[float, float]:
    (p, pl, pu), (q, ql, qu) = low_group, high_group
    with np.errstate(invalid="ignore", divide="ignore"):
        under = np.sqrt(max(0.0, (p * q) ** 2 - pl * qu * (2 * p - pl) * (2 * q - qu)))
        over = np.sqrt(max(0.0, (p * q) ** 2 - pu * ql * (2 * p - pu) * (2 * q - ql)))
        low = (p * q - under) / (qu * (2 * q - qu))
        high = (p * q + over) / (ql * (2 * q - ql))
    return float(np.fmax(low, 0.0)), float(np.fmin(high, 1.0))


def gap_change_noise(
    rates: Float[np.ndarray, "2 v g"], changes: Float[np.ndarray, "v g 3"]
) -> Float[np.ndarray, " q"]:
    """Return half the width that the change of a gap has at least.

    By the paired changes of the rates of the two groups furthest apart, before or after,
    whichever is less certain. NaN where a gap is not defined.
    """
    half = (changes[..., 2] - changes[..., 1]) / 2
    spread = []
    for own in rates:
        top, bottom = _extremes(np.stack([own, -half, half], -1))
        spread.append(np.hypot(top[:, 2], bottom[:, 2]))
    noise, names, found = np.fmax(*spread), list(RATES), []
    largest = np.fmax(*np.where(np.isfinite(rates), rates, 0.0).max(-1))
    for gap in GAPS.values():
        at = [names.index(name) for name in gap.of]
        one = noise[at].mean() if gap.way == "mean" else noise[at].max()
        if gap.way == "ratio":
            one = one / largest[at[0]] if largest[at[0]] > 0 else np.nan
        found.append(one)
    return np.array(found)
