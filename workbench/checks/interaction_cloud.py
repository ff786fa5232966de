"""Checks of scores over equally good models: is the ranking theirs, can they be told from worse."""

import numpy as np

from workbench.checks.record import Check, Finding
from workbench.core.interaction_scores import FLOOR, InteractionScores
from workbench.core.wording import counted, percent

MOST, STANDARD_ERRORS = 0.5, 2.0
ALONE = Finding("not_applicable", "The scores are of one model alone.")


def first_in_most(scores: InteractionScores) -> Finding:
    """Compare the share of models in which the given model's first pair is first with a half.

    By the mixed difference of the default output; the given model counts as one of them.
    """
    if scores.n_models < 2:
        return ALONE
    found = scores.cloud(top=1)
    if not len(found.places) or not found.reference[0] > 0:
        return Finding("not_applicable", "No pair does anything together in the given model.")
    if found.high.max() < FLOOR:
        return Finding(
            "not_applicable",
            f"No pair reaches {percent(FLOOR)} of the variance in any of the models, so that their "
            "order means nothing.",
        )
    share = float(found.in_top[0])
    first = " and ".join(scores.set_names[int(found.places[0])])
    models = counted(scores.n_models, "equally good model")
    evidence = {"share": share, "models": float(scores.n_models)}
    brief = f"first in {percent(share)}"
    if share > MOST:
        sentence = (
            f"{first}, the strongest pair of this model, is the strongest in {percent(share)} of "
            f"{models}."
        )
        return Finding("ok", sentence, evidence, MOST, brief)
    often = int(found.in_top.argmax())
    other = " and ".join(scores.set_names[int(found.places[often])])
    instead = f"; most often it is {other} ({percent(float(found.in_top[often]))})"
    sentence = (
        f"Which pair is strongest depends on which of {models} is asked: {first}, the strongest of "
        f"this model, is the strongest in {percent(share)} of them{instead if often else ''}. Read "
        "the range of each pair, not the order."
    )
    return Finding("warning", sentence, evidence, MOST, brief)


def tolerance_above_noise(scores: InteractionScores) -> Finding:
    """Compare two paired standard errors of the excess loss with the tolerance.

    The median over the models counts, the given one left out.
    """
    if scores.n_models < 2:
        return ALONE
    if scores.noise is None or scores.tolerance is None:
        return Finding("not_applicable", "The models were put beside each other, not looked for.")
    least = STANDARD_ERRORS * float(np.median(scores.noise[1:]))
    evidence = {"least_tolerance": least, "models": float(scores.n_models)}
    unit = f" {scores.loss_unit}" if scores.loss_unit else ""
    brief = f"from {least:.3g} on"
    if scores.tolerance < least:
        sentence = (
            f"A tolerance of {scores.tolerance:.3g}{unit} cannot be told from 0: two standard "
            f"errors of a model's excess loss are {least:.3g}. Models that are worse may be among "
            "these, and as good ones missing; choose a larger tolerance, or admit on more rows."
        )
        return Finding("warning", sentence, evidence, scores.tolerance, brief)
    sentence = (
        f"The tolerance of {scores.tolerance:.3g}{unit} is above two standard errors of a model's "
        f"excess loss ({least:.3g})."
    )
    return Finding("ok", sentence, evidence, scores.tolerance, brief)


INTERACTION_CLOUD_CHECKS = (
    Check("WB040", "First in most models", "warning", 0, InteractionScores, first_in_most),
    Check(
        "WB041", "Scored models are as good", "warning", 0, InteractionScores,
        tolerance_above_noise,
    ),
)  # fmt: skip
