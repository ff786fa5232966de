"""Checks of explanations held against neighbourhoods: is any adequate, is each worth something."""

import numpy as np

from workbench.checks.attribution import NO_ROWS
from workbench.checks.record import Check, Finding
from workbench.core.faithfulness import ADEQUATE, EXPLANATIONS, NEIGHBOURHOODS, RANDOM
from workbench.core.results import Faithfulness
from workbench.core.schema import listing
from workbench.core.wording import counted, percent

NAMED, HALF = 3, 0.5
NOTHING = Finding("not_applicable", "No method can be compared in these neighbourhoods.")


def best_is_adequate(result: Faithfulness) -> Finding:
    """Compare what the best method of each neighbourhood misses with half of the variance.

    Of several outputs the default one counts; anchors do not compete.
    """
    if not len(result):
        return NO_ROWS
    value, best = result.entries().value, result.best()
    least = {j: float(value[i, j]) for j, i in enumerate(best) if i is not None}
    if not least:
        return NOTHING
    worst = max(least, key=lambda j: least[j])
    poor = [j for j in least if least[j] > ADEQUATE]
    evidence = {
        "missed": least[worst],
        "neighbourhoods": float(len(least)),
        "poor": float(len(poor)),
    }
    brief = f"at most {percent(least[worst])} missed"
    if not poor:
        sentence = (
            f"Every neighbourhood has a method that misses at most {percent(ADEQUATE)} of the "
            f"variance; the best one misses most in {_place(result, worst)} "
            f"({percent(least[worst])})."
        )
        return Finding("ok", sentence, evidence, ADEQUATE, brief)
    named = listing([f"{_place(result, j)} ({percent(least[j])})" for j in poor], NAMED)
    sentence = (
        f"No linear explanation is adequate in {named}: even the best misses more than "
        f"{percent(ADEQUATE)} of the variance. Look at a smaller neighbourhood, or at interactions."
    )
    return Finding("warning", sentence, evidence, ADEQUATE, f"{percent(least[worst])} missed")


def beats_random(result: Faithfulness) -> Finding:
    """Count the methods that in half of their neighbourhoods are no better than random numbers.

    Random numbers are put to their best scale. Of several outputs the default one counts.
    """
    if not len(result):
        return NO_ROWS
    if RANDOM not in result.methods:
        return Finding("not_applicable", "Random numbers are not among the methods.")
    compared = np.isfinite(result.entries().value)
    compared &= compared[result.methods.index(RANDOM)]
    compared &= np.array(result.types)[:, None] != "anchor"
    if not compared.any():
        return NOTHING
    worse, of = result.no_better_than_random().sum(1), compared.sum(1)
    shares = worse / np.maximum(of, 1)
    useless = [int(i) for i in np.argsort(-shares, kind="stable") if shares[i] >= HALF]
    evidence = {
        "share": float(shares.max()), "methods": float(len(useless)), "cells": float(worse.sum()),
        "compared": float(of.sum()),
    }  # fmt: skip
    if not useless:
        sentence = (
            "Every method misses less than random numbers in most neighbourhoods (it does not in "
            f"{worse.sum():,} of {counted(of.sum(), 'comparison')})."
        )
        return Finding("ok", sentence, evidence, HALF, "all beat random numbers")
    named = [
        f"{EXPLANATIONS[result.methods[i]]} (in {worse[i]} of {counted(of[i], 'neighbourhood')})"
        for i in useless
    ]
    sentence = (
        f"No better than random numbers: {listing(named, NAMED)}. Believe such a method only "
        "where the matrix says that it misses little."
    )
    return Finding("warning", sentence, evidence, HALF, f"{len(useless)} no better than random")


def _place(result: Faithfulness, place: int) -> str:
    return repr(NEIGHBOURHOODS[result.neighbourhoods[place]])


FAITHFULNESS_CHECKS = (
    Check("WB015", "An explanation is adequate", "warning", 0, Faithfulness, best_is_adequate),
    Check("WB016", "Better than random numbers", "warning", 0, Faithfulness, beats_random),
)
