"""What features do together, in words."""

import numpy as np

from workbench.core.interaction_scores import FLOOR, TOP
from workbench.core.results import InteractionScores
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.scored_sets import PAIR, SURE, By, ScoredSets, scored_sets

LOSS_SIGN = (
    "Where features depend on each other, the sign of a score in the loss mixes two things: "
    "features that say the same push it above 0, features that interact below."
)


def scores_sentence(
    scores: InteractionScores, output: str | int | None = None, *, by: By = "mixed-difference"
) -> str:
    """Say which pair does most together, how much, and how many pairs matter.

    With several models, between what values it lies in them and in how many it is among the
    strongest.

    Raises
    ------
    InvalidInputError
        If there is no such output, or no score in the loss.
    """
    sets = scored_sets(scores, output, by=by)
    if not len(sets):
        return "No pair of features was scored."
    what = words.quantity(scores, sets.which)
    if by == "mixed-difference" and scores.variances[0, sets.which] <= 0:
        return f"The {what} is the same for all rows, so no features do anything together."
    number, all_ = int(sets.matters.sum()), _pairs(scores, len(sets))
    if not number:
        return f"{_nothing(sets, what, all_)}{_over_models(sets)}"
    name = sets.name(0)
    if by == "loss":
        said = (
            f"In the loss, {name} score furthest from 0: {sets.show(float(sets.own[0]))} "
            f"({sets.interval(0)}); {number:,} of {all_} are surely not 0."
        )
    else:
        said = (
            f"Of all pairs, {name} do most together: {sets.show(float(sets.own[0]))} "
            f"({sets.interval(0)}) of the variance of the {what}; {number:,} of {all_} "
            f"matter{'s' if number == 1 else ''}."
        )
    return f"{said}{_over_models(sets)}"


def pair_sentence(scores: InteractionScores, place: int, output: str | int | None = None) -> str:
    """Say all that is known of one set: how much, in which direction, how far models differ.

    Parameters
    ----------
    place
        Position among the sets of the result.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    size = int(scores.orders[place])
    sets = scored_sets(scores, output, size=size)
    at = int(np.flatnonzero(sets.places == place)[0])
    what, name = words.quantity(scores, sets.which), sets.name(at)
    doubt = "" if sets.matters[at] else (
        f", not surely above the {percent(FLOOR)} below which it is of no practical importance"
    )  # fmt: skip
    parts = [
        f"{name}: together {sets.show(float(sets.own[at]))} ({sets.interval(at)}) of the variance "
        f"of the {what}{doubt}{_way(sets, at)}."
    ]
    if sets.n_models > 1:
        share = percent(float(sets.cloud().in_top[at]))
        parts.append(
            f"Over {sets.n_models:,} equally good models it is {sets.span(at)}, and among the "
            f"{TOP} strongest in {share} of them."
        )
    if scores.losses is not None:
        in_loss = scored_sets(scores, output, by="loss", size=size)
        own = int(np.flatnonzero(in_loss.places == place)[0])
        parts.append(
            f"In the loss it scores {in_loss.show(float(in_loss.own[own]))} "
            f"({in_loss.interval(own)})."
        )
    if size == PAIR:
        parts.append(_association(scores, place))
    return " ".join(part for part in parts if part)


def _way(sets: ScoredSets, at: int) -> str:
    """Say what the features of a set do to each other, or why that is not known."""
    way = sets.direction(at)
    if way:
        return f"; they {way}"
    place = sets.places[at]
    if np.isnan(sets.result.signed[0, place, sets.which]):
        return "; a category has no order, so there is no direction"
    return f"; no direction is sure to {SURE} standard errors"


def _association(scores: InteractionScores, place: int) -> str:
    first, second = scores.sets[place, :2]
    found = float(scores.association[first, second])
    return f"Over the rows they go together by {found:.2f} (0 not at all, 1 one tells the other)."


def _nothing(sets: ScoredSets, what: str, all_: str) -> str:
    if sets.by == "loss":
        return f"None of {all_} has a score in the loss that is surely not 0."
    start = (
        f"No pair of features surely matters: none of {all_} is surely above {percent(FLOOR)} of "
        f"the variance of the {what}"
    )
    if sets.result.provenance.params.get("sets"):
        return f"{start}; nothing is known of pairs that were not named."
    if sets.high.max() > FLOOR * 100:  # of too few rows nothing is sure, one way or the other
        at_most = sets.show(float(sets.high.max()))
        return f"{start}, yet one may reach {at_most}. More rows or permutations tell."
    together = sets.result.together(sets.which)
    return f"{start}, and all together come to {percent(together)} of what features do."


def _over_models(sets: ScoredSets) -> str:
    """Say how the strongest pair fares in the other models."""
    if sets.n_models < 2:
        return ""
    first = float(sets.cloud(1).in_top[0])
    return (
        f" Over {sets.n_models:,} equally good models, {sets.name(0)} are at {sets.span(0)}, and "
        f"the strongest pair in {percent(first)} of them."
    )


def _pairs(scores: InteractionScores, scored: int) -> str:
    if scored < scores.n_possible:
        return f"{scored:,} scored pairs (of {scores.n_possible:,})"
    return counted(scored, "pair")
