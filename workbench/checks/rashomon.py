"""Checks of sets of equally good models: can the tolerance be told from 0, are there models."""

import numpy as np

from workbench.checks.attribution import NO_ROWS
from workbench.checks.record import Check, Finding
from workbench.core.rashomon import EXPLORERS, GROWING, METRICS, RashomonSet
from workbench.core.schema import listing
from workbench.core.wording import counted, percent

STANDARD_ERRORS, STILL_GROWING, NAMED = 2.0, 0.1, 3
PUBLISHED = "published-"
ONLY_FORMULAS = Finding("not_applicable", "Only formulas were asked, which have no models.")


def above_noise(result: RashomonSet) -> Finding:
    """Compare two paired standard errors of the excess loss with the tolerance reported on."""
    if not len(result):
        return NO_ROWS
    t = result.growth_at
    noises = np.where(result.drawn > 0, result.noise[:, t], np.nan)
    if not np.isfinite(noises).any():
        return Finding("not_applicable", "No model was admitted, so losses cannot be compared.")
    least, eps = STANDARD_ERRORS * float(np.nanmax(noises)), float(result.tolerances[t])
    title = EXPLORERS[result.explorers[int(np.nanargmax(noises))]]
    below = int(result.below_noise[result.drawn > 0].any(0).sum())
    evidence = {
        "least_tolerance": least, "rows": float(result.n_admission),
        "tolerances_below": float(below), "tolerances": float(len(result.tolerances)),
    }  # fmt: skip
    brief = f"from {least:.3g} on"
    rows = f"{counted(result.n_admission, 'row')} of {result.admission}"
    if eps < least:
        sentence = (
            f"A tolerance of {eps:.3g} cannot be told from 0 on {rows}: two standard "
            f"errors of the difference in loss are {least:.3g} ({title}). Choose a larger "
            "tolerance, or admit on more rows."
        )
        return Finding("warning", sentence, evidence, eps, brief)
    sentence = (
        f"The tolerance of {eps:.3g} is above two standard errors of the difference in loss "
        f"({least:.3g} on {rows}, {title})."
    )
    return Finding("ok", sentence, evidence, eps, brief)


def models_admitted(result: RashomonSet) -> Finding:
    """Count the explorers of which no candidate is as good as the tolerance reported on asks."""
    if not len(result):
        return NO_ROWS
    explored = np.flatnonzero(result.drawn > 0)
    if not len(explored):
        return ONLY_FORMULAS
    eps = float(result.tolerances[result.growth_at])
    admitted = result.admitted[:, result.growth_at]
    without = [int(e) for e in explored if not admitted[e]]
    evidence = {
        "explorers_without": float(len(without)), "models": float(admitted.sum()),
        "candidates": float(result.drawn.sum()),
    }  # fmt: skip
    if without:
        named = listing([EXPLORERS[result.explorers[e]] for e in without], NAMED)
        sentence = (
            f"No candidate is within {eps:.3g} of the model's loss by {named}. Nothing was seen "
            "there, which does not mean that equally good models agree; choose a larger tolerance "
            "or more candidates."
        )
        return Finding("warning", sentence, evidence, 0.0, f"{len(without)} without")
    share = percent(float((admitted / np.maximum(result.drawn, 1))[explored].min()))
    sentence = (
        f"Every explorer found models within {eps:.3g} of the model's loss; the least that one "
        f"admitted is {share} of its candidates."
    )
    return Finding("ok", sentence, evidence, 0.0, counted(admitted.sum(), "model"))


def metrics_settled(result: RashomonSet) -> Finding:
    """Compare what the last doubling of the number of models added to a maximum with a tenth.

    Of the metrics that grow with the number of models, and of the explorers, the worst counts.
    """
    if not len(result):
        return NO_ROWS
    added = {
        (e, j): gain
        for e in range(len(result.explorers)) for j in range(len(GROWING))
        if (gain := _gain(result, e, j)) is not None
    }  # fmt: skip
    if not added:
        return Finding("not_applicable", "There are too few models to see whether metrics grow.")
    e, j = max(added, key=lambda place: added[place])
    most = added[e, j]
    of = f"{METRICS[GROWING[j]].lower()} by {EXPLORERS[result.explorers[e]]}"
    growing = sum(gain > STILL_GROWING for gain in added.values())
    evidence = {"added": most, "growing": float(growing), "curves": float(len(added))}
    brief = f"last doubling adds {percent(most)}"
    if most > STILL_GROWING:
        sentence = (
            f"More models would show more: the last doubling of their number added "
            f"{percent(most)} to {of}. Read it as a lower bound, and compare only what was found "
            "with as many models."
        )
        return Finding("warning", sentence, evidence, STILL_GROWING, brief)
    sentence = (
        f"The last doubling of the number of models added {percent(most)} at most ({of}); a "
        "maximum stays a lower bound all the same."
    )
    return Finding("ok", sentence, evidence, STILL_GROWING, brief)


def one_mask_per_model(result: RashomonSet) -> Finding:
    """Count the explorers that draw another mask for every row, as was published."""
    if not len(result):
        return NO_ROWS
    named = [EXPLORERS[key] for key in result.explorers if key.startswith(PUBLISHED)]
    evidence = {"explorers": float(len(named))}
    if named:
        sentence = (
            f"{listing(named, NAMED)}: every row meets another mask, the read-out included, so "
            "what is called a model is as many models as there are rows. It is there to compare "
            "with published figures; do not report it as what equally good models say."
        )
        return Finding("warning", sentence, evidence, 0.0, "mask per row")
    return Finding("ok", "Every model is one model: all rows meet the same weights.", evidence, 0.0)


def _gain(result: RashomonSet, e: int, j: int) -> float | None:
    """Return the share by which a metric grew over the last doubling; None where it is not known.

    Between two numbers of models it is taken to grow with the logarithm.
    """
    curve = result.growth[e, :, j]
    known = np.flatnonzero(np.isfinite(curve))
    counts = result.growth_models[known].astype(float)
    if len(known) < 2 or counts[0] > counts[-1] / 2:
        return None
    half = float(np.interp(np.log(counts[-1] / 2), np.log(counts), curve[known]))
    last = float(curve[known[-1]])
    if half <= 0:
        return 1.0 if last > 0 else 0.0
    return last / half - 1


RASHOMON_CHECKS = (
    Check("WB021", "Tolerance above the noise", "warning", 0, RashomonSet, above_noise),
    Check("WB022", "Models were admitted", "warning", 0, RashomonSet, models_admitted),
    Check("WB023", "Metrics have settled", "warning", 0, RashomonSet, metrics_settled),
    Check("WB028", "One mask for all rows", "warning", 0, RashomonSet, one_mask_per_model),
)
