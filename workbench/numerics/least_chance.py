"""The least chance that random groups can show."""

import math

from workbench.core.error_audit import MEASURES, ErrorAudit
from workbench.core.fairness import FairnessAudit
from workbench.core.fairness_metrics import GAPS
from workbench.numerics.mean_gaps import draws_for

# Random groups for each gap, so that the least chance there is stays below 5 % after Holm's
# correction.
DRAWS_FOR_EACH = 40


def least_chance(audit: FairnessAudit | ErrorAudit) -> float:
    """Return what a gap has that no draw reached: it counts as one draw itself.

    NaN where the record does not say how many draws there were.
    """
    wanted = audit.provenance.params.get("resamples")
    if not isinstance(wanted, int):
        return math.nan
    if isinstance(audit, ErrorAudit):
        return 1 / (1 + draws_of_errors(audit.provenance.n_rows, len(audit.partitions), wanted))
    return 1 / (1 + max(wanted, DRAWS_FOR_EACH * len(GAPS) * len(audit.partitions)))


def draws_of_errors(n_rows: int, n_partitions: int, wanted: int) -> int:
    """Return how many random groups an audit of errors draws.

    Enough for a gap to pass Holm's correction, unless the table is too large for so many.
    """
    return draws_for(n_rows, max(wanted, DRAWS_FOR_EACH * len(MEASURES) * n_partitions))


def is_least(chance: float, least: float) -> bool:
    """Tell whether a chance is the least there can be, so that the true one may be far less.

    Examples
    --------
    >>> is_least(1 / 2001, 1 / 2001), is_least(2 / 2001, 1 / 2001), is_least(0.5, math.nan)
    (True, False, False)
    """
    return chance <= least * 1.000_001
