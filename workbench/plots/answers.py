"""The first answer of every kind of result, in a sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core import results as kinds
from workbench.core.errors import InvalidInputError
from workbench.core.results import Result
from workbench.core.wording import counted
from workbench.plots.attribution_range_words import range_sentence
from workbench.plots.boundary_words import people_sentence
from workbench.plots.churn_words import churn_sentence
from workbench.plots.detectors import detectors_sentence
from workbench.plots.error_audit import errors_sentence
from workbench.plots.fairness_front_words import front_sentence
from workbench.plots.fairness_words import audit_sentence
from workbench.plots.faithfulness_words import faithfulness_sentence
from workbench.plots.flips_words import flips_sentence
from workbench.plots.gap_causes_words import gap_sentence
from workbench.plots.halo import halo_sentence
from workbench.plots.interaction_scores_words import scores_sentence
from workbench.plots.interaction_test import interaction_test_sentence
from workbench.plots.interactions import interactions_sentence
from workbench.plots.local_basis import lib_sentence
from workbench.plots.local_functions import local_function_sentence
from workbench.plots.local_models import local_sentence
from workbench.plots.measures import measures_sentence
from workbench.plots.mitigation_words import ensemble_sentence
from workbench.plots.profiles import profile_sentence
from workbench.plots.rashomon_words import rashomon_sentence
from workbench.plots.remedies_words import remedies_sentence
from workbench.plots.scale_curves import scale_sentence
from workbench.plots.simpler_models import simpler_sentence
from workbench.plots.training import explainer_sentence
from workbench.plots.what_if import counterfactual_sentence
from workbench.plots.words import overall_sentence, performance_sentence, sentence


def answer(result: Result) -> str:
    """Say in a sentence what a result says: of its row where it has one, else over all rows.

    Raises
    ------
    InvalidInputError
        If it is of a kind that has no answer in words.
    """
    if type(result) not in ANSWERS:
        raise InvalidInputError(f"Results of kind {result.kind!r} have no answer in words.")
    return ANSWERS[type(result)](result)


def counterfactuals_sentence(found: kinds.Counterfactuals) -> str:
    """Say for how many rows a change was found."""
    already, n = int(found.fulfilled.sum()), len(found)
    changed = len(set(found.owners.tolist()))
    said = f"Of {counted(n, 'row')}, a change that is enough was found for {changed:,}"
    if already:
        said += f"; of {already:,} the model says what is wished for already"
    return f"{said}."


def _of_attribution(result: kinds.Attribution) -> str:
    return sentence(result, 0) if len(result) == 1 else overall_sentence(result)


def _of_changes(result: kinds.Counterfactuals) -> str:
    one = len(result) == 1
    return counterfactual_sentence(result, 0) if one else counterfactuals_sentence(result)


def _of_rows(tell: Callable[..., str]) -> Callable[[Any], str]:
    """Speak of the row where there is one, else of all."""
    return lambda result: tell(result, 0) if len(result) == 1 else tell(result)


ANSWERS: Mapping[type[Result], Callable[[Any], str]] = {
    kinds.Attribution: _of_attribution, kinds.Performance: performance_sentence,
    kinds.Interactions: _of_rows(interactions_sentence), kinds.Counterfactuals: _of_changes,
    kinds.LocalModels: _of_rows(local_sentence),
    kinds.LocalFunctions: _of_rows(local_function_sentence), kinds.ScaleCurves: scale_sentence,
    kinds.Faithfulness: faithfulness_sentence, kinds.Measures: measures_sentence,
    kinds.AttributionRange: _of_rows(range_sentence), kinds.BoundaryPeople: people_sentence,
    kinds.RashomonSet: rashomon_sentence, kinds.Remedies: remedies_sentence,
    kinds.SimplerModels: simpler_sentence, kinds.Profiles: profile_sentence,
    kinds.InteractionScores: scores_sentence, kinds.Halo: halo_sentence,
    kinds.Detectors: detectors_sentence, kinds.InteractionTest: interaction_test_sentence,
    kinds.LocalBasis: lib_sentence, kinds.FairnessAudit: audit_sentence,
    kinds.ErrorAudit: errors_sentence, kinds.AttributeFlips: flips_sentence,
    kinds.GapCauses: gap_sentence, kinds.FairnessFront: front_sentence, kinds.Churn: churn_sentence,
    kinds.Mitigation: ensemble_sentence, kinds.Explainer: explainer_sentence,
}  # fmt: skip
