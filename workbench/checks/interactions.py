"""Checks of interactions: do they add up, are pairs settled, were such rows trained on."""

import numpy as np

from workbench.checks.attribution import (
    BACKGROUND_ROWS,
    BACKGROUND_TOLERANCE,
    NO_ROWS,
    gap_found,
    off_scale,
    percent_of,
)
from workbench.checks.record import Check, Finding
from workbench.core.attribution import IMPORTED
from workbench.core.results import Interactions
from workbench.core.wording import counted


def pairs_add_up(interactions: Interactions) -> Finding:
    r"""Compare :math:`\max |f - b - \sum_i v_i - \sum_{i<j} v_{ij}|` with rounding."""
    if not interactions.adds_up:
        return Finding(
            "not_applicable",
            f"{interactions.index} is not meant to add up to the prediction.",
        )
    return gap_found(interactions, "Single effects, pairs and base value")


def pairs_background(interactions: Interactions) -> Finding:
    r"""Compare what another draw of background rows would do with the strongest pair.

    :math:`\max_k \sqrt{\operatorname{mean}_{i<j} s_{ijk}^2} \,/\, \max_{i<j,k}
    \overline{|v_{ijk}|}`, with :math:`s_{ijk}` the standard error of a pair from the choice of
    background rows.
    """
    if not len(interactions):
        return NO_ROWS
    first, second = np.triu_indices(len(interactions.names), 1)
    if not len(first) or interactions.provenance.method == IMPORTED:
        single = "One feature alone has no pair."
        untold = "Imported values do not say which background rows they are from."
        return Finding("not_applicable", untold if len(first) else single)
    n, errors = interactions.provenance.n_background, interactions.background_std_errors
    evidence = {"rows": float(n)}
    if n < BACKGROUND_ROWS:
        rows = f"{n} row{'' if n == 1 else 's'}"
        sentence = f"The background has {rows}; use at least {BACKGROUND_ROWS}."
        return Finding("warning", sentence, evidence, BACKGROUND_TOLERANCE, f"only {rows}")
    if errors is None:
        sentence = "The method does not estimate what another background would give."
        return Finding("not_applicable", sentence, evidence)
    typical = float(np.sqrt((errors[first, second] ** 2).mean(0)).max())
    strongest = float(np.abs(interactions.values[:, first, second]).mean(0).max())
    ratio = typical / strongest if strongest > 0 else float(typical > 0)
    evidence = {"ratio": ratio, "typical_error": typical, **evidence}
    brief = f"{counted(n, 'row')}, stable to {typical:.2g}"
    moved = (
        f"another draw of {n} background rows moves a pair by about {typical:.2g}, "
        f"{percent_of(ratio)} of the strongest"
    )
    if ratio > BACKGROUND_TOLERANCE:
        sentence = f"{moved[0].upper()}{moved[1:]}; use more rows."
        return Finding("warning", sentence, evidence, BACKGROUND_TOLERANCE, brief)
    return Finding("ok", f"Stable: {moved}.", evidence, BACKGROUND_TOLERANCE, brief)


def pairs_off_scale(interactions: Interactions) -> Finding:
    """Count rows with a number outside the range that the model saw in training."""
    return off_scale(interactions.singles)


INTERACTION_CHECKS = (
    Check("WB009", "Pairs add up", "failure", 0, Interactions, pairs_add_up),
    Check("WB010", "Background of pairs", "warning", 0, Interactions, pairs_background),
    Check("WB011", "Rows within training range", "warning", 0, Interactions, pairs_off_scale),
)
