"""An audit of fairness in sentences for readers who have never seen one."""

import numpy as np

from workbench.core.fairness import ENOUGH, FairnessAudit
from workbench.core.fairness_metrics import ACCURACY, FPR, GAPS, RATES, SELECTION, TPR
from workbench.core.remedies import Remedies
from workbench.core.wording import counted, percent
from workbench.numerics.audit_reading import (
    GAP_NAMES,
    LEVEL,
    MIRRORED,
    NAMES,
    apart,
    beyond_chance,
    clearest_rate,
    comparisons,
    difference,
    enough,
    extremes,
    gap_of,
    group_phrase,
    lacking,
    rate_index,
    worse_off,
)
from workbench.numerics.least_chance import is_least, least_chance
from workbench.plots.chance_words import chance_words

NAMED = 3
CLOSE = 0.02
# What befalls the group that a rate is worst for.
LESS = {
    **dict.fromkeys((SELECTION, TPR, FPR), "are granted less often"),
    ACCURACY: "are decided rightly less often",
}


def audit_sentence(audit: FairnessAudit, partition: int = 0, rate: str = TPR) -> str:
    """Say how a rate differs between the groups of a partition, and how sure that is."""
    ends = extremes(audit, rate, partition)
    if ends is None:
        return _too_few(audit, partition, rate)
    low, high = ends
    d = difference(audit, rate, high, low)
    digits = 0 if d[0] >= CLOSE else 1
    numbers, who = _of_hundred(audit, rate, ends, digits), _worse(audit, partition, rate)
    sure = _how_sure(audit, partition, rate, d, digits)
    return f"{who}Of{numbers.removeprefix('of')}. {sure}{_but(audit, partition, rate)}"


def chance_sentence(audit: FairnessAudit, partition: int = 0, rate: str = TPR) -> str:
    """Hold the gap of a rate against what groups drawn at random would show."""
    gap = gap_of(rate)
    found, (mean, top) = audit.gaps[gap, partition, 0], audit.floors[gap, partition]
    if not np.isfinite(found):
        return ""
    name = GAPS[GAP_NAMES[gap]].title.lower()
    p, corrected = float(audit.chances[gap, partition]), float(audit.adjusted[gap, partition])
    turned = p <= LEVEL < corrected
    many = int(np.isfinite(audit.chances).sum())
    least = is_least(p, least_chance(audit))
    turn = chance_words(corrected, least=least)
    after = f"; after correction for {many} comparisons {turn}" if turned else ""
    return (
        "Were the people dealt out to groups of these sizes at random, the "
        f"{name} would be {points(mean)} on average and above {points(top)} in one of 20 draws; "
        f"here it is {points(found)} ({chance_words(p, least=least)}{after})."
    )


def each_sentence(audit: FairnessAudit, partition: int = 0, rate: str = TPR) -> str:
    """Name the groups that surely differ from the largest one, each asked on its own.

    Empty of two groups, whose gap says the same, and where no group does.
    """
    if len(enough(audit, rate, partition)) < 3:
        return ""
    found = apart(audit, rate, partition)
    if not found:
        return ""
    reference = int(audit.references[partition])
    rates = 100 * audit.rates[NAMES.index(rate), :, 0]
    told = ", ".join(f"{rates[g]:.0f} with {group_phrase(audit, g)}" for g, _ in found[:NAMED])
    further = len(found) - NAMED
    rest = f" and {counted(further, 'more group')}" if further > 0 else ""
    many = len(comparisons(audit, rate))
    return (
        f"Each group against the largest, people with {group_phrase(audit, reference)} "
        f"({rates[reference]:.0f} of 100): {told}{rest} differ beyond chance, after correction for "
        f"{counted(many, 'comparison')}."
    )


def lacking_sentence(audit: FairnessAudit, partition: int = 0, rate: str = TPR) -> str:
    """Name the groups that are not compared, each with the reason."""
    missing = lacking(audit, rate, partition)
    if not missing:
        return ""
    told = "; ".join(
        f"{audit.group_names[g]} ({reason.removeprefix('insufficient evidence: only ')})"
        for g, reason in missing[: 2 * NAMED]
    )
    further = len(missing) - 2 * NAMED
    rest = f"; and {counted(further, 'more group')}" if further > 0 else ""
    return (
        f"Not compared, as fewer than {ENOUGH} rows tell little of a group: {told}{rest}. "
        "That is no sign that they are treated alike."
    )


def conflicts_sentence(audit: FairnessAudit, partition: int = 0) -> str:
    """Say which gaps are beyond chance, which are not, and whether they hit the same group."""
    found = {i: beyond_chance(audit, i, partition) for i in range(len(GAP_NAMES))}
    titles = [gap.title for gap in GAPS.values()]
    known = [i for i, beyond in found.items() if beyond is not None]
    if not known:
        return "No gap is defined: fewer than two groups have rows that tell one."
    gaps = [i for i in known if found[i]]
    others = [i for i in known if not found[i]]
    by = audit.partition_names[partition]
    if not gaps:
        return (
            f"None of {counted(len(known), 'gap')} by {by} is beyond what chance brings with this "
            "many rows. That does not show that there is none."
        )
    said = f"{len(gaps)} of {len(known)} gaps by {by} are beyond chance: {_listed(titles, gaps)}."
    if others:
        said += f" Not shown to differ: {_listed(titles, others)}."
    return f"{said} {_hit(audit, partition)}".strip()


def overview_sentence(audit: FairnessAudit) -> str:
    """Say by which attributes any gap is beyond chance, over all that was looked at."""
    found = []
    for p, name in enumerate(audit.partition_names):
        known = [i for i in range(len(GAP_NAMES)) if beyond_chance(audit, i, p) is not None]
        sure = sum(bool(beyond_chance(audit, i, p)) for i in known)
        found.append(f"by {name} {sure} of {len(known)}" if known else f"by {name} none is defined")
    return f"Gaps beyond chance, over all measures: {'; '.join(found)}."


def _listed(titles: list[str], positions: list[int]) -> str:
    return ", ".join(titles[i][0].lower() + titles[i][1:] for i in positions)


def _hit(audit: FairnessAudit, partition: int) -> str:
    """Say which group each surely differing rate is worst for, where that is not one and all."""
    worst: dict[str, list[str]] = {}
    for rate, about in RATES.items():
        if rate in MIRRORED:  # the same people, counted from the other side
            continue
        sure = beyond_chance(audit, gap_of(rate), partition)
        group = worse_off(audit, rate, partition) if sure else None
        if group is not None:
            worst.setdefault(group_phrase(audit, group), []).append(about.title.lower())
    if len(worst) < 2:
        return ""
    told = "; ".join(f"{group} by {', '.join(rates)}" for group, rates in worst.items())
    return f"They do not agree on who is worse off: {told}."


def _too_few(audit: FairnessAudit, partition: int, rate: str) -> str:
    of_whom, _ = in_words(audit, rate)
    groups = enough(audit, rate, partition)
    by = audit.partition_names[partition]
    if not len(groups):
        return f"No group by {by} has {ENOUGH} {of_whom}, so that none can be compared."
    only = group_phrase(audit, int(groups[0]))
    return (
        f"Only the group with {only} has {ENOUGH} {of_whom}, so that there is none to compare it "
        "with."
    )


def _worse(audit: FairnessAudit, partition: int, rate: str) -> str:
    group = worse_off(audit, rate, partition)
    if group is None or not beyond_chance(audit, gap_of(rate), partition):
        return ""
    return f"People with {group_phrase(audit, group)} are worse off. "


def _how_sure(audit: FairnessAudit, partition: int, rate: str, d: np.ndarray, digits: int) -> str:
    low, high = (_hundredths(bound, digits) for bound in d[1:])
    many = len(enough(audit, rate, partition)) > 2
    if not beyond_chance(audit, gap_of(rate), partition):
        which = f"the widest gap among {len(enough(audit, rate, partition))} groups" if many else (
            "a difference like this"
        )  # fmt: skip
        single = many and bool(apart(audit, rate, partition))
        ends = "single groups differ from the largest one, as said below." if single else (
            "by this measure no group is shown to be worse off."
        )  # fmt: skip
        return (
            f"With this many rows the difference could be {low} to {high}, and {which} is not "
            f"beyond what chance brings{'; ' if single else ': '}{ends}"
        )
    widest = ", and it is the widest of several" if many else ""
    return f"With this many rows the difference could be {low} to {high}{widest}."


def _of_hundred(audit: FairnessAudit, rate: str, ends: tuple[int, int], digits: int) -> str:
    """Say how many of 100 people of two groups a rate counts."""
    of_whom, do = in_words(audit, rate)
    least, most = (_hundredths(audit.rates[rate_index(rate), g, 0], digits) for g in ends)
    low, high = (group_phrase(audit, g) for g in ends)
    rest = of_whom.removeprefix("people")
    return f"of 100 people with {low}{rest}, {least} {do}; of 100 with {high}, {most}"


def _but(audit: FairnessAudit, partition: int, rate: str) -> str:
    """Name the clearest other gap of the partition, where a rate's own is not beyond chance."""
    if beyond_chance(audit, gap_of(rate), partition):
        return ""
    other = clearest_rate(audit, partition)
    ends = None if other is None else extremes(audit, other, partition)
    if other is None or ends is None:
        titles = [gap.title for gap in GAPS.values()]
        sure = [i for i in range(len(titles)) if beyond_chance(audit, i, partition)]
        by = audit.partition_names[partition]
        return f" But by {by} this is beyond chance: {_listed(titles, sure)}." if sure else ""
    d = difference(audit, other, ends[1], ends[0])
    numbers = _of_hundred(audit, other, ends, 0 if d[0] >= CLOSE else 1)
    name = RATES[other].title.lower()
    group = worse_off(audit, other, partition)
    if group is None:
        return f" But the {name} differs beyond chance: {numbers}."
    who = group_phrase(audit, group)
    return f" But people with {who} {LESS[other]} ({name}), beyond chance: {numbers}."


def in_words(result: FairnessAudit | Remedies, rate: str) -> tuple[str, str]:
    """Say of whom a rate is a share, and what they do, with the name of the class."""
    about, good = RATES[rate], result.favourable
    of_whom = (
        about.of_whom
        .replace("with the favourable outcome", f"whose outcome is {good}")
        .replace("without the favourable outcome", f"whose outcome is not {good}")
        .replace("with the favourable decision", f"who get the decision {good}")
    )
    do = about.do.replace("the favourable decision", f"the decision {good}").replace(
        "the favourable outcome", f"the outcome {good}"
    )
    return of_whom, do


def points(difference_: float) -> str:
    """Write a difference of shares in points of a hundred.

    Examples
    --------
    >>> points(0.123), points(0.004)
    ('12 points', '0.4 points')
    """
    scaled = 100 * difference_
    return f"{scaled:.0f} points" if scaled >= 9.95 else f"{scaled:.1f} points"


def interval_words(three: np.ndarray) -> str:
    """Write a share with its interval, or that it is not defined."""
    value, low, high = (float(x) for x in three)
    if not np.isfinite(value):
        return "not defined"
    if not np.isfinite(low):
        return percent(value)
    return f"{percent(value)} ({percent(low)} to {percent(high)})"


def gap_words(audit: FairnessAudit, gap: int, partition: int) -> str:
    """Write a gap with its interval in its own unit."""
    value, low, high = (float(x) for x in audit.gaps[gap, partition])
    if not np.isfinite(value):
        return "not defined"
    if not np.isfinite(low):
        return f"{value:.3f}"
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def verdict(audit: FairnessAudit, gap: int, partition: int) -> str:
    """Say whether a gap is beyond chance."""
    beyond = beyond_chance(audit, gap, partition)
    if beyond is None:
        return "not defined"
    least = is_least(float(audit.chances[gap, partition]), least_chance(audit))
    p = f"corrected {chance_words(float(audit.adjusted[gap, partition]), least=least)}"
    return f"beyond chance ({p})" if beyond else f"not beyond chance ({p}, limit {LEVEL:g})"


def _hundredths(share: float, digits: int) -> str:
    text = f"{100 * share:.{digits}f}"
    if not any(letter in text for letter in "123456789"):
        text = text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")
