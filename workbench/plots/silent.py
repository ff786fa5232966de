"""Which views have nothing to say of a result: no rows, no groups, nothing to set beside it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.core.results import (
    Attribution,
    Churn,
    FairnessAudit,
    Halo,
    InteractionScores,
    LocalBasis,
    Mitigation,
    Profiles,
    Remedies,
    Result,
)
from workbench.plots import basis_redundancy, churn_groups, halo, profiles
from workbench.plots.scored_sets import TRIPLE

# Rows of an attribution from which a view has something to say; of fewer, it says that instead.
MIN_ROWS: Mapping[str, int] = {
    "waterfall": 1, "decision": 1, "bar": 2, "beeswarm": 2, "dependence": 2, "heatmap": 2,
    "cohorts": 3, "clusters": 3,
}  # fmt: skip


def silent_views(result: Result, views: tuple[str, ...]) -> set[str]:
    """Return those of the views of a result that have nothing to say of it."""
    silent = SILENT.get(type(result))
    return set() if silent is None else set(views) & silent(result, views)


def _of_attribution(result: Attribution, views: tuple[str, ...]) -> set[str]:
    return {view for view in views if len(result) < MIN_ROWS[view]}


def _of_scores(result: InteractionScores, _: tuple[str, ...]) -> set[str]:
    """One model has no cloud, pairs no triples."""
    none = set() if len(result.mixed) > 1 else {"swarm"}
    return none if (result.orders == TRIPLE).any() else none | {"triples"}


def _of_audit(result: FairnessAudit, _: tuple[str, ...]) -> set[str]:
    """Nothing to cross, no scores."""
    none = {"intersections"} if len(result.attributes) < 2 else set()
    scored = len(result.thresholds) > 0
    return none if scored else none | {"roc", "calibration", "thresholds", "xauc"}


def _of_remedies(result: Remedies, views: tuple[str, ...]) -> set[str]:
    """Nothing measured, no search, nothing tried."""
    if len(result.names) < 2:
        return set(views) - {"board"}
    measured = np.isfinite(result.multiplicity[:, 0]).any()
    none = set() if measured else {"multiplicity"}
    return none if result.trial_of else none | {"trials"}


def _of_churn(result: Churn, _: tuple[str, ...]) -> set[str]:
    """No groups, no update."""
    none = set() if churn_groups.groupings_of(result) else {"groups"}
    return none if result.update else none | {"update"}


def _of_mitigation(result: Mitigation, _: tuple[str, ...]) -> set[str]:
    """No candidates, nothing to abstain from."""
    none = set() if result.candidate_names else {"candidates"}
    return none if result.classifies else none | {"abstention"}


def _of_halo(result: Halo, views: tuple[str, ...]) -> set[str]:
    """Of pairs no sphere, of triples no circles."""
    return set(views) - halo.views(result)


def _of_profiles(result: Profiles, _: tuple[str, ...]) -> set[str]:
    return set(profiles.speechless(result))


def _of_basis(result: LocalBasis, _: tuple[str, ...]) -> set[str]:
    """No units that could switch alike."""
    return set() if basis_redundancy.switching_layers(result) else {"alike"}


# Called with a result of the kind, and its views.
SILENT: Mapping[type[Result], Callable[[Any, tuple[str, ...]], set[str]]] = {
    Attribution: _of_attribution, Churn: _of_churn, FairnessAudit: _of_audit, Halo: _of_halo,
    InteractionScores: _of_scores, LocalBasis: _of_basis, Mitigation: _of_mitigation,
    Profiles: _of_profiles, Remedies: _of_remedies,
}  # fmt: skip
