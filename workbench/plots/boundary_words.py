"""What is said of people who are decided narrowly, in words."""

import numpy as np

from workbench.core.boundary import NOBODY, UNKNOWN, WHO, BoundaryPeople
from workbench.core.wording import counted, percent
from workbench.plots.words import number

# Margins below which a decision is called narrow, in points of a hundred.
NARROW = 0.05
NAMED = 4


def points(share: float) -> str:
    """Write a probability as points of a hundred; what is not quite a whole one keeps a digit.

    Examples
    --------
    >>> points(0.4636), points(0.4997), points(0.004)
    ('46', '49.97', '0.4')
    """
    value = 100 * share
    near = abs(value - 50)
    digits = 0 if near >= 1 and value >= 1 else 1 if near >= 0.1 else 2
    return f"{value:.{digits}f}"


def distance_in_points(margin: float) -> str:
    """Write how far a score is from the boundary.

    Examples
    --------
    >>> distance_in_points(-0.036), distance_in_points(0.0123), distance_in_points(-0.0003)
    ('4 points', '1 point', '0.03 points')
    """
    value = abs(100 * margin)
    text = f"{value:.0f}" if value >= 0.95 else f"{value:.1g}"
    return f"{text} point{'' if text == '1' else 's'}"


def people_sentence(result: BoundaryPeople) -> str:
    """Say how many are decided narrowly, and how many by the choice of the model."""
    n = len(result)
    near = int((np.abs(result.margins) <= NARROW).sum())
    said = (
        f"{near:,} of {counted(n, 'person').replace('persons', 'people')} "
        f"({percent(near / n)}) {'is' if near == 1 else 'are'} decided by "
        f"{100 * NARROW:g} points of a hundred or less"
    )
    if not result.has_ranges:
        return f"{said}; equally good models were not asked."
    tip = int(result.straddles.sum())
    return (
        f"{said}; for {tip:,} ({percent(tip / n)}) at least one of "
        f"{counted(result.admitted, 'equally good model')} decides otherwise."
    )


def chosen_sentence(result: BoundaryPeople) -> str:
    """Say who was looked at in full."""
    m = len(result.chosen)
    if not m:
        return "Nobody of these rows is " + WHO[result.who].lower() + "."
    if result.provenance.params.get("people"):
        return f"Looked at in full: {counted(m, 'row')} that were named."
    among = "" if result.who == "everybody" else f" of the {WHO[result.who].lower()}"
    closest = np.abs(result.margins[result.chosen])
    first, last = (distance_in_points(float(closest[at])) for at in (0, -1))
    ends = last if m == 1 else f"{first.partition(' ')[0]} to {last}"
    return f"Looked at in full: the {m:,}{among} closest to the boundary, {ends} away from it."


def person_sentence(result: BoundaryPeople, row: int | None = None) -> str:
    """Say how narrowly a person is decided and what equally good models would decide.

    Raises
    ------
    InvalidInputError
        If that row was not looked at in full.
    """
    person = int(result.chosen[result.place_of(row)])
    score, margin = float(result.scores[person]), float(result.margins[person])
    decision = "Approved" if result.decided[person] else "Refused"
    way = "to spare" if result.decided[person] else "short"
    said = (
        f"Row {result.ids[person]}: {decision.lower()} with {points(score)} of 100 for "
        f"{result.favourable}, {distance_in_points(margin)} {way}"
    )
    return f"{said}{_others(result, person)}.{_truth(result, person)}"


def _others(result: BoundaryPeople, person: int) -> str:
    if not result.has_ranges:
        return ""
    share, low, high = (float(part) for part in result.otherwise[person])
    count, n = round(share * result.admitted), result.admitted
    if result.is_binary:
        verb = "refuse" if result.decided[person] else "approve"
    else:
        verb = "decide otherwise"
    ends = f"{points(float(result.low[person]))} to {points(float(result.high[person]))}"
    if not count:
        return f"; none of {counted(n, 'equally good model')} would {verb} (scores {ends})"
    return (
        f"; {count:,} of {counted(n, 'equally good model')} would {verb} "
        f"({percent(share)}, 95 %: {percent(low)} to {percent(high)}; scores {ends})"
    )


def _truth(result: BoundaryPeople, person: int) -> str:
    if result.truth[person] == UNKNOWN:
        return ""
    right = "wrong" if result.wrong[person] else "right"
    return f" By the label of the row the decision is {right}."


def flip_sentence(result: BoundaryPeople, row: int | None = None) -> str:
    """Say what another level of a protected attribute alone would do to a person.

    Raises
    ------
    InvalidInputError
        If that row was not looked at in full.
    """
    place = result.place_of(row)
    person, at = int(result.chosen[place]), result.strongest_flip(place)
    if at is None:
        if not result.attributes:
            return "No column is marked as protected, so that nobody is moved to another group."
        return "The model reads no protected column, so that another group changes nothing."
    attribute = int(result.flip_attributes[at])
    name, own = result.attributes[attribute], result.group_of(person, attribute)
    old, new = float(result.scores[person]), float(result.flip_scores[place, at])
    said = (
        f"With {name} = {result.flip_levels[at]} instead of {own}, all else equal, the score would "
        f"be {points(new)} instead of {points(old)}"
    )
    tipped = int((
        np.isfinite(result.flip_scores[place])
        & (result.flip_decided[place] != result.decided[person])
    ).sum())  # fmt: skip
    possible = int(np.isfinite(result.flip_scores[place]).sum())
    if result.flip_decided[place, at] != result.decided[person]:
        verb = "approved" if result.flip_decided[place, at] else "refused"
        how_many = (
            "The only other level tips it" if possible == 1
            else f"All {possible} other levels would tip it" if tipped == possible
            else f"{tipped} of {possible} other levels would tip it"
        )  # fmt: skip
        return f"{said}: {verb}. {how_many}."
    if tipped:
        return f"{said}; the decision stays, but {counted(tipped, 'other level')} would tip it."
    return f"{said}; no other level would tip the decision."


def neighbour_sentence(result: BoundaryPeople, row: int | None = None) -> str:
    """Say who the most similar person with the other decision is, and what differs.

    Raises
    ------
    InvalidInputError
        If that row was not looked at in full.
    """
    place = result.place_of(row)
    person = int(result.chosen[place])
    other = "refused" if result.decided[person] else "approved"
    if result.neighbour_ids[place] == NOBODY:
        return f"Nobody of the {result.searched:,} in the table is {other}."
    parts = result.contributions[place]
    differing = [int(j) for j in np.argsort(-parts, kind="stable") if parts[j] > 0]
    beside = [
        name
        for name, differs, spread in zip(
            result.names, result.differs[place], result.spread, strict=True
        )
        if differs and not spread
    ]
    start = (
        f"The most similar person who is {other} is row {result.neighbour_ids[place]}, with "
        f"{points(float(result.neighbour_scores[place]))} of 100"
    )
    if not differing:
        told = f"only {_listed(beside)} differs" if len(beside) == 1 else (
            f"only {_listed(beside)} differ" if beside else "nothing differs"
        )  # fmt: skip
        return f"{start}: {told}."
    first = [result.names[j] for j in differing[:NAMED]]
    more = len(differing) - len(first)
    told = _listed([*first, f"{more} more"] if more else first)
    ratio = float(result.distances[place] / result.typical[place]) if result.typical[place] else 0.0
    apart = f"at {percent(ratio)} of the distance to a typical person"
    also = f"; of what does not count, {_listed(beside)}" if beside else ""
    return f"{start}, {apart}. What differs: {told}{also}."


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def tolerance_sentence(result: BoundaryPeople) -> str:
    """Say what counts as equally good here, or why nobody else was asked."""
    if not result.has_ranges:
        return f"No ranges over equally good models: {result.remark}."
    return (
        f"Equally good: near-copies of the model whose cross-entropy on validation rows is at most "
        f"{number(result.tolerance)} nats worse; {result.admitted:,} of {result.drawn:,} tried."
    )
