"""Attribute flips in words: plain text, as in ``words``."""

import numpy as np
from jaxtyping import Float

from workbench.core.flips import SELDOM, AttributeFlips
from workbench.core.wording import counted, percent

# Rows of a group from which it is named, and pairs of values that are.
ENOUGH, NAMED = 20, 2
DIGITS = 2
# Of an attribute that is set, and of somebody alike of another group.
REFUSED = ("Refused because of it most often", "Refused where somebody alike is not, most often")
FAVOURED = ("Favoured most often", "Favoured where somebody alike is not, most often")


def attributes_of(result: AttributeFlips) -> str:
    """Name what is set: ``sex``, ``sex or race``."""
    *first, last = result.attributes
    return f"{', '.join(first)} or {last}" if first else last


def share(bounds: Float[np.ndarray, " 3"]) -> str:
    """Write a share with its interval; of one that is 0 or not defined only what is known.

    Examples
    --------
    >>> share(np.array([0.0321, 0.029, 0.0354])), share(np.array([0.0, 0.0, 0.0036]))
    ('3.2 % (2.9 % to 3.5 %)', 'none (up to 0.4 %)')
    """
    value, low, high = (float(part) for part in bounds)
    if np.isnan(value):
        return "not defined"
    if value == 0:
        return f"none (up to {percent(high)})"
    return f"{percent(value)} ({percent(low)} to {percent(high)})"


def flips_sentence(result: AttributeFlips) -> str:
    """Say whose decision changes with the attribute alone, and in which direction."""
    either, adverse, favoured = result.overall[:, 0]
    n, what, wished = len(result), attributes_of(result), result.favourable
    people = f"{n:,} {'person' if n == 1 else 'people'}"
    if result.mode == "uniform":
        people = f"{counted(n, 'input')} drawn from all that the schema allows"
    if result.mode == "conditional":
        return (
            f"Held against somebody of another {what} who is much like them, {share(either)} of "
            f"{people} are decided otherwise: {share(adverse)} are refused where the other gets "
            f"{wished}, {share(favoured)} get it where the other does not. Against somebody of "
            f"their own group it is {share(result.by_chance[0])}."
        )
    if either[0] == 0:
        return (
            f"No decision of {people} changes when {what} alone is set to anything else. With so "
            f"many, up to {percent(float(either[2]), DIGITS)} of all may still do."
        )
    return (
        f"Of {people}, {share(either)} would be decided otherwise if {what} alone were another: "
        f"{share(adverse)} are refused and would get {wished}, {share(favoured)} get it and would "
        "be refused."
    )


def groups_sentence(result: AttributeFlips) -> str:
    """Say which group is refused most often because of the attribute, and which is favoured."""
    told = np.flatnonzero(result.sizes >= ENOUGH)
    if len(told) < 2 or result.overall[0, 0, 0] == 0:
        return ""
    parts = []
    for kind, said in ((1, REFUSED), (2, FAVOURED)):
        rates = result.rates[kind, 0]
        # By what is sure: of a small group a high share may be chance.
        worst = told[int(np.argmax(rates[told, 1]))]
        if rates[worst, 0] > 0:
            start = said[result.mode == "conditional"]
            parts.append(f"{start}: {result.group_names[worst]}, {share(rates[worst])}.")
    return " ".join(parts)


def score_sentence(result: AttributeFlips) -> str:
    """Say how many would get the favourable decision if everybody were of one group."""
    rates = result.set_rates[:, 0]
    if not np.isfinite(result.group_score[0]):
        return ""
    high, low = int(np.nanargmax(rates)), int(np.nanargmin(rates))
    value, least, most = (100 * float(part) for part in result.group_score)
    gap = f"a difference of {value:.1f} points ({least:.1f} to {most:.1f})"
    if result.mode == "conditional":
        return (
            f"In the place of everybody, those much like them who are "
            f"{result.assignment_names[high]} get {result.favourable} in "
            f"{percent(float(rates[high]))} of cases, those who are "
            f"{result.assignment_names[low]} in {percent(float(rates[low]))}: {gap}."
        )
    if result.group_score[0] == 0:
        return (
            f"Whatever everybody were set to, {percent(float(rates[high]))} would get "
            f"{result.favourable}; among all the difference is at most "
            f"{percent(float(result.group_score[2]), DIGITS)}."
        )
    return (
        f"If everybody were {result.assignment_names[high]}, {percent(float(rates[high]))} would "
        f"get {result.favourable}; if everybody were {result.assignment_names[low]}, "
        f"{percent(float(rates[low]))}: {gap}."
    )


def plausible_sentence(result: AttributeFlips) -> str:
    """Say what remains without alternatives that are hardly ever met; empty where all are."""
    n_known, n_odd = int(result.known.sum()), int(result.implausible.sum())
    if not n_odd:
        return ""
    pairs = [
        f"{one} with {other} ({counted(seen, 'row')} where {expected:,.0f} would be)"
        for (one, other), seen, expected in zip(
            result.pairs[:NAMED], result.pair_seen, result.pair_expected, strict=False
        )
    ]
    named = f", such as {' or '.join(pairs)}" if pairs else ""
    return (
        f"{percent(n_odd / n_known)} of the alternatives are hardly ever met{named}. With the "
        f"others alone, {share(result.overall[0, 1])} would be decided otherwise."
    )


def person_sentence(result: AttributeFlips, row: int) -> str:
    """Say what would be decided of one person as anybody else.

    Raises
    ------
    InvalidInputError
        If there is no such row.
    """
    i = result.position(row)
    name, wished = result.group_names[result.group[i]], result.favourable
    gets = "gets" if result.own_decided[i] else "does not get"
    start = f"Row {row} ({name}) {gets} {wished} (probability {result.own_scores[i]:.2f})."
    changed = np.flatnonzero(result.changes()[i])
    if not len(changed):
        return f"{start} No other {attributes_of(result)} would change that."
    whom = "somebody much like them" if result.mode == "conditional" else "the same person"
    best = changed[int(np.argmax(np.abs(result.scores[i, changed] - result.own_scores[i])))]
    would = "would not" if result.own_decided[i] else "would"
    others = f" The same holds for {len(changed) - 1} more." if len(changed) > 1 else ""
    return (
        f"{start} As {result.assignment_names[best]} {whom} {would} "
        f"({result.scores[i, best]:.2f}).{others}{_odd(result, i, int(best))}"
    )


def support_text(result: AttributeFlips, row: int, assignment: int) -> str:
    """Write how often an assignment is met among rows like this one."""
    value = float(result.support[row, assignment])
    if result.seldom[row, assignment]:
        return "goes with another value that it is hardly ever met with"
    if np.isnan(value):
        return "how often it is met is not known"
    if value < SELDOM:
        return "hardly ever met among people like this"
    return f"met {value:.1f} times as often among people like this as among all"


def _odd(result: AttributeFlips, row: int, assignment: int) -> str:
    if not result.implausible[row, assignment]:
        return ""
    return " But hardly anybody like this is of that group, so do not read much into it."
