"""Accuracy and gaps of many models on the same rows, with what chance does to both."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from workbench.core.context import Context
from workbench.core.fairness_front import NONE, VALIDATION, within_eps
from workbench.core.fairness_metrics import ACCURACY, GAPS, RATES
from workbench.engines.rashomon.fairness_rows import Part
from workbench.numerics.fronts import chance_on_front, chance_to_beat, pareto
from workbench.numerics.group_rates import confusion, gaps_of, rates_of
from workbench.numerics.intervals import LEVEL
from workbench.numerics.paired_counts import resampled_confusions

RESAMPLES = 0xFA1
# Where all groups are alike, of each gap.
ALIKE = np.array([gap.none for gap in GAPS.values()])


@dataclass(frozen=True, eq=False)
class Measured:
    """Models on one set of rows: counts, and accuracy and gaps as found and in each resample."""

    counts: Float[np.ndarray, "m g 2 2"]
    accuracy: Float[np.ndarray, " m"]
    gaps: Float[np.ndarray, "m q"]
    drawn_accuracy: Float[np.ndarray, "b m"]
    drawn_gaps: Float[np.ndarray, "b m q"]

    @property
    def away(self) -> Float[np.ndarray, "m q"]:
        """How far gaps are from where groups are alike: the less, the fairer."""
        found: np.ndarray = np.abs(self.gaps - ALIKE)
        return found

    @property
    def drawn_away(self) -> Float[np.ndarray, "b m q"]:
        """The same of resamples."""
        found: np.ndarray = np.abs(self.drawn_gaps - ALIKE)
        return found


def measure(
    decided: Bool[np.ndarray, "m n"], part: Part, n_groups: int, draws: int, context: Context,
    which: int,
) -> Measured:  # fmt: skip
    """Count, and count again in resamples of the rows that are the same for all models."""
    counts = np.stack([confusion(own, part.truth, part.group, n_groups) for own in decided])
    accuracy, gaps = [], []
    resamples = resampled_confusions(
        decided, part.truth, part.group, n_groups, draws=draws,
        rng=context.stream(RESAMPLES, which),
    )  # fmt: skip
    for some in resamples:
        accuracy.append(accuracy_of(some))
        gaps.append(gaps_of(rates_of(some)))
        context.step(min(draws, 100 * len(accuracy)), draws, "resamples")
    return Measured(
        counts, accuracy_of(counts), gaps_of(rates_of(counts)), np.concatenate(accuracy),
        np.concatenate(gaps),
    )  # fmt: skip


def accuracy_of(counts: Float[np.ndarray, "*m g 2 2"]) -> Float[np.ndarray, "*m"]:
    """Return the share of right decisions over all groups."""
    pooled = rates_of(counts.sum(-3)[..., None, :, :])
    found: np.ndarray = pooled[..., list(RATES).index(ACCURACY), 0]
    return found


def interval(
    value: Float[np.ndarray, "*m"], drawn: Float[np.ndarray, "b *m"]
) -> Float[np.ndarray, "*m 3"]:
    """Return values with the middle 95 % of what resamples have; NaN where a value is."""
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    undefined = ~np.isfinite(drawn).any(0)
    low, high = np.nanquantile(np.where(undefined, 0.0, drawn), ends, axis=0)
    found = np.stack([value, low, high], -1)
    found[undefined | ~np.isfinite(value)] = np.nan
    return found


def fields_of(both: tuple[Measured, Measured], eps: float) -> dict[str, Any]:
    """Return what a result says of models on validation rows and on those reported on."""
    found: dict[str, list[Any]] = {}
    for own in both:
        away, drawn = own.away, own.drawn_away
        cost, gain = np.moveaxis(drawn, -1, 0), own.drawn_accuracy
        said = {
            "counts": own.counts,
            "accuracy": interval(own.accuracy, gain),
            "gaps": interval(own.gaps, own.drawn_gaps),
            "accuracy_change": interval(own.accuracy - own.accuracy[0], gain - gain[:, :1]),
            "change": interval(away - away[0], drawn - drawn[:, :1]),
            "covariance": _covariance(gain, own.drawn_gaps),
            "beats": np.stack(
                [chance_to_beat(gain, c, gain[:, :1], c[:, :1])[:, 0] for c in cost], -1
            ),
            "front": np.stack([pareto(own.accuracy, c) for c in away.T], -1),
            "chance": np.stack([chance_on_front(gain, c) for c in cost], -1),
        }
        for name, values in said.items():
            found.setdefault(name, []).append(values)
    first = both[VALIDATION]
    chosen, ends = choose(first.accuracy, first.away, eps)
    return {
        **{name: np.stack(values, 1) for name, values in found.items()},
        "chosen": chosen, "ends": ends,
        "width": np.stack([_width(own, ends) for own in both], 1),
    }  # fmt: skip


def choose(
    accuracy: Float[np.ndarray, " m"], away: Float[np.ndarray, "m q"], eps: float
) -> tuple[Int[np.ndarray, " q"], Int[np.ndarray, "q 2"]]:
    """Return for each gap the least discriminatory alternative, and both ends of the range.

    Of those within ``eps`` of the first one's accuracy, the one nearest to where groups are alike;
    of several, the most accurate and then the first. ``NONE`` where that is no nearer than the
    first model is, and where the gap is not defined.
    """
    fit = within_eps(accuracy, eps)
    chosen, ends = [], []
    for cost in away.T:
        able = np.flatnonzero(fit & np.isfinite(cost))
        if not len(able):
            chosen.append(NONE)
            ends.append((NONE, NONE))
            continue
        order = able[np.lexsort((able, -accuracy[able], cost[able]))]
        least, most = int(order[0]), int(order[-1])
        nearer = np.isfinite(cost[0]) and cost[least] < cost[0]
        chosen.append(least if nearer else NONE)
        ends.append((least, most))
    return np.array(chosen, dtype=np.int64), np.array(ends, dtype=np.int64)


def _width(own: Measured, ends: Int[np.ndarray, "q 2"]) -> Float[np.ndarray, "q 3"]:
    """How far the gaps of the models at both ends lie apart, which are the same for all rows."""
    found = []
    for q, (least, most) in enumerate(ends.tolist()):
        if least == NONE:
            found.append(np.full(3, np.nan))
            continue
        drawn = own.drawn_away[:, most, q] - own.drawn_away[:, least, q]
        found.append(interval(np.array(own.away[most, q] - own.away[least, q]), drawn))
    return np.stack(found)


def _covariance(
    accuracy: Float[np.ndarray, "b m"], gaps: Float[np.ndarray, "b m q"]
) -> Float[np.ndarray, "m q 3"]:
    """Variance of the accuracy, covariance, and variance of the gap, over defined resamples."""
    known = np.isfinite(gaps)
    n = known.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):

        def middle(values: np.ndarray) -> np.ndarray:
            mean: np.ndarray = np.where(known, values, 0.0).sum(0) / n
            return mean

        spread = np.broadcast_to(accuracy[:, :, None], gaps.shape)
        one, other = spread - middle(spread), gaps - middle(gaps)
        found = np.stack([middle(one * one), middle(one * other), middle(other * other)], -1)
        found = found * (n / (n - 1))[..., None]
    found[n < 2] = np.nan
    return found
