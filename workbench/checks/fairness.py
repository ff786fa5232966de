"""Checks of an audit: enough rows, gaps beyond chance, what is undefined, what cannot be had."""

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.fairness import ENOUGH, FairnessAudit
from workbench.core.fairness_metrics import BASE, FNR, FPR, PPV, RATES, SELECTION, TPR
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.numerics.audit_reading import (
    LEVEL,
    beyond_chance,
    extremes,
    gap_of,
    group_phrase,
    rate_index,
)

# Rates whose few rows matter to most readers; the others have as few.
TOLD = (SELECTION, TPR, FPR)
NAMED = 4


def tiny_groups(audit: FairnessAudit) -> Finding:
    """Ask whether every group has enough rows to be compared."""
    at = [rate_index(rate) for rate in TOLD]
    least = audit.denominators[at].min(0)
    found = np.flatnonzero((least < ENOUGH) & (audit.sizes > 0))
    there = audit.sizes > 0
    evidence = {
        "least_rows": float(least[there].min()), "tiny_groups": float(len(found)),
        "groups_without_rows": float((~there).sum()),
    }  # fmt: skip
    if not len(found):
        sentence = f"Every group has {ENOUGH} rows or more behind each of the usual rates."
        return Finding("ok", sentence, evidence, ENOUGH, f"{int(least[there].min()):,} at least")
    names = listing((group_phrase(audit, int(g)) for g in found), NAMED)
    sentence = (
        f"{counted(len(found), 'group')} {'has' if len(found) == 1 else 'have'} fewer than "
        f"{ENOUGH} rows with, or without, the favourable outcome: {names}. They are shown but not "
        "ranked, and are not to be read as treated alike."
    )
    return Finding("warning", sentence, evidence, ENOUGH, counted(len(found), "tiny group"))


def beyond_the_floor(audit: FairnessAudit) -> Finding:
    """Ask whether the gaps are beyond what groups drawn at random show, all tests counted."""
    known = np.isfinite(audit.gaps[..., 0])
    sure = known & (audit.adjusted <= LEVEL)
    alone = known & (audit.chances <= LEVEL) & ~sure
    evidence = {
        "gaps": float(known.sum()), "beyond_chance": float(sure.sum()),
        "only_before_correction": float(alone.sum()),
    }  # fmt: skip
    brief = f"{int(sure.sum())} of {int(known.sum())}"
    if not known.any():
        return Finding("not_applicable", "No gap is defined.", evidence)
    within = (
        f"{int(known.sum() - sure.sum())} of {int(known.sum())} gaps are not beyond what groups "
        "drawn at random would show (Holm's correction for all gaps and partitions): do not read "
        "them as differences in treatment, nor as proof that there are none."
    )
    if alone.any():
        sentence = (
            f"{within} {int(alone.sum())} of them would pass if looked at alone; with so many "
            "comparisons some do by chance."
        )
        return Finding("warning", sentence, evidence, LEVEL, brief)
    if not sure.any():
        return Finding("warning", within, evidence, LEVEL, brief)
    sentence = (
        f"{int(sure.sum())} of {int(known.sum())} gaps are beyond what groups drawn at random "
        "show, after correction for their number."
    )
    return Finding("ok", sentence, evidence, LEVEL, brief)


def undefined_rates(audit: FairnessAudit) -> Finding:
    """Ask whether every rate of every group with rows is defined."""
    lost = ~np.isfinite(audit.rates[..., 0]) & (audit.sizes > 0)
    evidence = {"undefined": float(lost.sum()), "groups": float(lost.any(0).sum())}
    if not lost.any():
        return Finding("ok", "Every rate of every group with rows is defined.", evidence, 0.0)
    r, g = (int(at[0]) for at in np.nonzero(lost))
    rate = list(RATES)[r]
    told = f"{RATES[rate].title.lower()} of {group_phrase(audit, g)} ({audit.reason(rate, g)})"
    more = int(lost.sum()) - 1
    rest = f", and {counted(more, 'more rate')}" if more else ""
    sentence = (
        f"Undefined, and left out of the gaps: {told}{rest}. A gap among the other groups says "
        "nothing about these."
    )
    return Finding("warning", sentence, evidence, 0.0, f"{int(lost.sum())} undefined")


def not_all_at_once(audit: FairnessAudit) -> Finding:
    r"""Ask whether base rates differ, so that three rates cannot be equal together.

    In each group :math:`\mathrm{FPR} = \frac{p}{1-p} \frac{1-\mathrm{PPV}}{\mathrm{PPV}}
    (1-\mathrm{FNR})`, with :math:`p` the base rate.

    References
    ----------
    Chouldechova (2017), Fair prediction with disparate impact, eq. 2.6.
    """
    for p in range(len(audit.partitions)):
        ends = extremes(audit, BASE, p)
        if ends is not None and beyond_chance(audit, gap_of(BASE), p):
            return _conflict(audit, *ends)
    known = np.isfinite(audit.gaps[gap_of(BASE), :, 0])
    if not known.any():
        return Finding("not_applicable", "Fewer than two groups have a base rate to compare.")
    sentence = (
        "Base rates of the groups do not differ beyond chance, so that equal predictive values "
        "and equal error rates do not rule each other out."
    )
    return Finding("ok", sentence, {"gap": float(audit.gaps[gap_of(BASE), known, 0].max())})


def _conflict(audit: FairnessAudit, low: int, high: int) -> Finding:
    bases = audit.rates[rate_index(BASE), [low, high], 0]
    evidence = {"base_rate_low": float(bases[0]), "base_rate_high": float(bases[1])}
    ppv, fnr, fpr = (float(audit.rates[rate_index(rate), high, 0]) for rate in (PPV, FNR, FPR))
    names = {g: group_phrase(audit, g) for g in (low, high)}
    sentence = (
        f"The outcome is favourable for {percent(float(bases[0]))} of {names[low]} and for "
        f"{percent(float(bases[1]))} of {names[high]}: equal positive predictive values, "
        "false positive rates and false negative rates cannot be had together, unless there were "
        "no mistakes. Choose which matters and write down why."
    )
    if np.isfinite([ppv, fnr, fpr]).all() and ppv > 0 and bases[0] < 1:
        implied = bases[0] / (1 - bases[0]) * (1 - ppv) / ppv * (1 - fnr)
        evidence |= {"false_positive_rate": fpr, "false_positive_rate_implied": float(implied)}
        sentence += (
            f" If {names[low]} had the predictive value and the false negative rate of "
            f"{names[high]}, its false positive rate would be {percent(float(implied))} instead "
            f"of {percent(fpr)}."
        )
    brief = f"{percent(float(bases[0]))} and {percent(float(bases[1]))}"
    return Finding("warning", sentence, evidence, None, brief)


FAIRNESS_CHECKS = (
    Check("WB045", "Rows behind every group", "warning", 0, FairnessAudit, tiny_groups),
    Check("WB046", "Gaps beyond chance", "warning", 0, FairnessAudit, beyond_the_floor),
    Check("WB047", "Rates that are defined", "warning", 0, FairnessAudit, undefined_rates),
    Check("WB048", "Base rates allow equal errors", "warning", 0, FairnessAudit, not_all_at_once),
)
