"""Remedies in plain words: what changes for whom, what it costs, and what to watch out for."""

import numpy as np
from jaxtyping import Float

from workbench.core.fairness_metrics import ACCURACY, FPR, GAPS, SELECTION, TPR
from workbench.core.remedies import Remedies
from workbench.core.remedy_catalogue import AS_IS, REMEDIES
from workbench.core.remedy_reading import (
    GAP_NAMES,
    RATE_NAMES,
    decides_by_group,
    gaps_that,
    less_right,
    most_helpful,
    moved,
    taken_in,
    tried,
    worse_off,
)
from workbench.core.wording import counted, joined, percent
from workbench.plots.fairness_words import in_words
from workbench.plots.words import MINUS, number

NAMED, FEW = 3, 2
RARE, TENTH = 0.0005, 0.0995


def remedies_sentence(result: Remedies) -> str:
    """Say whether anything helps against the gap, what helps most, and at what price."""
    title, n = _lower(GAPS[result.gap].title), len(tried(result))
    if not n:
        return f"No remedy was tried yet against the {title} by {result.attribute}."
    best = most_helpful(result)
    if best is None:
        start = "The remedy tried does not lessen" if n == 1 else f"None of {n} remedies lessens"
        return (
            f"{start} the {title} by {result.attribute} beyond what chance brings with "
            f"{counted(len(result), 'row')}.{_control(result)}"
        )
    most = "" if n == 1 else f" most of {n}"
    return (
        f"{result.titles[best]} lessens the {title} by {result.attribute}{most}: "
        f"{gap_told(result, best, result.gap)}. {_price(result, best)}{_control(result)}"
    )


def _control(result: Remedies) -> str:
    """Say why one more is listed than there are remedies."""
    if "retrained" not in result.names:
        return ""
    return f" {REMEDIES['retrained'].title} is the control, and no remedy."


def _price(result: Remedies, r: int) -> str:
    """Say in short what is paid: in accuracy, by groups, and in other gaps."""
    worse = len(gaps_that(result, r, "worsened"))
    parts = [
        accuracy_told(result, r),
        _groups_are(result, worse_off(result, r), "worse off"),
        _groups_are(result, less_right(result, r), "decided rightly more rarely"),
        f"{counted(worse, 'other gap')} {'grows' if worse == 1 else 'grow'} beyond chance"
        if worse else "",
    ]  # fmt: skip
    told = "; ".join(part for part in parts if part)
    return f"{told[0].upper()}{told[1:]}."


def _groups_are(result: Remedies, groups: list[str], what: str) -> str:
    if not groups:
        return ""
    who = joined(groups) if len(groups) <= FEW else f"{len(groups)} of {len(result.sizes)} groups"
    return f"{who} {'is' if len(groups) == 1 else 'are'} {what}"


def remedy_sentence(result: Remedies, remedy: str | int) -> str:
    """Say what one remedy changes: for the groups, in decisions, and in accuracy."""
    r = result.index(remedy)
    told = [group_told(result, r, g) for g in extremes(result)]
    changed = result.flips(r).changed
    parts = [
        "; ".join(part for part in told if part),
        f"{hundred(changed, 0 if changed >= TENTH else 1)} in 100 decisions change",
        accuracy_told(result, r),
    ]
    name = result.titles[r]
    return f"With {_lower(name)}, {'; '.join(part for part in parts if part)}."


def extremes(result: Remedies) -> tuple[int, ...]:
    """Return the groups of enough rows with the least and the greatest rate behind the gap."""
    rate = GAPS[result.gap].of[0]
    values = result.rates[0, RATE_NAMES.index(rate), :, 0]
    known = np.flatnonzero(np.isfinite(values) & taken_in(result, rate))
    if len(known) < 2:
        return tuple(int(g) for g in known)
    return int(known[values[known].argmin()]), int(known[values[known].argmax()])


def group_told(result: Remedies, r: int, g: int, rate: str = "") -> str:
    """Say how many of 100 people of a group a rate holds, and held before."""
    rate = rate or GAPS[result.gap].of[0]
    v = RATE_NAMES.index(rate)
    before, after = result.rates[0, v, g, 0], result.rates[r, v, g, 0]
    if not np.isfinite([before, after]).all():
        return ""
    digits = 0 if abs(after - before) >= 0.01 or before == after else 1
    was, now = hundred(before, digits), hundred(after, digits)
    of_whom, do = in_words(result, rate)
    instead = f" instead of {was}" if now != was else " as before"
    return f"of 100 {of_whom} of {group_phrase(result, g)}, {now} {do}{instead}"


def gap_told(result: Remedies, r: int, gap: str) -> str:
    """Write a gap before and after, and its change with the interval over the same rows."""
    q = GAP_NAMES.index(gap)
    before, after = result.gaps[0, q, 0], result.gaps[r, q, 0]
    if not np.isfinite([before, after]).all():
        return "not defined, as fewer than two groups have enough people behind it"
    change = gap_change_told(result, r, gap)
    if GAPS[gap].way == "ratio":
        return f"from {before:.2f} to {after:.2f} (change {change})"
    return f"from {hundred(before, 1)} to {hundred(after, 1)} points (change {change})"


def gap_change_told(result: Remedies, r: int, gap: str) -> str:
    """Write the change of a gap with its interval over the same rows: in points, or of a ratio."""
    change = result.gap_changes[r, GAP_NAMES.index(gap)]
    if GAPS[gap].way != "ratio":
        return change_told(change)
    if not np.isfinite(change[0]):
        return "not defined"
    value, low, high = (f"{x:+.2f}".replace("-", MINUS) for x in change)
    return f"{value}, {low} to {high}"


def interval_told(three: Float[np.ndarray, "3"], gap: str = "") -> str:
    """Write a share, or a gap, with its interval."""
    if not np.isfinite(three[0]):
        return "not defined"
    ratio = gap and GAPS[gap].way == "ratio"
    value, low, high = (f"{x:.2f}" if ratio else percent(float(x)) for x in three)
    return f"{value} ({low} to {high})" if np.isfinite(three[1:]).all() else value


def change_told(change: Float[np.ndarray, "3"]) -> str:
    """Write a change of a share in points of a hundred, with its interval.

    Examples
    --------
    >>> change_told(np.array([0.031, -0.004, 0.066])), change_told(np.array([np.nan] * 3))
    ('+3.1, \N{MINUS SIGN}0.4 to +6.6', 'not defined')
    """
    if not np.isfinite(change[0]):
        return "not defined"
    value, low, high = (signed_points(float(x)) for x in change)
    return f"{value}, {low} to {high}"


def accuracy_told(result: Remedies, r: int) -> str:
    """Say by how much accuracy rises or falls, and whether that may be chance."""
    value, low, high = (float(x) for x in result.accuracy_changes[r])
    if not np.isfinite(value):
        return "accuracy is not defined"
    if abs(value) < RARE:
        return f"accuracy stays as it is ({signed_points(low)} to {signed_points(high)} points)"
    way = "rises" if value > 0 else "falls"
    chance = ", which may be chance" if low <= 0 <= high else ""
    return (
        f"accuracy {way} by {hundred(abs(value), 1)} points ({signed_points(low)} to "
        f"{signed_points(high)}{chance})"
    )


def cautions(result: Remedies, remedy: str | int) -> tuple[str, ...]:
    """Say what was found that speaks against putting a remedy to use, the gravest first.

    What is known of the remedy whatever is found stands in ``REMEDIES``.
    """
    r = result.index(remedy)
    if result.names[r] == AS_IS:
        return ()
    found = [
        *_harm(result, r), *_worsened(result, r), *_lot(result, r), *_attribute(result, r),
        *_multiplicity(result, r), *_proxy(result, r),
    ]  # fmt: skip
    return tuple(found)


def _harm(result: Remedies, r: int) -> list[str]:
    """Name each group that loses, and what it gets more rarely."""
    good, by_group = result.favourable, dict[str, list[str]]()
    less = {
        SELECTION: f"get the decision {good} more rarely",
        TPR: f"get it more rarely where their outcome is {good}",
        ACCURACY: "are decided rightly more rarely",
    }
    for group, rate in result.harmed(r):
        by_group.setdefault(group, []).append(less[rate])
    return [
        f"People of {result.attribute} {group} {joined(told)} than before, beyond chance."
        for group, told in by_group.items()
    ]


def _worsened(result: Remedies, r: int) -> list[str]:
    worse = gaps_that(result, r, "worsened")
    if not worse:
        return []
    named = "; ".join(
        f"{_lower(GAPS[gap].title)} {gap_told(result, r, gap)}" for gap in worse[:NAMED]
    )
    return [f"Other gaps grow beyond chance: {named}."]


def _lot(result: Remedies, r: int) -> list[str]:
    if not result.randomised[r]:
        return []
    return [
        f"{hundred(result.lots(r), 1)} in 100 decisions are drawn by lot: the same person may be "
        "granted today and refused tomorrow."
    ]


def _attribute(result: Remedies, r: int) -> list[str]:
    if not result.needs_attribute[r]:
        return []
    if not decides_by_group(result, r):
        return [f"It reads {result.attribute} to decide, as the model as it is does."]
    return [
        f"It decides by {result.attribute}, which has to be known of each person. That may be "
        "unlawful where you are: ask before you use it."
    ]


def _multiplicity(result: Remedies, r: int) -> list[str]:
    value, low, _ = (float(x) for x in result.multiplicity_changes[r])
    if not low > 0:
        return []
    return [
        f"Networks trained in the same way from other starts disagree about "
        f"{hundred(value, 1)} in 100 people more than before: more decisions hang on the start."
    ]


def _proxy(result: Remedies, r: int) -> list[str]:
    """Say how far the group can still be told where a remedy changes what is read."""
    before, after = result.proxy[0], result.proxy[r]
    if not np.isfinite([before[0], after[0]]).all() or not result.proxy_changes[r].any():
        return []
    return [
        f"How far {result.attribute} can be told from what it reads: area {after[0]:.2f} "
        f"({after[1]:.2f} to {after[2]:.2f}), before {before[0]:.2f}; 0.5 tells nothing, 1 all."
    ]


def guarantee_sentence(result: Remedies, remedy: str | int) -> str:
    """Say what a remedy promises on the rows that it was fitted on, and what is found there."""
    r = result.index(remedy)
    if not result.guarantees[r]:
        return ""
    found, bound = (float(x) for x in result.violations[r])
    said = f"{result.guarantees[r].rstrip('.')}."
    if not np.isfinite(found):
        return said
    most = "none" if bound < RARE else f"at most {bound:.3f}"
    promised = f", promised {most}" if np.isfinite(bound) else ""
    return f"{said} Distance found there: {found:.3f}{promised}. On new rows nothing is promised."


def gaps_sentence(result: Remedies, remedy: str | int) -> str:
    """Say which gaps a remedy lessens, which it worsens, and how many it leaves open."""
    r = result.index(remedy)
    less, more = gaps_that(result, r, "lessened"), gaps_that(result, r, "worsened")
    rest = len(gaps_that(result, r, "open"))
    name = result.titles[r]
    parts = [
        f"lessens {_listed(less)}" if less else "lessens no gap beyond chance",
        f"makes {_listed(more)} larger" if more else "makes none larger beyond chance",
    ]
    left = f"; {counted(rest, 'gap')} may be as before" if rest else ""
    return f"{name} {' and '.join(parts)}{left}."


def who_sentence(result: Remedies, remedy: str | int) -> str:
    """Say how many people of each group gain and lose the favourable decision."""
    r = result.index(remedy)
    flips = result.flips(r)
    if flips.changed < RARE / 10:
        return f"With {_lower(result.titles[r])}, nobody among these rows is decided differently."
    order = np.argsort(-np.abs(np.nan_to_num(flips.net[:, 0])), kind="stable")
    enough = taken_in(result, SELECTION)
    order = order[enough[order]][:NAMED]
    told = "; ".join(
        f"{group_phrase(result, int(g))}: {number(float(flips.gained[g].sum()))} gain and "
        f"{number(float(flips.lost[g].sum()))} lose of {int(result.sizes[g]):,}"
        for g in order
    )
    expected = " (expected numbers, as a lot is drawn)" if result.randomised[r] else ""
    start = (
        f"With {_lower(result.titles[r])}, {percent(flips.changed)} of the people are decided "
        f"differently{expected}."
    )
    return f"{start} {told[0].upper()}{told[1:]}." if told else start


def multiplicity_sentence(result: Remedies) -> str:
    """Say which remedies leave more decisions to the start of training."""
    known = [r for r in tried(result) if np.isfinite(result.multiplicity_changes[r, 0])]
    if not known:
        remarks = {result.multiplicity_remarks[r] for r in tried(result)} - {""}
        why = f": {next(iter(remarks))}" if len(remarks) == 1 else ""
        return f"Whether other networks would decide alike was not measured{why}."
    raised = [r for r in known if result.multiplicity_changes[r, 1] > 0]
    before = percent(float(result.multiplicity[0, 0]))
    start = (
        f"As it is, {before} of the people are decided otherwise by some network that was trained "
        "in the same way from another start"
    )
    if not raised:
        return f"{start}; no remedy raises that beyond chance."
    told = "; ".join(
        f"{_lower(result.titles[r])} to {percent(float(result.multiplicity[r, 0]))} (change "
        f"{change_told(result.multiplicity_changes[r])})"
        for r in raised[:NAMED]
    )
    return f"{start}; raised by {told}."


def verdict(result: Remedies, remedy: str | int) -> str:
    """Say in a few words whether a remedy does what it is for.

    Examples are ``helps``, ``helps; Male worse off``, ``no change beyond chance``.
    """
    r = result.index(remedy)
    said = {
        "lessened": "helps", "worsened": "makes the gap larger",
        "open": "no change beyond chance", "undefined": "not defined",
    }[moved(result, r, result.gap)]  # fmt: skip
    if worse := worse_off(result, r):
        return f"{said}; {joined(worse)} worse off"
    if less := less_right(result, r):
        return f"{said}; {joined(less)} decided rightly more rarely"
    return said


def group_phrase(result: Remedies, group: int) -> str:
    """Name a group with its attribute: ``sex Female``."""
    return f"{result.attribute} {result.group_names[group]}"


def hundred(share: float, digits: int = 0) -> str:
    """Write a share as a number out of a hundred; what is not nothing is never written as 0.

    Examples
    --------
    >>> hundred(0.314), hundred(0.0314, 1), hundred(0.0004), hundred(0.0)
    ('31', '3.1', 'fewer than 1', '0')
    """
    text = f"{100 * share:.{digits}f}"
    if share > 0 and not any(digit in text for digit in "123456789"):
        return f"fewer than {10.0**-digits:g}"
    return text.replace("-", MINUS)


def signed_points(share: float) -> str:
    """Write a difference of shares in points, with its sign and a true minus.

    Examples
    --------
    >>> signed_points(-0.004), signed_points(0.1234), signed_points(0.00001)
    ('\N{MINUS SIGN}0.4', '+12.3', '0.0')
    """
    text = f"{100 * share:+.1f}"
    if not any(digit in text for digit in "123456789"):
        return "0.0"
    return text.replace("-", MINUS)


def lessens_with(rate: str) -> bool:
    """Tell whether a group is worse off the lower a rate is."""
    return rate in {SELECTION, TPR, FPR, ACCURACY}


def _lower(title: str) -> str:
    """Write a title within a sentence."""
    return title[0].lower() + title[1:]


def _listed(gaps: list[str]) -> str:
    named = [_lower(GAPS[gap].title) for gap in gaps]
    return f"{', '.join(named[:NAMED])} and {len(named) - NAMED} more" if len(named) > NAMED + 1 \
        else joined(named)  # fmt: skip
