"""Checks of an audit of errors: enough rows, gaps beyond chance, what is not told."""

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.error_audit import MEASURES, ErrorAudit
from workbench.core.fairness import ENOUGH
from workbench.core.schema import listing
from workbench.core.wording import counted
from workbench.numerics.audit_reading import LEVEL

NAMED = 4
# Measures of how the model errs; the others say what it predicts and what is true.
OF_ERRORS = [
    at
    for at, name in enumerate(MEASURES)
    if name in {"mean_error", "mean_absolute_error", "root_mean_squared_error", "quantile_loss"}
]


def tiny_groups(audit: ErrorAudit) -> Finding:
    """Ask whether every group with rows has enough of them to be compared."""
    there, enough = audit.sizes > 0, int(audit.provenance.params.get("least_rows", ENOUGH))
    found = np.flatnonzero(there & (audit.sizes < enough))
    least = int(audit.sizes[there].min())
    evidence = {
        "least_rows": float(least), "tiny_groups": float(len(found)),
        "groups_without_rows": float((~there).sum()),
    }  # fmt: skip
    if not len(found):
        sentence = f"Every group has {enough} rows or more."
        return Finding("ok", sentence, evidence, enough, f"{least:,} rows")
    names = listing((repr(audit.group_names[int(g)]) for g in found), NAMED)
    sentence = (
        f"{counted(len(found), 'group')} {'has' if len(found) == 1 else 'have'} fewer than "
        f"{enough} rows: {names}. They are shown, but too few rows tell of them to say that they "
        "are predicted worse, or as well."
    )
    return Finding("warning", sentence, evidence, enough, counted(len(found), "tiny group"))


def beyond_the_floor(audit: ErrorAudit) -> Finding:
    """Ask whether gaps of errors are beyond what random groups show, all tests counted."""
    chances, adjusted = audit.chances[OF_ERRORS], audit.adjusted[OF_ERRORS]
    known = np.isfinite(adjusted)
    sure, alone = known & (adjusted <= LEVEL), known & (chances <= LEVEL) & (adjusted > LEVEL)
    evidence = {
        "gaps": float(known.sum()), "beyond_chance": float(sure.sum()),
        "only_before_correction": float(alone.sum()),
    }  # fmt: skip
    if not known.any():
        return Finding(
            "not_applicable",
            "Fewer than two groups have enough rows, so that there is no gap to hold against "
            "chance.",
            evidence,
        )
    brief = f"{int(sure.sum())} of {int(known.sum())}"
    if sure.any() and not alone.any():
        sentence = (
            f"{brief} gaps of errors are beyond what groups drawn at random show, after "
            "correction for their number."
        )
        return Finding("ok", sentence, evidence, LEVEL, brief)
    sentence = (
        f"{int(known.sum() - sure.sum())} of {int(known.sum())} gaps of errors are not beyond what "
        "groups drawn at random would show (Holm's correction for all measures and ways of "
        "grouping): do not read them as a model that errs more for some, nor as proof that it "
        "does not."
    )
    if alone.any():
        sentence += (
            f" {int(alone.sum())} of them would pass if looked at alone; with so many comparisons "
            "some do by chance."
        )
    return Finding("warning", sentence, evidence, LEVEL, brief)


def unknown_measures(audit: ErrorAudit) -> Finding:
    """Ask whether every group has rows, and every measure of it an interval."""
    empty = audit.sizes == 0
    unsure = ~empty & ~np.isfinite(audit.values).all((0, 2))
    evidence = {"groups_without_rows": float(empty.sum()), "without_interval": float(unsure.sum())}
    if not (empty | unsure).any():
        sentence = "Every group has rows, and every measure of it an interval."
        return Finding("ok", sentence, evidence, 0.0, "none")
    said = []
    for chosen, what in ((empty, "no rows"), (unsure, "too few rows for an interval")):
        if chosen.any():
            names = listing(
                (repr(audit.group_names[int(g)]) for g in np.flatnonzero(chosen)), NAMED
            )
            said.append(f"{counted(int(chosen.sum()), 'group')} with {what} ({names})")
    sentence = (
        f"Not told, and in no gap: {' and '.join(said)}. A gap among the others says nothing "
        "about these."
    )
    return Finding("warning", sentence, evidence, 0.0, f"{int((empty | unsure).sum()):,}")


ERROR_CHECKS = (
    Check("WB065", "Rows behind every group", "warning", 0, ErrorAudit, tiny_groups),
    Check("WB066", "Gaps of errors against chance", "warning", 0, ErrorAudit, beyond_the_floor),
    Check("WB067", "Groups that nothing is told of", "warning", 0, ErrorAudit, unknown_measures),
)
