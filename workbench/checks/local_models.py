"""Checks of local models: do they fit, does the kernel weigh, would other samples say the same."""

import numpy as np

from workbench.checks.attribution import NO_ROWS
from workbench.checks.record import Check, Finding
from workbench.core.local_models import INACTIVE_KERNEL, POOR_FIT
from workbench.core.results import LocalModels
from workbench.core.wording import counted, percent

UNSTABLE = 0.5


def local_fit(models: LocalModels) -> Finding:
    """Compare the median share of variance that a row's local model explains with a tenth.

    Of several outputs the default one counts. Where hardly any sample weighs, any function fits.
    """
    if not len(models):
        return NO_ROWS
    if _samples_that_count(models) < _samples_needed(models):
        return Finding("not_applicable", "Too few samples have weight for the fit to be judged.")
    r2 = models.r2[:, models.output_index(None)]
    typical, poor = float(np.median(r2)), int((r2 < POOR_FIT).sum())
    evidence = {"r2": typical, "poor_rows": float(poor), "rows": float(len(r2))}
    brief = f"R² {typical:.2f}"
    said = f"it explains {percent(max(0.0, typical))} of the variance of the model's answers nearby"
    if len(r2) > 1:
        rows = counted(len(r2), "row")
        said = f"in the middle of {rows} {said}; below {percent(POOR_FIT)} for {poor:,}"
    if typical < POOR_FIT:
        sentence = (
            f"The local model is a poor picture of the model: {said}. Read its signs with care, "
            "or look at a narrower neighbourhood."
        )
        return Finding("warning", sentence, evidence, POOR_FIT, brief)
    return Finding("ok", f"The local model fits: {said}.", evidence, POOR_FIT, brief)


def kernel_active(models: LocalModels) -> Finding:
    """Compare the median of the effective samples, as a share of all, with 95 %.

    And their number with twice the coefficients of a local model: with fewer, the kernel is so
    narrow that a local model follows the few samples that have weight.
    """
    if not len(models):
        return NO_ROWS
    share = float(np.median(models.effective_share))
    brief = f"{percent(share)} effective"
    count, needed = _samples_that_count(models), _samples_needed(models)
    evidence = {"effective_share": share, "effective_samples": count, "needed": needed}
    if count < needed:
        sentence = (
            f"The kernel leaves hardly any sample: they tell as much as {count:,.1f} of equal "
            f"weight, and {needed:,.0f} are needed; choose a larger kernel width or more samples."
        )
        return Finding("warning", sentence, evidence, needed, brief)
    if share > INACTIVE_KERNEL:
        wide = (
            "the neighbourhood is as wide as the samples are drawn"
            if models.sampling == "around"
            else "the local model is nearly a global one"
        )
        sentence = (
            f"The weights are nearly equal (effective samples: {percent(share)} of all), so "
            f"{wide}; a smaller kernel width makes it local."
        )
        return Finding("warning", sentence, evidence, INACTIVE_KERNEL, brief)
    sentence = f"Near samples count more: effective samples are {percent(share)} of all."
    return Finding("ok", sentence, evidence, INACTIVE_KERNEL, brief)


def _samples_that_count(models: LocalModels) -> float:
    """Return the median number of samples of equal weight that tell as much; the row is one too."""
    return float(np.median(models.effective_share * (models.samples + 1)))


def _samples_needed(models: LocalModels) -> float:
    """Return twice the coefficients of the largest local model, with its intercept."""
    return 2.0 * (int(models.selected.sum(1).max()) + 1)


def top_is_stable(models: LocalModels) -> Finding:
    """Compare the overlap of the strongest features between halves of the samples with a half."""
    if not len(models):
        return NO_ROWS
    if models.top >= len(models.names):
        return Finding("not_applicable", "The strongest features are all there are.")
    stability = float(models.stability[:, models.output_index(None)].mean())
    evidence = {"overlap": stability, "top": float(models.top)}
    brief = f"overlap {stability:.2f}"
    said = (
        f"the {counted(models.top, 'strongest feature')} of two halves of the samples overlap by "
        f"{percent(stability)}"
    )
    if stability < UNSTABLE:
        sentence = f"Unstable: {said}; use more samples (max_perturbations)."
        return Finding("warning", sentence, evidence, UNSTABLE, brief)
    return Finding("ok", f"Stable: {said}.", evidence, UNSTABLE, brief)


LOCAL_MODEL_CHECKS = (
    Check("WB012", "Local model fits", "warning", 0, LocalModels, local_fit),
    Check("WB013", "Kernel tells near from far", "warning", 0, LocalModels, kernel_active),
    Check("WB014", "Strongest features settled", "warning", 0, LocalModels, top_is_stable),
)
