"""What an update would change, in words."""

import numpy as np

from workbench.core.churn import Churn
from workbench.core.rashomon import explorer_words
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.engines.rashomon.realised import realised
from workbench.plots.churn import NO_MODELS, NO_UPDATE
from workbench.plots.churn_groups import groups_of
from workbench.plots.words import number

# Area up to which nothing was foreseen worth the name, and from which most of it was.
LITTLE, MUCH = 0.6, 0.8
# Rows of a group from which a sentence names it.
LARGE = 20


def churn_sentence(churn: Churn, tolerance: float | None = None) -> str:
    """Say how many decisions an update would change on average and at worst, and what that does."""
    if not len(churn):
        return "There are no rows to decide."
    within = churn.admitted(tolerance)
    at = float(churn.tolerances[-1]) if tolerance is None else tolerance
    allowed = f"whose {churn.loss_name} is at most {number(at)} above the given model's"
    if not within.any():
        return f"No model was found {allowed}, so nothing is known of an update."
    finders = listing([explorer_words(key) for key in churn.explorers], 3)
    changes = "change the decision of" if churn.classifies else (
        f"move the value by more than {number(churn.movement)} for"
    )  # fmt: skip
    own = churn.churn(tolerance)
    said = (
        f"{counted(int(within.sum()), 'model')} ({finders}) {allowed} {changes} "
        f"{percent(float(own.mean()))} of {counted(len(churn), 'row')} on average"
        f"{_interval(churn, tolerance)}, and {percent(float(own.max()))} at worst."
    )
    if not churn.classifies:
        return said
    fixes, breaks, _ = (float(part.mean()) for part in churn.effects(tolerance))
    return (
        f"{said} On average {percent(breaks)} of the rows go from right to wrong, and "
        f"{percent(fixes)} from wrong to right."
    )


def noise_sentence(churn: Churn, tolerance: float | None = None) -> str:
    """Say that a tolerance cannot be told from 0, where chance moves a loss by as much."""
    within = churn.admitted()
    at = float(churn.tolerances[-1]) if tolerance is None else tolerance
    least = 2 * float(np.median(churn.noise[within])) if within.any() else 0.0
    if at >= least:
        return ""
    return (
        f"A tolerance of {number(at)} cannot be told from 0: two standard errors of the difference "
        f"in {churn.loss_name} are {number(least)}."
    )


def group_sentence(churn: Churn, by: str | None = None, tolerance: float | None = None) -> str:
    """Say which group's decisions change most, and whether that is more than chance.

    Raises
    ------
    InvalidInputError
        If nothing makes groups, or not by this.
    """
    found = groups_of(churn, by, tolerance=tolerance)
    large = found.sizes >= LARGE
    if large.sum() < 2 or np.isnan(found.churn[large, 0]).any():
        return f"There are no two groups by {found.by} of {LARGE} rows or more to compare."
    value, low, high = found.churn[large].T
    names = [name for name, told in zip(found.names, large, strict=True) if told]
    most, least = int(value.argmax()), int(value.argmin())
    if value[most] == value[least]:
        return f"By {found.by}, all groups change alike ({percent(float(value[most]))})."
    sure = low[most] > high[least]
    what = "decisions change" if churn.classifies else "values move"
    doubt = "" if sure else "; with so few rows that may be chance"
    return (
        f"By {found.by}, {what} most for {names[most]} "
        f"({percent(float(value[most]))}) and least for {names[least]} "
        f"({percent(float(value[least]))}){doubt}."
    )


def update_sentence(churn: Churn, tolerance: float | None = None) -> str:
    """Say what a real update changed, and how far prospective models foresaw it."""
    if churn.update_decisions is None:
        return NO_UPDATE
    if not churn.admitted(tolerance).any():
        return NO_MODELS
    found = realised(churn, tolerance)
    share, low, high = found.churn
    said = (
        f"{churn.update} changes {percent(share)} of the rows ({percent(low)} to {percent(high)}); "
        f"{percent(found.expected)} were foreseen on average."
    )
    if churn.classifies:
        said += (
            f" {percent(found.breaks)} go from right to wrong, {percent(found.fixes)} from wrong "
            "to right."
        )
    area, least, most = found.area
    if np.isnan(area):
        return f"{said} All rows fare alike, so there is nothing to tell apart."
    told = "hardly" if area < LITTLE else "well" if area >= MUCH else "to some extent"
    return (
        f"{said} Which rows change was {told} foreseen: AUC {area:.2f} ({least:.2f} to {most:.2f})."
    )


def _interval(churn: Churn, tolerance: float | None) -> str:
    """Write the interval of the mean, which is known at the tolerances of the result."""
    at = churn.tolerances[-1] if tolerance is None else tolerance
    place = np.flatnonzero(np.isclose(churn.tolerances, at))
    if not len(place):
        return ""
    _, low, high = (float(value) for value in churn.expected[place[0]])
    return "" if np.isnan(low) else f" ({percent(low)} to {percent(high)})"
