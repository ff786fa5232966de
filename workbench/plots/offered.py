"""What may be chosen for a view: each option with its choices, the default first."""

from collections.abc import Callable, Mapping

import numpy as np

from workbench.core.error_audit import MEASURES as ERRORS
from workbench.core.fairness_metrics import BASE, GAPS, RATES, TPR
from workbench.core.local_basis import BASES
from workbench.core.remedy_reading import focus
from workbench.core.results import (
    AttributeFlips,
    Attribution,
    AttributionRange,
    BoundaryPeople,
    Churn,
    Detectors,
    ErrorAudit,
    FairnessAudit,
    FairnessFront,
    Faithfulness,
    GapCauses,
    Halo,
    InteractionScores,
    LocalBasis,
    Profiles,
    RashomonSet,
    Remedies,
    Result,
)
from workbench.numerics.agreement_of_explanations import AGREEMENTS
from workbench.plots import (
    attribution_range,
    basis_redundancy,
    churn_groups,
    detectors,
    error_audit,
    fairness,
    fairness_front,
    flips_people,
    gap_causes,
    halo,
    interaction_scores_heatmap,
    local_basis,
    profile_multiples,
    profile_pairs,
    profiles,
    rashomon,
    rashomon_groups,
)
from workbench.plots.clusters import COLOURS
from workbench.plots.cohorts import MEASURES, groupings_of
from workbench.plots.dependence import interactions_of
from workbench.plots.explanations import offered_types
from workbench.plots.rashomon_rows import SPREADS
from workbench.plots.scored_sets import ways_of


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
    if isinstance(result, Attribution):
        return _of_attribution(result, view, output, feature)
    offered = OFFERED.get(type(result))
    return {} if offered is None else offered(result).get(view, {})


def _of_attribution(
    result: Attribution, view: str, output: str | int | None, feature: str | None
) -> dict[str, list[str]]:
    if not len(result):
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


# What may be chosen for the views of a kind, by view.
OFFERED: Mapping[type[Result], Callable[..., dict[str, dict[str, list[str]]]]] = {
    Faithfulness: _of_explanations, RashomonSet: _of_set, AttributionRange: _of_range,
    Churn: _of_churn, Profiles: _of_profiles, InteractionScores: _of_scores, Halo: _of_halo,
    FairnessFront: _of_front, Detectors: _of_detectors, LocalBasis: _of_basis,
    FairnessAudit: _of_audit, ErrorAudit: _of_errors, AttributeFlips: _of_flips,
    GapCauses: _of_gaps, BoundaryPeople: _of_people, Remedies: _of_remedies,
}  # fmt: skip
