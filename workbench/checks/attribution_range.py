"""A check of explanations across equally good models: do they agree on the signs?"""

import numpy as np

from workbench.checks.attribution import NO_ROWS
from workbench.checks.record import Check, Finding
from workbench.core.results import AttributionRange
from workbench.core.wording import counted, percent

# Of the features that count, those whose sign may depend on the model; and below which share of
# a row's largest attribution a feature does not count.
MOST_FLIPPED, COUNTS = 0.05, 0.05
NAMED = 3


def signs_agree(ranges: AttributionRange) -> Finding:
    """Compare with a twentieth the share of signs that depend on the model.

    All pairs of a row and a feature count whose attribution by the given model, or by another one
    with the opposite sign, is at least a twentieth of the row's largest. Both signs have to be
    beyond their own sampling error. Of several outputs the default one counts.
    """
    if not len(ranges):
        return NO_ROWS
    if not ranges.n_models:
        return Finding("not_applicable", "No equally good model was found to be asked.")
    which = ranges.output_index(None)
    size = np.abs(ranges.given_values[..., which])
    flips = ranges.flips(which, least=COUNTS)
    counts = flips | (size >= COUNTS * size.max(1, keepdims=True))
    share = float(flips.sum() / max(1, counts.sum()))
    evidence = {"flipped": share, "rows": float(len(ranges)), "models": float(ranges.n_models)}
    brief = f"{percent(share)} flip"
    models = counted(ranges.n_models, "equally good model")
    if share <= MOST_FLIPPED:
        sentence = (
            f"This model and {models} agree on nearly all signs: {percent(share)} of those that "
            "count depend on which one is asked."
        )
        return Finding("ok", sentence, evidence, MOST_FLIPPED, brief)
    rows = flips.sum(0)
    order = [int(j) for j in np.argsort(-rows, kind="stable") if rows[j]]
    names = ", ".join(ranges.names[j] for j in order[:NAMED])
    more = f" and {len(order) - NAMED} more" if len(order) > NAMED else ""
    sentence = (
        f"A sign depends on which of {models} is asked for {percent(share)} of the attributions "
        f"that count: {names}{more}. Do not read these as reasons for or against."
    )
    return Finding("warning", sentence, evidence, MOST_FLIPPED, brief)


ATTRIBUTION_RANGE_CHECKS = (
    Check(
        "WB024", "Signs hold for equally good models", "warning", 0, AttributionRange, signs_agree
    ),
)
