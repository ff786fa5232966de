"""Checks of remedies: does one help beyond chance, and whom or what does the best one harm."""

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.fairness_metrics import GAPS, RATES
from workbench.core.remedies import Remedies
from workbench.core.remedy_reading import (
    decides_by_group,
    focus,
    gaps_that,
    most_helpful,
    moved,
    tried,
)

# What the checks about one remedy say where none was tried.
NONE = Finding("not_applicable", "No remedy was tried, so there is nothing to judge.")


def beyond_noise(result: Remedies) -> Finding:
    """Ask whether the remedy that is shown lessens the gap by more than chance."""
    if not tried(result):
        return NONE
    r = focus(result)
    value, low, high = (float(x) for x in result.gap_changes[r, result.gap_index])
    title, name = GAPS[result.gap].title.lower(), result.titles[r]
    if moved(result, r, result.gap) == "undefined":
        return Finding(
            "warning",
            f"The {title} is not defined before or after, as a group has nobody of whom it would "
            "be a share: choose another gap, or more rows.",
        )
    evidence = {"change": value, "low": low, "high": high}
    brief = f"{value:+.3f} ({low:+.3f} to {high:+.3f})".replace("-", "\N{MINUS SIGN}")
    if most_helpful(result) is not None:
        return Finding(
            "ok", f"{name} lessens the {title} by more than chance brings.", evidence, 0.0, brief
        )
    return Finding(
        "warning",
        f"No remedy lessens the {title} by more than chance brings with {len(result):,} test "
        "rows: what is seen may be noise. Use more rows, or a remedy that does more.",
        evidence, 0.0, brief,
    )  # fmt: skip


def nobody_harmed(result: Remedies) -> Finding:
    """Ask whether the remedy that is shown makes a group worse off, or another gap larger."""
    if not tried(result):
        return NONE
    r = focus(result)
    harmed, worse = result.harmed(r), gaps_that(result, r, "worsened")
    evidence = {"harms": float(len(harmed)), "gaps_worsened": float(len(worse))}
    name = result.titles[r]
    if not harmed and not worse:
        sentence = f"With {name.lower()}, no group is worse off and no gap larger beyond chance."
        return Finding("ok", sentence, evidence, 0.0, "nobody")
    parts = []
    if harmed:
        told = "; ".join(
            f"{result.attribute} {group} by {RATES[rate].title.lower()}" for group, rate in harmed
        )
        parts.append(f"it makes worse off, beyond chance, {told}")
    if worse:
        told = ", ".join(GAPS[gap].title.lower() for gap in worse)
        parts.append(f"it makes other gaps larger ({told})")
    brief = ", ".join(dict.fromkeys(group for group, _ in harmed)) or f"{len(worse)} gaps"
    return Finding(
        "warning",
        f"{name} has a price: {'; '.join(parts)}. Weigh that against what it gains.",
        evidence, 0.0, brief,
    )  # fmt: skip


def same_for_all(result: Remedies) -> Finding:
    """Ask whether the remedy that is shown draws lots, or has to know the group to decide."""
    if not tried(result):
        return NONE
    r = focus(result)
    lots, needs = result.lots(r), decides_by_group(result, r)
    evidence = {"by_lot": lots, "needs_attribute": float(needs)}
    name = result.titles[r]
    parts, brief = [], []
    if result.randomised[r]:
        parts.append(
            f"it draws lots for {100 * lots:.1f} % of the people, so that the same person may be "
            "granted today and refused tomorrow"
        )
        brief.append(f"{100 * lots:.1f} % by lot")
    if needs:
        parts.append(
            f"it has to know {result.attribute} of each person to decide, which may be unlawful"
        )
        brief.append(f"needs {result.attribute}")
    if not parts:
        reads = bool(result.needs_attribute[r])
        sentence = f"{name} draws no lots, and " + (
            f"reads {result.attribute} no more than the model as it is does."
            if reads else f"does not ask for {result.attribute} to decide."
        )  # fmt: skip
        return Finding("ok", sentence, evidence, 0.0, "neither")
    return Finding(
        "warning", f"{name}: {'; and '.join(parts)}. Settle that before it is put to use.",
        evidence, 0.0, ", ".join(brief),
    )  # fmt: skip


def multiplicity_kept(result: Remedies) -> Finding:
    """Ask whether more decisions hang on the start of training than before."""
    if not tried(result):
        return NONE
    r = focus(result)
    value, low, high = (float(x) for x in result.multiplicity_changes[r])
    if not np.isfinite([value, low, high]).all():
        why = result.multiplicity_remarks[r] or "the networks that would tell were not trained"
        return Finding("not_applicable", f"It was not measured: {why.rstrip('.')}.")
    evidence = {"change": value, "low": low, "high": high}
    brief = f"{100 * value:+.1f} points".replace("-", "\N{MINUS SIGN}")
    if low > 0:
        sentence = (
            f"With {result.titles[r].lower()}, networks of the same training disagree about more "
            "people than before, beyond chance: who is granted hangs more on the start. Average "
            "several, or say so to those who are decided."
        )
        return Finding("warning", sentence, evidence, 0.0, brief)
    sentence = (
        f"With {result.titles[r].lower()}, networks of the same training disagree about no more "
        "people than before, beyond chance."
    )
    return Finding("ok", sentence, evidence, 0.0, brief)


REMEDY_CHECKS = (
    Check("WB060", "The gap is less beyond chance", "warning", 0, Remedies, beyond_noise),
    Check("WB061", "Nobody is worse off", "warning", 0, Remedies, nobody_harmed),
    Check("WB062", "Neither lots nor the group decide", "warning", 0, Remedies, same_for_all),
    Check("WB063", "Multiplicity does not rise", "warning", 0, Remedies, multiplicity_kept),
)
