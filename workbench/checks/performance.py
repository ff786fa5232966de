"""Checks of evaluations: enough rows, true probabilities, and rows that were not trained on."""

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.performance import Performance
from workbench.core.schema import listing
from workbench.core.table import SPLITS
from workbench.core.wording import counted
from workbench.numerics.intervals import chance

ENOUGH_ROWS = 30
# A chance below which a deviation is not noise, and an error below which it does not matter.
CHANCE = 0.01
ERROR_TOLERANCE = 0.02
NAMED_CLASSES = 3


def enough_rows(performance: Performance) -> Finding:
    """Count the rows of the rarest class, or all rows of a regression."""
    if performance.task == "regression":
        n = len(performance)
        evidence = {"rows": float(n)}
        if n >= ENOUGH_ROWS:
            sentence = f"Evaluated on {counted(n, 'row')}."
            return Finding("ok", sentence, evidence, ENOUGH_ROWS, counted(n, "row"))
        sentence = (
            f"Evaluated on {n} row{'s' * (n != 1)} only; use at least {ENOUGH_ROWS}, or read the "
            "intervals and not the values."
        )
        return Finding("warning", sentence, evidence, ENOUGH_ROWS, f"only {n}")
    supports = performance.supports
    least = int(supports.min())
    rare = [name for name, n in zip(performance.classes, supports, strict=True) if n < ENOUGH_ROWS]
    evidence = {"rows": float(least), "classes": float(len(rare))}
    brief = f"rarest class has {least:,} row{'s' * (least != 1)}"
    if not rare:
        sentence = f"Every class has at least {ENOUGH_ROWS} rows; the rarest has {least:,}."
        return Finding("ok", sentence, evidence, ENOUGH_ROWS, brief)
    counts = [f"{name} ({supports[performance.classes.index(name)]})" for name in rare]
    sentence = (
        f"Fewer than {ENOUGH_ROWS} rows of {listing(counts, NAMED_CLASSES)}, so what is said of "
        "such classes is rough; read their intervals, or evaluate on more rows."
    )
    return Finding("warning", sentence, evidence, ENOUGH_ROWS, brief)


def calibration_error(performance: Performance) -> Finding:
    r"""Compare how far probabilities are off with noise, and with what matters.

    The chance of such deviations in the bins, if the probabilities were right, is that of
    :math:`\sum_b (\bar y_b - \bar p_b)^2 / s_b^2` under a chi-squared distribution.

    References
    ----------
    Hosmer and Lemeshow (1980), Goodness of Fit Tests for the Multiple Logistic Regression Model;
    with as many degrees of freedom as bins, as nothing was fitted to these rows.
    """
    bins, noise = performance.calibration, performance.calibration_noise
    if bins is None or noise is None:
        return Finding("not_applicable", "A regression predicts no probabilities.")
    error = float(performance.metric("calibration error").value)
    by_chance = chance(bins[:, 1] - bins[:, 0], noise)
    evidence = {"error": error, "chance": by_chance}
    brief = f"off by {error:.3f}"
    if by_chance >= CHANCE:
        sentence = f"Probabilities are off by {error:.3f} on average, no more than by chance."
        return Finding("ok", sentence, evidence, ERROR_TOLERANCE, brief)
    if error <= ERROR_TOLERANCE:
        sentence = (
            f"Probabilities are off by {error:.3f} on average, more than by chance but too little "
            "to matter."
        )
        return Finding("ok", sentence, evidence, ERROR_TOLERANCE, brief)
    worst = int(np.abs(bins[:, 1] - bins[:, 0]).argmax())
    said, seen = 100 * bins[worst, 0], 100 * bins[worst, 1]
    sentence = (
        f"Probabilities are off by {error:.3f} on average, more than by chance; where the model "
        f"says {said:.0f} %, it is {seen:.0f} %, so read them as ranks or recalibrate the model."
    )
    return Finding("warning", sentence, evidence, ERROR_TOLERANCE, brief)


def unseen_rows(performance: Performance) -> Finding:
    """Tell from the names of the tables whether the model was trained on these rows."""
    trained_on, name = performance.trained_on, performance.provenance.table
    if not trained_on:
        return Finding("not_applicable", "The model's card does not say what it was trained on.")
    base, _, part = name.rpartition("/")
    if part not in SPLITS or not base:
        base, part = name, "all"
    if base.replace("_", "-") != trained_on.replace("_", "-"):
        sentence = (
            f"The model was trained on {trained_on}; whether rows of {name} are among those is "
            "not known."
        )
        return Finding("not_applicable", sentence)
    evidence = {"seen": float(part in {"train", "all"})}
    if part in {"train", "all"}:
        which = "The" if part == "train" else "Some of the"
        sentence = (
            f"{which} rows of {name} were used to train the model, so it looks better than it is; "
            f"evaluate on {base}/test."
        )
        return Finding("warning", sentence, evidence, brief="trained on")
    sentence = f"The model was not trained on the rows of {name}."
    if part == "validation":
        sentence = (
            f"The model was not trained on the rows of {name}, but they may have decided when "
            "training ended; the test rows had no say at all."
        )
    return Finding("ok", sentence, evidence, brief="not trained on")


PERFORMANCE_CHECKS = (
    Check("WB006", "Enough rows", "warning", 0, Performance, enough_rows),
    Check("WB007", "Probabilities come true", "warning", 0, Performance, calibration_error),
    Check("WB008", "Rows were not trained on", "warning", 0, Performance, unseen_rows),
)
