"""Checks of fairness across equally good models: confirmed, a range, not by the group."""

import math

from workbench.checks.record import Check, Finding
from workbench.core.fairness_front import NONE, REPORTED, FairnessFront
from workbench.core.fairness_metrics import GAPS
from workbench.core.schema import listing
from workbench.core.wording import counted, percent


def improvement_confirmed(result: FairnessFront) -> Finding:
    """Ask whether rows without a say in the choice show a smaller gap."""
    q, m = result.at, int(result.chosen[result.at])
    if m == NONE:
        return Finding(
            "not_applicable",
            "No model within the allowed loss of accuracy has a smaller gap on the validation "
            "rows, so there is nothing to confirm.",
        )
    value, low, high = (float(part) for part in result.change[m, REPORTED, q])
    if math.isnan(high):
        return Finding(
            "warning",
            "The gap is not defined on the rows reported on, so the alternative is not confirmed; "
            "choose more rows.",
        )
    evidence = {"high": high, "low": low, "change": value}
    brief = f"{100 * value:+.1f} points, up to {100 * high:+.1f}".replace("-", "\N{MINUS SIGN}")
    if result.overlap:
        return Finding(
            "warning",
            f"The search has seen {counted(result.overlap, 'row')} of those reported on, so they "
            "confirm nothing; choose test rows.",
            evidence, 0.0, brief,
        )  # fmt: skip
    if result.confirmed(q):
        return Finding(
            "ok", "Rows that had no say in the choice confirm a smaller gap.", evidence, 0.0, brief
        )
    return Finding(
        "warning",
        "The alternative looks better on the rows that chose it, and other rows do not confirm "
        "it: do not claim an improvement. More rows may tell.",
        evidence, 0.0, brief,
    )  # fmt: skip


def range_beyond_noise(result: FairnessFront) -> Finding:
    """Ask whether equally good models differ in the gap by more than chance."""
    q = result.at
    title = GAPS[result.gap].title.lower()
    value, low, high = (float(part) for part in result.width[q, REPORTED])
    if math.isnan(low):
        return Finding(
            "not_applicable", f"The {title} is not defined on these rows, so it has no range."
        )
    if int(result.within.sum()) < 2:
        return Finding(
            "not_applicable",
            "No other model is within the allowed loss of accuracy, so there is no range; allow "
            "more, or let more explorers look.",
        )
    evidence = {"low": low, "high": high, "width": value}
    brief = f"{100 * value:.1f} points, from {100 * low:.1f}".replace("-", "\N{MINUS SIGN}")
    if low > 0:
        sentence = f"Models about as accurate differ in the {title} by more than chance."
        return Finding("ok", sentence, evidence, 0.0, brief)
    return Finding(
        "warning",
        f"That models about as accurate differ in the {title} may be chance: on other rows the "
        "most and the least unequal do not differ for sure. Do not choose among them by it.",
        evidence, 0.0, brief,
    )  # fmt: skip


def reads_the_groups(result: FairnessFront) -> Finding:
    """Ask whether decisions hang on the very columns that make the groups."""
    if not len(result.swayed):
        return Finding(
            "not_applicable",
            "The result is of an earlier version and does not say whether the models read "
            f"{listing(result.by)}; run it again.",
        )
    share = float(result.swayed[-1])
    who = "The alternative" if len(result.swayed) > 1 else "The given model"
    if not result.read:
        return Finding("ok", f"No model reads {listing(result.by)} itself.", {"share": share}, 0.0)
    columns = listing(result.read)
    if share == 0:
        return Finding(
            "ok", f"{who} reads {columns}, but nobody's decision hangs on it alone.",
            {"share": share}, 0.0,
        )  # fmt: skip
    evidence = {"share": share}
    brief = f"{percent(share)} hang on it"
    if math.isfinite(part := result.through(result.at)):
        evidence["change_through_it"] = part
    return Finding(
        "warning",
        f"{who} reads {columns} itself and decides {percent(share)} of these people otherwise by "
        "it alone. To treat people differently by such a column may be unlawful, whatever the "
        "gap; prefer a model without it.",
        evidence, 0.0, brief,
    )  # fmt: skip


FRONT_CHECKS = (
    Check("WB057", "Alternative on rows that did not choose it", "warning", 0, FairnessFront,
          improvement_confirmed),
    Check("WB058", "Range across equally good models", "warning", 0, FairnessFront,
          range_beyond_noise),
    Check("WB064", "Decisions by the column of the groups", "warning", 0, FairnessFront,
          reads_the_groups),
)  # fmt: skip
