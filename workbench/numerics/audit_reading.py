"""What an audit lets one say: which groups can be compared, how far apart two are, how surely."""

import numpy as np
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.fairness import FairnessAudit
from workbench.core.fairness_metrics import ACCURACY, FNR, FPR, GAPS, RATES, SELECTION, TNR, TPR
from workbench.core.schema import listing
from workbench.numerics.rates import mover_difference

# Chance of a gap at random, after Holm's correction, below which it is told as a gap.
LEVEL = 0.05
NAMES = tuple(RATES)
GAP_NAMES = tuple(GAPS)
# Rates that a group is worse off with where they are low, and where they are high. Of the others
# it depends on what is at stake, so that nobody is called worse off.
LOW_IS_WORSE = frozenset({SELECTION, TPR, FPR, ACCURACY})
HIGH_IS_WORSE = frozenset({FNR, TNR})
# Refusals are what is left of decisions, so their gap is the same one.
MIRRORED = {FNR: TPR, TNR: FPR}


def rate_index(rate: str) -> int:
    """Return the position of a rate.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    if rate not in NAMES:
        raise InvalidInputError(f"There is no rate {rate!r}; choose one of {listing(NAMES, 20)}.")
    return NAMES.index(rate)


def gap_of(rate: str) -> int:
    """Return the position of the gap that is the greatest difference of a rate."""
    meant = (MIRRORED.get(rate, rate),)
    return next(
        i for i, gap in enumerate(GAPS.values()) if gap.way == "difference" and gap.of == meant
    )


def enough(audit: FairnessAudit, rate: str, partition: int) -> Int[np.ndarray, " m"]:
    """Return the groups of a partition of which a rate is told by enough rows to be compared."""
    groups, r = audit.groups_of(partition), rate_index(rate)
    return groups[audit.sufficient[r, groups] & np.isfinite(audit.rates[r, groups, 0])]


def extremes(audit: FairnessAudit, rate: str, partition: int) -> tuple[int, int] | None:
    """Return the groups with the least and the greatest rate; None where fewer than two have it."""
    groups = enough(audit, rate, partition)
    if len(groups) < 2:
        return None
    values = audit.rates[rate_index(rate), groups, 0]
    return int(groups[values.argmin()]), int(groups[values.argmax()])


def difference(audit: FairnessAudit, rate: str, one: int, other: int) -> Float[np.ndarray, " 3"]:
    """Return the rate of one group less that of another, with limits made from theirs (MOVER)."""
    rates = audit.rates[rate_index(rate)]
    return mover_difference(rates[one], rates[other])


def beyond_chance(audit: FairnessAudit, gap: int, partition: int) -> bool | None:
    """Tell whether a gap is beyond what random groups would show; None where it is undefined."""
    if not np.isfinite(audit.gaps[gap, partition, 0]):
        return None
    return bool(audit.adjusted[gap, partition] <= LEVEL)


def clearest(audit: FairnessAudit, rate: str) -> int:
    """Return the partition by which the gap of a rate is least likely by chance."""
    adjusted = audit.adjusted[gap_of(rate)]
    return int(np.where(np.isfinite(adjusted), adjusted, 2.0).argmin())


def worse_off(audit: FairnessAudit, rate: str, partition: int) -> int | None:
    """Return the group that a rate is worst for; None where that is no matter of more or less."""
    ends = extremes(audit, rate, partition)
    if ends is None or rate not in LOW_IS_WORSE | HIGH_IS_WORSE:
        return None
    return ends[0] if rate in LOW_IS_WORSE else ends[1]


def lacking(audit: FairnessAudit, rate: str, partition: int) -> list[tuple[int, str]]:
    """Return the groups of which a rate is undefined or told by few rows, each with the reason."""
    reasons = ((int(g), audit.reason(rate, int(g))) for g in audit.groups_of(partition))
    return [(g, reason) for g, reason in reasons if reason]


def group_phrase(audit: FairnessAudit, group: int) -> str:
    """Name a group with its attributes: ``sex Female and race Black``."""
    attributes = (audit.attributes[at] for at in audit.partitions[audit.partition_of[group]])
    levels = audit.group_levels[group]
    *first, last = (f"{a} {level}" for a, level in zip(attributes, levels, strict=True))
    return f"{', '.join(first)} and {last}" if first else last
