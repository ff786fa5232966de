"""Which views there are of which result: read by pages and reports, so no page lists them."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.core.error_audit import MEASURES as ERRORS
from workbench.core.errors import InvalidInputError
from workbench.core.fairness_metrics import BASE, GAPS, RATES, TPR
from workbench.core.local_basis import BASES
from workbench.core.remedy_reading import focus
from workbench.core.results import (
    AttributeFlips,
    Attribution,
    AttributionRange,
    BoundaryPeople,
    Churn,
    Counterfactuals,
    Detectors,
    ErrorAudit,
    Explainer,
    FairnessAudit,
    FairnessFront,
    Faithfulness,
    GapCauses,
    Halo,
    Interactions,
    InteractionScores,
    InteractionTest,
    LocalBasis,
    LocalFunctions,
    LocalModels,
    Measures,
    Mitigation,
    Performance,
    Profiles,
    RashomonSet,
    Remedies,
    Result,
    ScaleCurves,
    SimplerModels,
)
from workbench.core.schema import listing
from workbench.numerics.agreement_of_explanations import AGREEMENTS
from workbench.plots import (
    attribution_range,
    basis_features,
    basis_redundancy,
    boundary,
    churn,
    churn_groups,
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
from workbench.plots.clusters import COLOURS, clusters
from workbench.plots.cohorts import MEASURES, cohorts, groupings_of
from workbench.plots.confusion import confusion
from workbench.plots.counterfactuals import nearest
from workbench.plots.curves import pr, roc
from workbench.plots.decision import decision
from workbench.plots.dependence import dependence, interactions_of
from workbench.plots.explanation_values import agreement, values
from workbench.plots.explanations import offered_types
from workbench.plots.heatmap import heatmap
from workbench.plots.interactions import matrix, network
from workbench.plots.local_models import coefficients
from workbench.plots.measures import scores
from workbench.plots.metrics import metrics
from workbench.plots.rashomon_rows import SPREADS
from workbench.plots.residuals import residuals
from workbench.plots.scale_curves import curve
from workbench.plots.scored_sets import TRIPLE, ways_of
from workbench.plots.training import errors, training
from workbench.plots.waterfall import waterfall

Renderer = Callable[..., go.Figure]

RENDERERS: Mapping[type[Result], Mapping[str, Renderer]] = {
    Attribution: {
        "waterfall": waterfall, "bar": bar, "beeswarm": beeswarm, "dependence": dependence,
        "heatmap": heatmap, "decision": decision, "cohorts": cohorts, "clusters": clusters,
    },
    Counterfactuals: {"nearest": nearest},
    Interactions: {"network": network, "matrix": matrix},
    InteractionScores: {
        "ranked": interaction_scores.ranked, "heatmap": interaction_scores_heatmap.heatmap,
        "network": interaction_scores_network.network, "swarm": interaction_scores_swarm.swarm,
        "triples": interaction_scores.triples,
    },
    InteractionTest: {"pairs": interaction_test.pairs},
    LocalBasis: {
        "graph": local_basis.graph, "curves": local_basis.curves,
        "feature": basis_features.feature, "loadings": basis_features.loadings,
        "used": basis_redundancy.used, "alike": basis_redundancy.alike,
    },
    LocalModels: {"coefficients": coefficients},
    LocalFunctions: {"coefficients": local_functions.coefficients},
    ScaleCurves: {"curve": curve},
    Faithfulness: {
        "matrix": faithfulness.matrix, "methods": faithfulness.methods, "values": values,
        "agreement": agreement,
    },
    Measures: {"scores": scores},
    AttributionRange: {
        "interval": attribution_range.interval, "importance": attribution_range.importance,
        "stability": attribution_range.stability,
    },
    RashomonSet: {
        "metrics": rashomon.metrics, "rows": rashomon_rows.rows,
        "distribution": rashomon_rows.distribution, "groups": rashomon_groups.groups,
        "importance": rashomon_models.importance, "cloud": rashomon_models.cloud,
        "growth": rashomon.growth, "cost": rashomon.cost,
    },
    Remedies: {
        "board": remedies.board, "conflicts": remedies.conflicts, "gaps": remedies_groups.gaps,
        "groups": remedies_groups.groups, "who": remedies_groups.who,
        "multiplicity": remedies.multiplicity, "trials": remedies.trials,
    },
    SimplerModels: {"learners": simpler_models.learners, "trees": simpler_models.trees},
    Churn: {
        "tolerances": churn.tolerances, "rows": churn.rows, "groups": churn.groups,
        "pairs": churn.pairs, "update": churn.update,
    },
    Mitigation: {
        "reduction": mitigation.reduction, "abstention": mitigation.abstention,
        "candidates": mitigation.candidates,
    },
    Profiles: {
        "profile": profiles.profile, "effects": profiles.effects, "pair": profile_pairs.pair,
        "multiples": profile_multiples.multiples,
    },
    Halo: {"halo": halo.halo, "matrix": halo.matrix, "sphere": halo.sphere},
    Detectors: {
        "ranks": detectors.ranks, "agreement": detectors.agreement, "cost": detectors.cost,
    },
    FairnessAudit: {
        "groups": fairness.groups, "gaps": fairness.gaps,
        "intersections": fairness_cells.intersections, "roc": fairness_scores.roc,
        "calibration": fairness_scores.calibration,
        "thresholds": fairness_thresholds.thresholds, "xauc": fairness_cells.xauc,
    },
    ErrorAudit: {"groups": error_audit.groups, "gaps": error_audit.gaps},
    AttributeFlips: {
        "rates": flips.rates, "moves": flips.moves, "people": flips_people.people,
        "person": flips_people.person,
    },
    GapCauses: {"waterfall": gap_causes.waterfall, "proxies": gap_causes.proxies},
    BoundaryPeople: {
        "strip": boundary.strip, "scores": boundary.scores, "person": boundary.person,
    },
    FairnessFront: {
        "plane": fairness_front.plane, "ranges": fairness_front.ranges,
        "change": fairness_front.change, "causes": fairness_front.causes,
    },
    Explainer: {"errors": errors, "training": training},
    Performance: {
        "metrics": metrics, "confusion": confusion, "roc": roc, "pr": pr,
        "calibration": calibration, "residuals": residuals,
    },
}  # fmt: skip
# Views that only a regression has, and that it has besides the metrics.
REGRESSION = frozenset({"residuals"})
# Rows of an attribution from which a view has something to say; of fewer, it says that instead.
MIN_ROWS: Mapping[str, int] = {
    "waterfall": 1, "decision": 1, "bar": 2, "beeswarm": 2, "dependence": 2, "heatmap": 2,
    "cohorts": 3, "clusters": 3,
}  # fmt: skip


def views_of(result: Result) -> tuple[str, ...]:
    """Return the views that have something to say of this result, the plainest first."""
    views = _views_of_kind(result)
    if silent := SILENT.get(type(result)):
        return tuple(view for view in views if view not in silent(result))
    if not isinstance(result, Attribution):
        return views
    return tuple(view for view in views if len(result) >= MIN_ROWS[view])


def options_of(
    result: Result, view: str, output: str | int | None = None, *, feature: str | None = None
) -> dict[str, list[str]]:
    """List what may be chosen for a view: each option with its choices, the default first.

    Parameters
    ----------
    feature
        For ``dependence``, the feature already chosen: the colours are ordered by how much they
        seem to interact with it.

    Raises
    ------
    WorkbenchError
        If there is no such output or feature.
    """
    if offered := OFFERED.get(type(result)):
        return offered(result).get(view, {})
    if not isinstance(result, Attribution) or not len(result):
        return {}
    if view == "cohorts":
        return {"by": groupings_of(result), "measure": list(MEASURES)}
    if view == "clusters":
        return {"colour": list(COLOURS)}
    if view != "dependence":
        return {}
    found = interactions_of(result, feature, output)
    order = np.argsort(-np.nan_to_num(found.shares, nan=-1.0), kind="stable")
    return {
        "feature": [str(name) for name in result.importance(output)["feature"]],
        "colour": [result.names[i] for i in order if i != found.feature],
    }


def _of_explanations(result: Faithfulness) -> dict[str, dict[str, list[str]]]:
    return {
        "methods": {"neighbourhood": list(result.neighbourhoods)},
        "values": {"type": list(offered_types(result.types))},
        "agreement": {"measure": list(AGREEMENTS)},
    }


def _of_set(result: RashomonSet) -> dict[str, dict[str, list[str]]]:
    explorers = {"explorer": list(result.explorers)}
    return {
        "metrics": {"metric": list(result.metric_names)},
        "rows": explorers,
        "distribution": {**explorers, "measure": list(SPREADS)},
        "groups": {**explorers, "by": rashomon_groups.groupings(result)},
        "growth": {"metric": rashomon.growing_metrics(result)},
        "cloud": explorers,
    }


def _of_front(result: FairnessFront) -> dict[str, dict[str, list[str]]]:
    gaps = [result.gap, *(name for name in fairness_front.GAPS_SHOWN if name != result.gap)]
    return {"plane": {"gap": gaps, "rows": list(fairness_front.ROWS)}, "change": {"gap": gaps}}


def _of_range(_: AttributionRange) -> dict[str, dict[str, list[str]]]:
    return {"stability": {"measure": list(attribution_range.MEASURES)}}


def _of_churn(result: Churn) -> dict[str, dict[str, list[str]]]:
    return {"groups": {"by": churn_groups.groupings_of(result)}}


def _of_profiles(result: Profiles) -> dict[str, dict[str, list[str]]]:
    return {
        "profile": {
            "feature": [result.names[at] for at in result.ranking()],
            "curves": list(profiles.CURVES),
        },
        "effects": {
            "feature": profiles.with_order(result),
            "mean": list(profiles.BESIDE),
        },
        "pair": {"surface": list(profile_pairs.SURFACES)},
        "multiples": {
            "curves": list(profile_multiples.CURVES),
            "order": list(profile_multiples.ORDERS),
        },
    }


def _of_scores(result: InteractionScores) -> dict[str, dict[str, list[str]]]:
    by: dict[str, list[str]] = {"by": [*ways_of(result)]}
    shows: list[str] = [*interaction_scores_heatmap.shows_of(result)]
    return {
        "ranked": by, "heatmap": {**by, "show": shows}, "network": by, "swarm": by, "triples": by,
    }  # fmt: skip


def _of_halo(result: Halo) -> dict[str, dict[str, list[str]]]:
    choices = halo.choices_of(result)
    return {"halo": {"pair": choices}, "sphere": {"triple": choices}}


def _of_detectors(_: Detectors) -> dict[str, dict[str, list[str]]]:
    return {"agreement": {"measure": list(detectors.MEASURES)}}


def _of_basis(result: LocalBasis) -> dict[str, dict[str, list[str]]]:
    names = {"feature": list(local_basis.features_by_name(result))}
    return {
        "graph": {"basis": list(BASES)},
        "curves": {
            "cut": list(local_basis.CUTS)[::-1],
            "layer": [local_basis.ALL_LAYERS, *result.layer_names[:-1]],
        },
        "feature": names,
        "loadings": names,
        "alike": {"units": [*basis_redundancy.switching_layers(result)]},
    }


def _of_audit(result: FairnessAudit) -> dict[str, dict[str, list[str]]]:
    by = {"partition": [*result.partition_names]}
    rates = {"rate": [TPR, *(rate for rate in RATES if rate != TPR)]}
    crossed = [
        name for name, part in zip(result.partition_names, result.partitions, strict=True)
        if len(part) > 1
    ]  # fmt: skip
    return {
        "groups": {**by, **rates, "count": list(fairness.COUNTED)},
        "gaps": by,
        "intersections": {"partition": crossed[::-1], **rates},
        "roc": by, "calibration": by, "xauc": by, "thresholds": {**by, **rates},
    }  # fmt: skip


def _of_errors(result: ErrorAudit) -> dict[str, dict[str, list[str]]]:
    by = {"partition": [*result.partition_names]}
    first = error_audit.OFF
    measures = [first, *(name for name in ERRORS if name != first)]
    return {"groups": {**by, "measure": measures}, "gaps": by}


def _of_flips(result: AttributeFlips) -> dict[str, dict[str, list[str]]]:
    order = flips_people.people_in_order(result)[: flips_people.OFFERED]
    return {
        "people": {"to": flips_people.choices_of(result)},
        "person": {"row": [str(result.ids[i]) for i in order]},
    }


def _of_gaps(result: GapCauses) -> dict[str, dict[str, list[str]]]:
    by = {"pair": gap_causes.pairs_of(result)}
    return {"waterfall": by, "proxies": by}


def _of_people(result: BoundaryPeople) -> dict[str, dict[str, list[str]]]:
    return {"strip": {"by": list(result.attributes)}} if result.attributes else {}


def _of_remedies(result: Remedies) -> dict[str, dict[str, list[str]]]:
    first = focus(result)
    order = [first, *(r for r in range(1, len(result.names)) if r != first)]
    one = {"remedy": [result.names[r] for r in order]}
    gaps = [result.gap, *(gap for gap in GAPS if gap != result.gap)]
    rate = GAPS[result.gap].of[0]
    rates = [rate, *(name for name in RATES if name not in {rate, BASE})]
    return {
        "board": {"gap": gaps}, "gaps": one, "groups": {**one, "rate": rates}, "who": one,
    }  # fmt: skip


# What may be chosen for the views of a kind, by view; attributions have more to think about.
OFFERED: Mapping[type[Result], Callable[..., dict[str, dict[str, list[str]]]]] = {
    Faithfulness: _of_explanations, RashomonSet: _of_set, AttributionRange: _of_range,
    Churn: _of_churn, Profiles: _of_profiles, InteractionScores: _of_scores, Halo: _of_halo,
    FairnessFront: _of_front, Detectors: _of_detectors, LocalBasis: _of_basis,
    FairnessAudit: _of_audit, ErrorAudit: _of_errors, AttributeFlips: _of_flips,
    GapCauses: _of_gaps, BoundaryPeople: _of_people, Remedies: _of_remedies,
}  # fmt: skip


def _speechless_of_scores(result: InteractionScores) -> set[str]:
    """Return the views that have nothing to show: one model has no cloud, pairs no triples."""
    none = set() if len(result.mixed) > 1 else {"swarm"}
    return none if (result.orders == TRIPLE).any() else none | {"triples"}


def _speechless_of_audit(result: FairnessAudit) -> set[str]:
    """Return the views that have nothing to show: nothing to cross, no scores."""
    none = {"intersections"} if len(result.attributes) < 2 else set()
    scored = len(result.thresholds) > 0
    return none if scored else none | {"roc", "calibration", "thresholds", "xauc"}


def _speechless_of_remedies(result: Remedies) -> set[str]:
    """Return the views that have nothing to show: nothing measured, no search, nothing tried."""
    if len(result.names) < 2:
        return set(RENDERERS[Remedies]) - {"board"}
    measured = np.isfinite(result.multiplicity[:, 0]).any()
    none = set() if measured else {"multiplicity"}
    return none if result.trial_of else none | {"trials"}


def _speechless(result: Churn | Mitigation) -> set[str]:
    """Return the views that have nothing to show: no update, no groups, no candidates."""
    if isinstance(result, Mitigation):
        none = set() if result.candidate_names else {"candidates"}
        return none if result.classifies else none | {"abstention"}
    none = set() if churn_groups.groupings_of(result) else {"groups"}
    return none if result.update else none | {"update"}


def _speechless_of_halo(result: Halo) -> set[str]:
    """Return the views that have nothing to show: of pairs no sphere, of triples no circles."""
    return set(RENDERERS[Halo]) - set(halo.views(result))


# Which views have nothing to show of a result, for the kinds that have such.
SILENT: Mapping[type[Result], Callable[..., set[str]]] = {
    Churn: _speechless, Mitigation: _speechless, FairnessAudit: _speechless_of_audit,
    Profiles: lambda result: set(profiles.speechless(result)),
    InteractionScores: _speechless_of_scores, Halo: _speechless_of_halo,
    Remedies: _speechless_of_remedies,
    LocalBasis: lambda result: set() if basis_redundancy.switching_layers(result) else {"alike"},
}  # fmt: skip


def _views_of_kind(result: Result) -> tuple[str, ...]:
    views = tuple(RENDERERS.get(type(result), {}))
    if not isinstance(result, Performance):
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
