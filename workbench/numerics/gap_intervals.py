"""How sure gaps between groups are, and how large chance alone makes them."""

from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.fairness_metrics import ALL, GAPS, RATES
from workbench.numerics.chunks import slices
from workbench.numerics.count_bootstrap import BLOCK, bca_interval, reassigned
from workbench.numerics.group_rates import combined, gaps_of, rates_of
from workbench.numerics.intervals import LEVEL
from workbench.numerics.rates import mover_difference, mover_ratio

MEAN = np.array([gap.way == "mean" for gap in GAPS.values()])
RATIO = np.array([gap.way == "ratio" for gap in GAPS.values()])
# Gaps of one rate, and which rate that is.
SINGLE = np.array([gap.way in {"difference", "ratio"} for gap in GAPS.values()])
FIRST = np.array([list(RATES).index(gap.of[0]) for gap in GAPS.values()])
# Cells (truth, decision) as columns, cut by truth and by decision.
BY_TRUTH, BY_DECISION = ([0, 1], [2, 3]), ([0, 2], [1, 3])
# Rates that are shares of those of one truth, and of those of one decision.
OF_TRUTH, OF_DECISION = (
    np.array([rate.of != ALL and len({cell[side] for cell in rate.of}) == 1
              for rate in RATES.values()])
    for side in (0, 1)
)  # fmt: skip


def gaps_of_cells(
    cells: Float[np.ndarray, "*m g 4"], compared: Bool[np.ndarray, "r g"] | None = None
) -> Float[np.ndarray, "*m q"]:
    """Gaps in the order of ``GAPS`` of rows by (truth, decision), of the groups ``compared``."""
    return gaps_of(only(_rates_of_cells(cells), compared))


def only(
    rates: Float[np.ndarray, "*m r g"], compared: Bool[np.ndarray, "r g"] | None
) -> Float[np.ndarray, "*m r g"]:
    """Rates of the groups that are compared; of others NaN. None compares all."""
    return rates if compared is None else np.where(compared, rates, np.nan)


def gap_intervals(
    cells: Float[np.ndarray, "g 4"],
    rates: Float[np.ndarray, "r g 3"],
    chances: Float[np.ndarray, " q"],
    resamples: int,
    random: np.random.Generator,
    level: float = LEVEL,
    compared: Bool[np.ndarray, "r g"] | None = None,
) -> Float[np.ndarray, "q 3"]:
    """Gaps between groups with intervals.

    Of two groups, a difference or ratio of one rate has the interval of MOVER, from the rates'
    own. All others have that of a bootstrap by group (BCa), but never a narrower one than MOVER
    gives for the two groups furthest apart: a group whose few rows all fared alike would not vary
    in a bootstrap at all. A gap that random groups have as well reaches down to none: the
    greatest of several differences is never 0, however alike the groups are.

    Parameters
    ----------
    cells
        Rows by (truth, decision), of which each group is resampled; effective rows where rows
        have weights.
    rates
        With their intervals.
    chances
        That random groups are as far apart (``gaps_by_chance``).
    compared
        Groups between which there are gaps, by rate; None for all.
    """
    rates = rates if compared is None else np.where(compared[..., None], rates, np.nan)
    value, plain = gaps_of(rates[..., 0]), furthest_apart(rates)
    drawn = bca_interval(partial(gaps_of_cells, compared=compared), cells, resamples, random, level)
    pair = SINGLE & (np.isfinite(rates[..., 0]).sum(1) == 2)[FIRST]
    low = np.where(pair, plain[:, 1], np.fmin(drawn[:, 1], plain[:, 1]))
    high = np.where(pair, plain[:, 2], np.fmax(drawn[:, 2], plain[:, 2]))
    maybe_none = chances > 1 - level
    low = np.where(maybe_none & ~RATIO, 0.0, low)
    high = np.where(maybe_none & RATIO, 1.0, high)
    found = np.stack([value, low, high], -1)
    return np.where(np.isfinite(value)[:, None], found, np.nan)


def furthest_apart(rates: Float[np.ndarray, "r g 3"]) -> Float[np.ndarray, "q 3"]:
    """Gaps with MOVER's intervals, as if the two groups furthest apart had been named before.

    The worst of two rates has the greater of the bounds of both; their mean that of independent
    estimates, which the rates of those with and of those without the outcome are.
    """
    value = rates[..., 0]
    known = np.isfinite(value)
    every = np.arange(len(rates))
    top = rates[every, np.where(known, value, -np.inf).argmax(1)]
    bottom = rates[every, np.where(known, value, np.inf).argmin(1)]
    difference, ratio = mover_difference(top, bottom), mover_ratio(bottom, top)
    difference = np.where((known.sum(1) < 2)[:, None], np.nan, difference)
    folded = np.stack([
        difference[:, 0], np.maximum(0.0, difference[:, 1]),
        np.abs(difference[:, 1:]).max(1),
    ], 1)  # fmt: skip
    found = combined(folded.T, np.minimum(ratio, 1.0).T).T
    for q in np.flatnonzero(MEAN):
        at = [list(RATES).index(name) for name in list(GAPS.values())[q].of]
        mean = difference[at, 0].mean()
        below = np.hypot.reduce(difference[at, 0] - difference[at, 1]) / len(at)
        above = np.hypot.reduce(difference[at, 2] - difference[at, 0]) / len(at)
        found[q] = mean, max(0.0, mean - below), mean + above
    return found


def gaps_by_chance(
    cells: Int[np.ndarray, "g 4"],
    value: Float[np.ndarray, " q"],
    draws: int,
    random: np.random.Generator,
    level: float = LEVEL,
    compared: Bool[np.ndarray, "r g"] | None = None,
) -> tuple[Float[np.ndarray, "q 2"], Float[np.ndarray, " q"]]:
    r"""Say how large gaps are where groups are drawn at random, and how rarely as large as these.

    Rows keep their truth and decision, and each group as many rows as its rate is a share of: of
    true positive rates, its rows with the favourable outcome. Returns mean and quantile of the
    drawn gaps, and :math:`(1 + \#) / (1 + B)` with the number of those among ``B`` that are at
    least as far from none. NaN where the gap is.

    References
    ----------
    Phipson and Smyth (2010), Permutation P-values Should Never Be Zero.
    """
    step = max(1, BLOCK // cells.size)
    drawn = np.concatenate([
        gaps_of(only(_rates_by_chance(cells, part.stop - part.start, random), compared))
        for part in slices(draws, step)
    ])  # fmt: skip
    known = np.isfinite(drawn)
    near = 1e-12  # of gaps that are equal but for rounding
    with np.errstate(invalid="ignore"):
        as_far = np.where(RATIO, drawn <= value + near, drawn >= value - near) & known
    chance = (1 + as_far.sum(0)) / (1 + known.sum(0))
    floor = np.full((len(value), 2), np.nan)
    for q in np.flatnonzero(np.isfinite(value) & known.any(0)):
        own = drawn[known[:, q], q]
        floor[q] = own.mean(), np.quantile(own, 1 - level if RATIO[q] else level)
    return floor, np.where(np.isfinite(value), chance, np.nan)


def _rates_by_chance(
    cells: Int[np.ndarray, "g 4"], draws: int, random: np.random.Generator
) -> Float[np.ndarray, "b r g"]:
    rates = _rates_of_cells(reassigned(cells, draws, random))
    for chosen, strata in ((OF_TRUTH, BY_TRUTH), (OF_DECISION, BY_DECISION)):
        dealt = np.zeros((draws, *cells.shape))
        for columns in strata:
            dealt[..., columns] = reassigned(cells[:, columns], draws, random)
        rates[:, chosen] = _rates_of_cells(dealt)[:, chosen]
    return rates


def _rates_of_cells(cells: Float[np.ndarray, "*m g 4"]) -> Float[np.ndarray, "*m r g"]:
    return rates_of(cells.reshape(*cells.shape[:-1], 2, 2))
