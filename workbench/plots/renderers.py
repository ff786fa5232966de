"""Which views there are of which result: read by pages and reports, so no page lists them."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import plotly.graph_objects as go

from workbench.core import results as kinds
from workbench.core.errors import InvalidInputError
from workbench.core.results import Result
from workbench.core.schema import listing
from workbench.plots import (
    attribution_range,
    basis_features,
    basis_redundancy,
    boundary,
    churn,
    detectors,
    error_audit,
    fairness,
    fairness_cells,
    fairness_front,
    fairness_scores,
    fairness_thresholds,
    faithfulness,
    flips,
    flips_people,
    gap_causes,
    halo,
    interaction_scores,
    interaction_scores_heatmap,
    interaction_scores_network,
    interaction_scores_swarm,
    interaction_test,
    local_basis,
    local_functions,
    mitigation,
    profile_multiples,
    profile_pairs,
    profiles,
    rashomon,
    rashomon_groups,
    rashomon_models,
    rashomon_rows,
    remedies,
    remedies_groups,
    simpler_models,
)
from workbench.plots.bar import bar
from workbench.plots.beeswarm import beeswarm
from workbench.plots.calibration import calibration
from workbench.plots.clusters import clusters
from workbench.plots.cohorts import cohorts
from workbench.plots.confusion import confusion
from workbench.plots.counterfactuals import nearest
from workbench.plots.curves import pr, roc
from workbench.plots.decision import decision
from workbench.plots.dependence import dependence
from workbench.plots.explanation_values import agreement, values
from workbench.plots.heatmap import heatmap
from workbench.plots.interactions import matrix, network
from workbench.plots.local_models import coefficients
from workbench.plots.measures import scores
from workbench.plots.metrics import metrics
from workbench.plots.residuals import residuals
from workbench.plots.scale_curves import curve
from workbench.plots.silent import silent_views
from workbench.plots.training import errors, training
from workbench.plots.waterfall import waterfall

Renderer = Callable[..., go.Figure]

RENDERERS: Mapping[type[Result], Mapping[str, Renderer]] = {
    kinds.Attribution: {
        "waterfall": waterfall, "bar": bar, "beeswarm": beeswarm, "dependence": dependence,
        "heatmap": heatmap, "decision": decision, "cohorts": cohorts, "clusters": clusters,
    },
    kinds.Counterfactuals: {"nearest": nearest},
    kinds.Interactions: {"network": network, "matrix": matrix},
    kinds.InteractionScores: {
        "ranked": interaction_scores.ranked, "heatmap": interaction_scores_heatmap.heatmap,
        "network": interaction_scores_network.network, "swarm": interaction_scores_swarm.swarm,
        "triples": interaction_scores.triples,
    },
    kinds.InteractionTest: {"pairs": interaction_test.pairs},
    kinds.LocalBasis: {
        "graph": local_basis.graph, "curves": local_basis.curves,
        "feature": basis_features.feature, "loadings": basis_features.loadings,
        "used": basis_redundancy.used, "alike": basis_redundancy.alike,
    },
    kinds.LocalModels: {"coefficients": coefficients},
    kinds.LocalFunctions: {"coefficients": local_functions.coefficients},
    kinds.ScaleCurves: {"curve": curve},
    kinds.Faithfulness: {
        "matrix": faithfulness.matrix, "methods": faithfulness.methods, "values": values,
        "agreement": agreement,
    },
    kinds.Measures: {"scores": scores},
    kinds.AttributionRange: {
        "interval": attribution_range.interval, "importance": attribution_range.importance,
        "stability": attribution_range.stability,
    },
    kinds.RashomonSet: {
        "metrics": rashomon.metrics, "rows": rashomon_rows.rows,
        "distribution": rashomon_rows.distribution, "groups": rashomon_groups.groups,
        "importance": rashomon_models.importance, "cloud": rashomon_models.cloud,
        "growth": rashomon.growth, "cost": rashomon.cost,
    },
    kinds.Remedies: {
        "board": remedies.board, "conflicts": remedies.conflicts, "gaps": remedies_groups.gaps,
        "groups": remedies_groups.groups, "who": remedies_groups.who,
        "multiplicity": remedies.multiplicity, "trials": remedies.trials,
    },
    kinds.SimplerModels: {"learners": simpler_models.learners, "trees": simpler_models.trees},
    kinds.Churn: {
        "tolerances": churn.tolerances, "rows": churn.rows, "groups": churn.groups,
        "pairs": churn.pairs, "update": churn.update,
    },
    kinds.Mitigation: {
        "reduction": mitigation.reduction, "abstention": mitigation.abstention,
        "candidates": mitigation.candidates,
    },
    kinds.Profiles: {
        "profile": profiles.profile, "effects": profiles.effects, "pair": profile_pairs.pair,
        "multiples": profile_multiples.multiples,
    },
    kinds.Halo: {"halo": halo.halo, "matrix": halo.matrix, "sphere": halo.sphere},
    kinds.Detectors: {
        "ranks": detectors.ranks, "agreement": detectors.agreement, "cost": detectors.cost,
    },
    kinds.FairnessAudit: {
        "groups": fairness.groups, "gaps": fairness.gaps,
        "intersections": fairness_cells.intersections, "roc": fairness_scores.roc,
        "calibration": fairness_scores.calibration,
        "thresholds": fairness_thresholds.thresholds, "xauc": fairness_cells.xauc,
    },
    kinds.ErrorAudit: {"groups": error_audit.groups, "gaps": error_audit.gaps},
    kinds.AttributeFlips: {
        "rates": flips.rates, "moves": flips.moves, "people": flips_people.people,
        "person": flips_people.person,
    },
    kinds.GapCauses: {"waterfall": gap_causes.waterfall, "proxies": gap_causes.proxies},
    kinds.BoundaryPeople: {
        "strip": boundary.strip, "scores": boundary.scores, "person": boundary.person,
    },
    kinds.FairnessFront: {
        "plane": fairness_front.plane, "ranges": fairness_front.ranges,
        "change": fairness_front.change, "causes": fairness_front.causes,
    },
    kinds.Explainer: {"errors": errors, "training": training},
    kinds.Performance: {
        "metrics": metrics, "confusion": confusion, "roc": roc, "pr": pr,
        "calibration": calibration, "residuals": residuals,
    },
}  # fmt: skip
# Views that only a regression has, and that it has besides the metrics.
REGRESSION = frozenset({"residuals"})


def views_of(result: Result) -> tuple[str, ...]:
    """Return the views that have something to say of this result, the plainest first."""
    views = _views_of_kind(result)
    silent = silent_views(result, views)
    return tuple(view for view in views if view not in silent)


def _views_of_kind(result: Result) -> tuple[str, ...]:
    views = tuple(RENDERERS.get(type(result), {}))
    if not isinstance(result, kinds.Performance):
        return views
    kept = REGRESSION if result.task == "regression" else set(views) - REGRESSION
    return tuple(view for view in views if view == "metrics" or view in kept)


def render(result: Result, view: str, **options: Any) -> go.Figure:
    """Draw a view of a result; the options are those of the view, None stands for its default.

    Raises
    ------
    InvalidInputError
        If there is no such view of this result, or an option that the view does not have.
    """
    # Of too few rows a view says so itself.
    views = _views_of_kind(result)
    if view not in views:
        choice = f"choose one of {listing(views)}" if views else "it has no views"
        raise InvalidInputError(f"There is no view {view!r} of {result.kind!r}; {choice}.")
    given = {name: value for name, value in options.items() if value is not None}
    draw = RENDERERS[type(result)][view]
    known = list(signature(draw).parameters)[1:]
    if unknown := [name for name in given if name not in known]:
        raise InvalidInputError(
            f"View {view!r} has no option {unknown[0]!r}; choose among {listing(known, 20)}."
        )
    return draw(result, **given)
