"""What a figure that somebody chose says, in a sentence: plain text, as in ``words``."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from workbench.core.figures import ChosenFigure
from workbench.core.results import (
    AttributeFlips,
    Attribution,
    AttributionRange,
    BoundaryPeople,
    Churn,
    Detectors,
    FairnessFront,
    Faithfulness,
    GapCauses,
    Halo,
    Interactions,
    InteractionScores,
    LocalFunctions,
    LocalModels,
    Measures,
    Profiles,
    RashomonSet,
    Result,
    ScaleCurves,
)
from workbench.plots import boundary_words, flips_words, halo
from workbench.plots.answers import answer
from workbench.plots.attribution_range_words import range_sentence
from workbench.plots.churn_words import churn_sentence
from workbench.plots.detectors import detectors_sentence
from workbench.plots.fairness_front_words import front_sentence
from workbench.plots.faithfulness_words import faithfulness_sentence
from workbench.plots.flips_people import number_of
from workbench.plots.gap_causes_words import gap_sentence
from workbench.plots.interaction_scores_words import scores_sentence
from workbench.plots.interactions import interactions_sentence
from workbench.plots.local_functions import local_function_sentence
from workbench.plots.local_models import local_sentence
from workbench.plots.measures import measures_sentence
from workbench.plots.profiles import profile_sentence
from workbench.plots.rashomon_words import rashomon_sentence
from workbench.plots.scale_curves import scale_sentence
from workbench.plots.view_words import view_sentence


def chosen_sentence(result: Result, figure: ChosenFigure) -> str:
    """Say what a figure shows, with what of its options the answer of its kind depends on.

    Raises
    ------
    WorkbenchError
        If an option is not known.
    """
    own = OF_VIEWS.get((type(result), figure.view))
    if own is not None:
        return own(result, figure.options)
    if isinstance(result, Attribution):
        return view_sentence(result, figure.view, **_taken(figure, LIMITS))
    tell = TELLS.get(type(result))
    if tell is None:
        return answer(result)
    known = list(signature(tell).parameters)[1:]
    options: dict[str, Any] = {
        name: float(value) if name in DECIMAL else value
        for name, value in figure.options.items() if name in known
    }  # fmt: skip
    if not options:  # of a single row the answer is about that row
        return answer(result)
    return tell(result, **options)


# How much of a view is drawn, which changes nothing of what it says.
LIMITS = frozenset({"max_features", "max_rows"})
# Options that are decimal numbers, though a file may say 0.
DECIMAL = frozenset({"tolerance"})


def _taken(figure: ChosenFigure, left_out: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in figure.options.items() if name not in left_out}


def _of_halo(result: Halo, options: Mapping[str, Any]) -> str:
    chosen, choices = options.get("pair", options.get("triple")), halo.choices_of(result)
    return halo.halo_sentence(result, choices.index(chosen) if chosen in choices else 0)


def _of_flipped(result: AttributeFlips, options: Mapping[str, Any]) -> str:
    row = options.get("row")
    if row is None:
        return answer(result)
    return flips_words.person_sentence(result, number_of(result, row))


def _of_person(result: BoundaryPeople, options: Mapping[str, Any]) -> str:
    return boundary_words.person_sentence(result, options.get("row"))


TELLS: Mapping[type[Result], Callable[..., str]] = {
    AttributionRange: range_sentence, Churn: churn_sentence, Detectors: detectors_sentence,
    FairnessFront: front_sentence, Faithfulness: faithfulness_sentence, GapCauses: gap_sentence,
    Interactions: interactions_sentence, InteractionScores: scores_sentence,
    LocalFunctions: local_function_sentence, LocalModels: local_sentence,
    Measures: measures_sentence, Profiles: profile_sentence, RashomonSet: rashomon_sentence,
    ScaleCurves: scale_sentence,
}  # fmt: skip
# Views that are about one of several, which the answer of the kind does not name.
OF_VIEWS: Mapping[tuple[type[Result], str], Callable[[Any, Mapping[str, Any]], str]] = {
    (Halo, "halo"): _of_halo, (Halo, "sphere"): _of_halo,
    (AttributeFlips, "person"): _of_flipped, (BoundaryPeople, "person"): _of_person,
}  # fmt: skip
