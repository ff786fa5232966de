"""What a comparison of remedies lets one say: which gaps moved beyond chance, and for whom."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from workbench.core.fairness_metrics import ACCURACY, GAPS, RATES
from workbench.core.paired_changes import changes_by
from workbench.core.remedies import Remedies
from workbench.core.remedy_catalogue import AS_IS, REMEDIES

Moved = Literal["lessened", "worsened", "open", "undefined"]
# What is said of a change.
MOVED: dict[Moved, str] = {
    "lessened": "less, beyond chance",
    "worsened": "more, beyond chance",
    "open": "no change beyond chance",
    "undefined": "not defined",
}
# A control, which no remedy is.
CONTROLS = frozenset({AS_IS, "retrained"})
GAP_NAMES, RATE_NAMES = tuple(GAPS), tuple(RATES)


class ByTruth(NamedTuple):
    """Whose decision a remedy changes, as shares of the people of one group and truth (0, 1).

    Attributes
    ----------
    gained, lost
        Refused before and granted now, and the other way round; NaN where there is nobody.
    net
        The difference of both with its 95 % interval over the same rows.
    people
        Of how many.
    """

    gained: Float[np.ndarray, "g 2"]
    lost: Float[np.ndarray, "g 2"]
    net: Float[np.ndarray, "g 2 3"]
    people: Float[np.ndarray, "g 2"]


def tried(result: Remedies) -> list[int]:
    """Return the positions of remedies proper: neither the model as it is nor a control."""
    return [r for r, name in enumerate(result.names) if name not in CONTROLS]


def moved(result: Remedies, remedy: str | int, gap: str) -> Moved:
    """Tell whether a gap moved beyond chance: the whole interval of the paired change says so.

    A ratio lessens the gap where it rises.
    """
    value, low, high = result.gap_changes[result.index(remedy), GAP_NAMES.index(gap)]
    if not np.isfinite([value, low, high]).all():
        return "undefined"
    if GAPS[gap].way == "ratio":
        low, high = -high, -low
    return "lessened" if high < 0 else "worsened" if low > 0 else "open"


def gaps_that(result: Remedies, remedy: str | int, way: Moved) -> list[str]:
    """Return the gaps that a remedy moved in this way; that of the labels is no model's doing."""
    return [
        gap for gap in GAPS if gap != "base_rate_difference" and moved(result, remedy, gap) == way
    ]


def width(result: Remedies, remedy: int, gap: str) -> float:
    """Return how far a gap is from none, whichever way it is written."""
    return abs(float(result.gaps[remedy, GAP_NAMES.index(gap), 0]) - GAPS[gap].none)


def taken_in(result: Remedies, rate: str) -> Bool[np.ndarray, " g"]:
    """Tell which groups have enough rows behind a rate, as it is, to count in gaps."""
    granted, of = result.decisions[0], np.zeros(len(result))
    for truth, decided in RATES[rate].of:
        of += (result.truth == truth) * (granted if decided else 1 - granted)
    rows = np.bincount(result.group, of, len(result.group_names))
    least = max(1, int(result.provenance.params.get("least_rows", 1)))
    return np.asarray(rows >= least)


def decides_by_group(result: Remedies, remedy: str | int) -> bool:
    """Tell whether a remedy asks for the group where the model as it is did not need it so.

    A network that reads the column as before is no news; thresholds by group, or inputs changed by
    group, are.
    """
    r = result.index(remedy)
    openly = REMEDIES[result.names[r]].stage == "post" or result.names[r] == "correlation_remover"
    return bool(result.needs_attribute[r]) and (openly or not result.needs_attribute[0])


def most_helpful(result: Remedies) -> int | None:
    """Return the remedy with the least gap of those that lessen it beyond chance; None of none."""
    helpful = [r for r in tried(result) if moved(result, r, result.gap) == "lessened"]
    return min(helpful, key=lambda r: width(result, r, result.gap), default=None)


def focus(result: Remedies) -> int:
    """Return the remedy that is looked at first: most helpful, or what changes the gap most."""
    if (found := most_helpful(result)) is not None:
        return found
    change = np.nan_to_num(np.abs(result.gap_changes[:, result.gap_index, 0]), nan=-1.0)
    return max(tried(result), key=lambda r: float(change[r]), default=len(result.names) - 1)


def worse_off(result: Remedies, remedy: str | int) -> list[str]:
    """Return the groups that are granted more rarely, or wrongly refused more often."""
    return list(dict.fromkeys(g for g, rate in result.harmed(remedy) if rate != ACCURACY))


def less_right(result: Remedies, remedy: str | int) -> list[str]:
    """Return the groups that are decided rightly more rarely: a loss, but not always theirs."""
    return [group for group, rate in result.harmed(remedy) if rate == ACCURACY]


def by_truth(result: Remedies, remedy: str | int) -> ByTruth:
    """Return whose decision a remedy changes, by group and truth.

    Where a lot is drawn, shares are what is expected.
    """
    flips, g = result.flips(remedy), len(result.group_names)
    cell = result.group * 2 + result.truth
    people = np.bincount(cell, minlength=2 * g).reshape(g, 2).astype(float)
    change = result.decisions[result.index(remedy)] - result.decisions[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        gained, lost = flips.gained / people, flips.lost / people
    return ByTruth(gained, lost, changes_by(change, cell, 2 * g).reshape(g, 2, 3), people)
