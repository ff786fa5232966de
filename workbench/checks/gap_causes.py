"""Checks of what a gap is made of: does it add up, and do other columns stand in for the group."""

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.gap_causes import WELL, GapCauses

# As a share of the largest mean or gap; rounding of single precision stays below it.
ROUNDING = 1e-5


def adds_up(result: GapCauses) -> Finding:
    """Compare the sum of the contributions with the gap, for the pair where it is farthest off."""
    missed = np.abs(result.missed)
    if not np.isfinite(missed).any():
        return Finding("not_applicable", "No two groups have rows to compare.")
    at = int(np.nanargmax(missed))
    scale = max(float(np.nanmax(np.abs(result.means[at]))), abs(float(result.gaps[at, 0])), 1e-12)
    share = float(missed[at]) / scale
    evidence = {"share": share, "missed": float(missed[at]), "gap": float(result.gaps[at, 0])}
    brief = f"{share:.1e}"
    if share <= ROUNDING:
        return Finding(
            "ok", "What features add to the gap sums to it, up to rounding.", evidence, ROUNDING,
            brief,
        )  # fmt: skip
    return Finding(
        "failure",
        f"What features add to the gap of {result.pair_names[at]} misses it by {missed[at]:.3g}: "
        "the attributions do not add up to the predictions.",
        evidence, ROUNDING, brief,
    )  # fmt: skip


def told_by_others(result: GapCauses) -> Finding:
    """Ask whether the other columns tell an attribute, so that removing it would not help."""
    lows, highs = result.remaining[:, 1], result.remaining[:, 2]
    if not np.isfinite(lows).any():
        return Finding(
            "not_applicable", "Too few rows of a group to say how well other columns tell it."
        )
    surely = float(np.nanmax(lows)) >= WELL
    at = int(np.nanargmax(lows if surely else highs))
    area, low, high = (float(part) for part in result.remaining[at])
    evidence = {"low": low, "area": area, "high": high}
    brief = f"AUC {area:.2f}"
    name, said = result.attributes[at], f"AUC {area:.2f}, {low:.2f} to {high:.2f}"
    if surely:
        sentence = (
            f"The other columns tell {name} well ({said}; 0.5 is guessing): removing the column, "
            "or leaving it unread, does not keep a model from treating groups differently."
        )
        return Finding("warning", sentence, evidence, WELL, brief)
    if high > WELL:
        sentence = (
            f"Whether the other columns tell {name} well is not settled ({said}; 0.5 is "
            "guessing): more rows would tell."
        )
        return Finding("warning", sentence, evidence, WELL, brief)
    sentence = f"The other columns tell {name} little ({said}; 0.5 is guessing)."
    return Finding("ok", sentence, evidence, WELL, brief)


GAP_CAUSES_CHECKS = (
    Check("WB053", "Sum of the parts against the gap", "failure", 0, GapCauses, adds_up),
    Check(
        "WB054", "How well other columns tell the group", "warning", 0, GapCauses, told_by_others
    ),
)
