"""Checks of scores of pairs: redundant features, nothing to find, no order, constant features."""

import numpy as np
from scipy import stats

from workbench.checks.record import Check, Finding
from workbench.core.interaction_scores import FLOOR, LEVEL, REFERENCE, InteractionScores
from workbench.core.schema import listing
from workbench.core.wording import counted, percent

REDUNDANT, STRONGEST, NAMED, PAIR = 0.9, 5, 3, 2
# Intervals rest on how much rows differ, which fewer than that hardly tell.
FEWEST_ROWS = 20
# Of all that features do, what many weak pairs may come to in a model that is called additive.
MOST_TOGETHER = 0.01
HALF = float(stats.norm.ppf(0.5 + LEVEL / 2))
NO_PAIRS = Finding("not_applicable", "No pair of features was scored.")
CONSTANT = Finding("not_applicable", "The output is the same for all rows.")


def pairs_vary_apart(scores: InteractionScores) -> Finding:
    """Compare with 0.9 how closely the features of the strongest pairs go together."""
    shown = _strongest(scores)
    if isinstance(shown, Finding):
        return shown
    places, low, _ = shown
    matter = [int(place) for place, end in zip(places, low, strict=True) if end > FLOOR]
    strong = matter[:STRONGEST]
    if not strong:
        return Finding("not_applicable", "No pair matters, so none can be of redundant features.")
    found = np.array([scores.association[tuple(scores.sets[place, :2])] for place in strong])
    alike = [place for place, much in zip(strong, found, strict=True) if much >= REDUNDANT]
    closest = float(found.max())
    evidence = {"association": closest, "redundant": float(len(alike)), "pairs": float(len(strong))}
    brief = f"at most {closest:.2f}"
    if not alike:
        sentence = (
            f"The features of {_strong(len(strong))} go together by {closest:.2f} at most, so rows "
            "like those that were put together do occur."
        )
        return Finding("ok", sentence, evidence, REDUNDANT, brief)
    named = listing([_name(scores, place) for place in alike], NAMED)
    sentence = (
        f"Among {_strong(len(strong))} are features that nearly tell each other: {named}. Rows "
        "with one of them from another row do not occur, so the score may be of what the model "
        "does where it never was, and of redundancy rather than interaction."
    )
    return Finding("warning", sentence, evidence, REDUNDANT, f"{len(alike)} redundant")


def some_pair_matters(scores: InteractionScores) -> Finding:
    """Count the pairs whose 95 % interval lies above the practical floor."""
    shown = _strongest(scores)
    if isinstance(shown, Finding):
        return shown
    _, low, high = shown
    matter = int((low > FLOOR).sum())
    together = scores.together()
    evidence = {
        "pairs": float(matter), "scored": float(len(low)), "strongest_at_most": float(high[0]),
        "together": together,
    }  # fmt: skip
    scored = counted(len(low), "pair")
    if matter:
        sentence = (
            f"{matter:,} of {scored} {'is' if matter == 1 else 'are'} surely above "
            f"{percent(FLOOR)} of the variance; explanations by single features leave "
            f"{'it' if matter == 1 else 'them'} out or share {'it' if matter == 1 else 'them'} out."
        )
        return Finding("ok", sentence, evidence, 0.0, f"{counted(matter, 'pair')} above the floor")
    start = f"None of {scored} is surely above {percent(FLOOR)} of the variance"
    highest = float(high.max())
    if scores.provenance.params.get("sets"):
        sentence = f"{start}; these were named, and nothing is known of the others."
    elif highest > FLOOR:
        sentence = (
            f"{start}, yet one may reach {percent(highest, 2)}: whether any matters is not "
            "settled, and the order of the pairs means little. Use more rows or more permutations."
        )
        return Finding("warning", sentence, evidence, 0.0, "not settled")
    elif together > MOST_TOGETHER:
        sentence = (
            f"{start}, so the order of the pairs means little. The model is not additive: all of "
            f"them together come to {percent(together)} of what features do."
        )
    else:
        sentence = (
            f"{start}, so the model is additive for practical purposes: explanations by single "
            "features tell all, and the order of the pairs means little."
        )
    return Finding("warning", sentence, evidence, 0.0, "nothing above the floor")


def first_is_first(scores: InteractionScores) -> Finding:
    """Compare the lower end of the strongest pair with the upper end of the second."""
    shown = _strongest(scores)
    if isinstance(shown, Finding):
        return shown
    places, low, high = shown
    if len(places) < PAIR or low[0] <= FLOOR:
        return Finding("not_applicable", "There are no two pairs of which one surely matters.")
    overlap = float(high[1] - low[0])
    first, second = (_name(scores, int(place)) for place in places[:PAIR])
    evidence = {"overlap": overlap, "first_low": float(low[0]), "second_high": float(high[1])}
    if (n := scores.provenance.n_rows) < FEWEST_ROWS:
        sentence = (
            f"Which pair is strongest is not settled by {counted(n, 'row')}: so few say little of "
            f"how wide intervals should be. Use at least {FEWEST_ROWS}."
        )
        return Finding("warning", sentence, evidence, 0.0, "too few rows")
    if overlap >= 0:
        sentence = (
            f"Which pair is strongest is not settled: the 95 % intervals of {first} and of "
            f"{second} overlap. Use more rows or more permutations, or speak of both."
        )
        return Finding("warning", sentence, evidence, 0.0, "first two overlap")
    sentence = f"{first} are surely ahead of {second}: their 95 % intervals do not overlap."
    return Finding("ok", sentence, evidence, 0.0, "first is ahead")


def features_vary(scores: InteractionScores) -> Finding:
    """Count the features that are the same in all rows."""
    if not len(scores.sets):
        return NO_PAIRS
    constant = [
        name for name, own in zip(scores.names, np.diag(scores.association), strict=True) if not own
    ]
    evidence = {"constant": float(len(constant)), "features": float(len(scores.names))}
    if constant:
        sentence = (
            f"The same in all rows: {listing(constant, 20)}. What is the same everywhere cannot be "
            "exchanged, so nothing was learned of what it does with others; use rows in which it "
            "varies."
        )
        return Finding("warning", sentence, evidence, 0.0, f"{len(constant)} constant")
    return Finding("ok", "Every feature varies over the rows.", evidence, 0.0, "all vary")


def _strongest(
    scores: InteractionScores,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | Finding:
    """Return the pairs of the given model, strongest first, and the ends of their shares."""
    which = scores.output_index(None)
    places = scores.order_of(which)
    if not len(places):
        return NO_PAIRS
    variance = float(scores.variances[REFERENCE, which])
    if variance <= 0:
        return CONSTANT
    shares = scores.mixed[REFERENCE, places, which] / variance
    half = HALF * scores.mixed_std_errors[REFERENCE, places, which] / variance
    return places, np.maximum(shares - half, 0.0), shares + half


def _strong(n: int) -> str:
    return "the pair that matters" if n == 1 else f"the {n} strongest pairs"


def _name(scores: InteractionScores, place: int) -> str:
    return " and ".join(scores.set_names[place])


SCORE_CHECKS = (
    Check("WB030", "Strong pairs vary apart", "warning", 0, InteractionScores, pairs_vary_apart),
    Check("WB031", "Some pair matters", "warning", 0, InteractionScores, some_pair_matters),
    Check("WB032", "First pair is first", "warning", 0, InteractionScores, first_is_first),
    Check("WB033", "Features vary", "warning", 0, InteractionScores, features_vary),
)
