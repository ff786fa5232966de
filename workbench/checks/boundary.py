"""Checks of people at the boundary: who hangs on the choice of the model, and who is compared."""

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.boundary import BoundaryPeople
from workbench.core.wording import counted, percent
from workbench.numerics.intervals import wilson

# Share of people for whom another model that is as good may decide otherwise.
MANY = 0.1
# Distance of a neighbour, of the median distance to anybody.
FAR = 1 / 3


def decided_by_model(result: BoundaryPeople) -> Finding:
    """Ask how many people an equally good model decides otherwise."""
    if not result.has_ranges:
        return Finding(
            "not_applicable", f"Equally good models were not asked: {result.remark.rstrip('.')}."
        )
    n, k = len(result), int(result.straddles.sum())
    share, low, high = k / n, *wilson(k, n)
    evidence = {"share": share, "low": low, "high": high, "models": float(result.admitted)}
    said = (
        f"For {k:,} of {counted(n, 'row')} ({percent(share)}) at least one of "
        f"{counted(result.admitted, 'equally good model')} decides otherwise"
    )
    if share <= MANY:
        return Finding("ok", f"{said}.", evidence, MANY, percent(share))
    sentence = (
        f"{said}: which of them are refused hangs on the choice of the model as much as on the "
        "people. Have somebody look at these decisions, or let several models decide together."
    )
    return Finding("warning", sentence, evidence, MANY, percent(share))


def neighbours_close(result: BoundaryPeople) -> Finding:
    """Ask whether the people that are compared are alike."""
    has = np.isfinite(result.distances) & (result.typical > 0)
    if not has.any():
        return Finding("not_applicable", "Nobody has a neighbour who is decided otherwise.")
    ratio = float(np.median(result.distances[has] / result.typical[has]))
    features = float(np.median((result.contributions[has] > 0).sum(1)))
    evidence = {"distance": ratio, "features": features}
    brief = f"{percent(ratio)} of a typical distance"
    if ratio <= FAR:
        sentence = (
            "The nearest people who are decided otherwise are close: at "
            f"{percent(ratio)} of the distance to a typical person, median."
        )
        return Finding("ok", sentence, evidence, FAR, brief)
    sentence = (
        f"The nearest people who are decided otherwise are not close: at {percent(ratio)} of the "
        f"distance to a typical person, and {features:g} features differ (medians). Which of them "
        "made the difference cannot be read from the comparison; look at the smallest change "
        "instead, or search a larger table."
    )
    return Finding("warning", sentence, evidence, FAR, brief)


BOUNDARY_CHECKS = (
    Check("WB055", "Decisions that any good model makes", "warning", 0, BoundaryPeople,
          decided_by_model),
    Check("WB056", "Neighbours are alike", "warning", 0, BoundaryPeople, neighbours_close),
)  # fmt: skip
