"""Checks of churn and of its mitigation: are there models enough, does an outsider agree."""

import numpy as np

from workbench.checks.attribution import NO_ROWS
from workbench.checks.record import Check, Finding
from workbench.core.churn import Churn
from workbench.core.mitigation import Mitigation
from workbench.core.rashomon import explorer_words
from workbench.core.wording import counted, percent

ENOUGH, STANDARD_ERRORS = 30.0, 2.0


def enough_models(churn: Churn) -> Finding:
    """Compare the number of prospective models with thirty, and the tolerance with its noise."""
    if not len(churn):
        return NO_ROWS
    within, most = churn.admitted(), float(churn.tolerances[-1])
    count = int(within.sum())
    least = STANDARD_ERRORS * float(np.median(churn.noise[within])) if count else 0.0
    evidence = {"models": float(count), "least_tolerance": least, "tolerance": most}
    brief = counted(count, "model")
    if count < ENOUGH:
        sentence = (
            f"Only {brief} within {most:.3g} of the given model's loss: the share that changes a "
            "row is hardly known; ask for more models or a larger tolerance."
        )
        return Finding("warning", sentence, evidence, ENOUGH, brief)
    if most < least:
        sentence = (
            f"Even the largest tolerance, {most:.3g}, cannot be told from 0: two standard errors "
            f"of the difference in loss are {least:.3g}. Choose a larger one, or admit on more "
            "rows."
        )
        return Finding("warning", sentence, evidence, ENOUGH, brief)
    sentence = (
        f"{brief} are within {most:.3g} of the given model's loss, which is above two standard "
        f"errors of the difference ({least:.3g})."
    )
    return Finding("ok", sentence, evidence, ENOUGH, brief)


def outsider_agrees(mitigation: Mitigation) -> Finding:
    """Compare what the independent judge says averaging takes away, at the least, with nothing.

    Of classes both the share of rows that some model decides otherwise and the share of models
    that do; of a regression the width.
    """
    if not len(mitigation):
        return NO_ROWS
    if not mitigation.independent:
        return Finding("not_applicable", "No explorer judged that did not build the ensembles.")
    judge = mitigation.independent[-1]
    metrics = (0, 1) if mitigation.classifies else (2,)
    found = mitigation.reduction[mitigation.judge_index(judge)][:, metrics]
    known = np.flatnonzero(np.isfinite(found[..., 1]).all(1) & (mitigation.sizes > 1))
    if not len(known):
        return Finding("not_applicable", "No ensemble of several near-copies could be judged.")
    s = int(known[-1])
    values, lows = found[s, :, 0], found[s, :, 1]
    worst = int(lows.argmin())
    least, value = float(lows[worst]), float(values[worst])
    evidence = {"least": least, "reduction": value, "size": float(mitigation.sizes[s])}
    brief = f"{percent(value)} less" if value >= 0 else f"{percent(-value)} more"
    by = f"{explorer_words(judge)}, which did not build them"
    if least <= 0:
        what = ("rows that some model decides otherwise", "models that decide a row otherwise",
                "the range of the output")[metrics[worst]]  # fmt: skip
        sentence = (
            f"By {by}, averaging {mitigation.sizes[s]:,} near-copies does not surely lessen the "
            f"disagreement: {what}, {brief}, and the interval includes no change. Do not rely on "
            "it because ensembles agree among themselves."
        )
        return Finding("warning", sentence, evidence, 0.0, brief)
    sentence = (
        f"By {by}, averaging {mitigation.sizes[s]:,} near-copies lessens the disagreement by at "
        f"least {percent(least)}."
    )
    return Finding("ok", sentence, evidence, 0.0, brief)


UPDATE_CHECKS = (
    Check("WB025", "Prospective models enough", "warning", 0, Churn, enough_models),
    Check("WB026", "An outsider sees less disagreement", "warning", 0, Mitigation, outsider_agrees),
)
