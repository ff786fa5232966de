"""Checks of halos: are joint models as good as the halo needs them to be, and can rows tell."""

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.halo import Halo
from workbench.core.wording import percent

# Where features do nothing together, joint models lie on the edge, half of them on either side.
MOST_OUTSIDE = 0.5
NOISE_FACTOR = 2
NONE_KNOWN = Finding(
    "not_applicable", "No joint model is known: the loss does not rise that far in any direction."
)


def joint_models_are_as_good(result: Halo) -> Finding:
    """Count joint models whose own loss breaks the tolerance that their masks share out."""
    if not result.known.any():
        return NONE_KNOWN
    share, farthest = result.outside, float(np.nanmax(result.excess) / result.tolerance)
    evidence = {"share": share, "joint_models": float(result.known.sum())}
    if np.isfinite(farthest):
        evidence["farthest"] = farthest
    brief = f"{percent(share)} outside"
    if share <= MOST_OUTSIDE:
        sentence = (
            f"{percent(share)} of the joint models break the tolerance and count for no range."
        )
        return Finding("ok", sentence, evidence, MOST_OUTSIDE, brief)
    sentence = (
        f"{percent(share)} of the joint models break the tolerance, though each feature alone "
        "keeps its part of it: the features cannot be weighed otherwise at once, and ranges rest "
        "on the few models that are as good."
    )
    return Finding("warning", sentence, evidence, MOST_OUTSIDE, brief)


def rows_tell_what_is_as_good(result: Halo) -> Finding:
    """Compare the tolerance with the paired standard error of the excess loss."""
    errors = result.excess_std_errors[result.known & np.isfinite(result.excess_std_errors)]
    if not len(errors):
        return NONE_KNOWN
    noise = float(np.median(errors)) / result.tolerance
    evidence = {"noise": NOISE_FACTOR * noise}
    brief = f"noise {NOISE_FACTOR * noise:.2g} of the tolerance"
    if NOISE_FACTOR * noise <= 1:
        sentence = "The tolerance is above two standard errors of the excess loss."
        return Finding("ok", sentence, evidence, 1.0, brief)
    sentence = (
        "The tolerance is below two standard errors of the excess loss, so other rows of the same "
        "kind would call other models as good; use more rows or a larger tolerance."
    )
    return Finding("warning", sentence, evidence, 1.0, brief)


HALO_CHECKS = (
    Check("WB034", "Joint models are as good", "warning", 0, Halo, joint_models_are_as_good),
    Check("WB035", "Rows tell what is as good", "warning", 0, Halo, rows_tell_what_is_as_good),
)
