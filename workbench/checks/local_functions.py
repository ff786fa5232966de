"""Checks of local functions: do they hold beyond their samples, are they adequate."""

import numpy as np

from workbench.checks.attribution import NO_ROWS
from workbench.checks.record import Check, Finding
from workbench.core.faithfulness import ADEQUATE
from workbench.core.results import LocalFunctions
from workbench.core.wording import counted, percent

# What samples not seen may be missed more than those fitted to, in shares of the variance.
OVERFIT = 0.1


def holds_beyond_samples(functions: LocalFunctions) -> Finding:
    """Compare the share missed of samples not seen, less that of those fitted to, with a tenth.

    The median over the rows, of the default output.
    """
    if not len(functions):
        return NO_ROWS
    held, fitted = functions.share_missed(), functions.share_missed_fitted()
    gap = held - fitted
    typical, most = float(np.median(gap)), int((gap > OVERFIT).sum())
    evidence = {
        "gap": typical, "held_out": float(np.median(held)), "fitted": float(np.median(fitted)),
        "rows": float(most),
    }  # fmt: skip
    said = (
        f"it misses {percent(float(np.median(held)))} of the variance over samples that it has not "
        f"seen, and {percent(float(np.median(fitted)))} over those that it was fitted to"
    )
    if len(gap) > 1:
        said = f"in the middle of {counted(len(gap), 'row')} {said}"
    brief = f"{percent(abs(typical))} {'more' if typical >= 0 else 'less'} missed held out"
    if typical > OVERFIT:
        sentence = (
            f"The function follows its samples more than the model: {said}. Use more samples, or "
            "a simpler function."
        )
        return Finding("warning", sentence, evidence, OVERFIT, brief)
    return Finding(
        "ok", f"The function holds beyond its samples: {said}.", evidence, OVERFIT, brief
    )


def function_is_adequate(functions: LocalFunctions) -> Finding:
    """Compare the share missed of samples not seen with a half.

    The median over the rows, of the default output.
    """
    if not len(functions):
        return NO_ROWS
    held = functions.share_missed()
    typical, poor = float(np.median(held)), int((held > ADEQUATE).sum())
    evidence = {"missed": typical, "poor_rows": float(poor), "rows": float(len(held))}
    brief = f"{percent(typical)} missed"
    said = f"it misses {percent(typical)} of the variance over samples that it has not seen"
    if len(held) > 1:
        said = (
            f"in the middle of {counted(len(held), 'row')} {said}; more than {percent(ADEQUATE)} "
            f"for {poor:,}"
        )
    if typical > ADEQUATE:
        sentence = (
            f"The function is no adequate picture of the model: {said}. Look at a smaller scale, "
            "or let it have pairs of features."
        )
        return Finding("warning", sentence, evidence, ADEQUATE, brief)
    return Finding("ok", f"The function is adequate: {said}.", evidence, ADEQUATE, brief)


LOCAL_FUNCTION_CHECKS = (
    Check("WB017", "Holds beyond its samples", "warning", 0, LocalFunctions, holds_beyond_samples),
    Check("WB018", "Function is adequate", "warning", 0, LocalFunctions, function_is_adequate),
)
