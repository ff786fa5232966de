"""A report: one HTML file that opens anywhere, without a network, and runs nothing but itself.

The page's content security policy names each of its scripts by digest and forbids every address,
so text that slipped through the escaping could still neither run nor load anything.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from workbench.core.errors import InvalidInputError
from workbench.core.files import replacing
from workbench.core.method import METHODS
from workbench.core.results import (
    AttributeFlips,
    Attribution,
    AttributionRange,
    BoundaryPeople,
    Churn,
    Counterfactuals,
    Detectors,
    ErrorAudit,
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
from workbench.report.attribution import attribution_section
from workbench.report.attribution_range import attribution_range_section
from workbench.report.boundary import boundary_section
from workbench.report.counterfactuals import counterfactuals_section
from workbench.report.detectors import detectors_section
from workbench.report.error_audit import error_audit_section
from workbench.report.fairness import fairness_section
from workbench.report.fairness_front import fairness_front_section
from workbench.report.faithfulness import faithfulness_section
from workbench.report.flips import flips_section
from workbench.report.gap_causes import gap_causes_section
from workbench.report.halo import halo_section
from workbench.report.interaction_scores import interaction_scores_section
from workbench.report.interaction_test import interaction_test_section
from workbench.report.interactions import interactions_section
from workbench.report.local_basis import local_basis_section
from workbench.report.local_functions import local_functions_section
from workbench.report.local_models import local_models_section
from workbench.report.measures import measures_section
from workbench.report.performance import performance_section
from workbench.report.profiles import profiles_section
from workbench.report.rashomon import rashomon_section
from workbench.report.remedies import remedies_section
from workbench.report.scale_curves import scale_curves_section
from workbench.report.section import Section
from workbench.report.simpler_models import simpler_models_section
from workbench.report.updates import churn_section, mitigation_section

SECTIONS: Mapping[type[Result], Callable[..., Section]] = {
    Attribution: attribution_section, Performance: performance_section,
    Interactions: interactions_section, Counterfactuals: counterfactuals_section,
    LocalModels: local_models_section, LocalFunctions: local_functions_section,
    ScaleCurves: scale_curves_section, Faithfulness: faithfulness_section,
    Measures: measures_section, AttributionRange: attribution_range_section,
    BoundaryPeople: boundary_section, RashomonSet: rashomon_section, Remedies: remedies_section,
    SimplerModels: simpler_models_section, Profiles: profiles_section,
    InteractionScores: interaction_scores_section, Halo: halo_section,
    Detectors: detectors_section, InteractionTest: interaction_test_section,
    LocalBasis: local_basis_section, FairnessAudit: fairness_section,
    ErrorAudit: error_audit_section, AttributeFlips: flips_section, GapCauses: gap_causes_section,
    FairnessFront: fairness_front_section, Churn: churn_section, Mitigation: mitigation_section,
}  # fmt: skip
SYMBOLS = {"ok": "✓", "warning": "▲", "failure": "✕", "not_applicable": "\N{EN DASH}"}
STATUS_WORDS = {
    "ok": "fine",
    "warning": "caution",
    "failure": "failed",
    "not_applicable": "does not apply",
}


def write_report(
    results: Sequence[Result],
    path: str | Path,
    *,
    title: str,
    comments: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> Path:
    """Write results as one HTML file; a file of that name is replaced as a whole.

    Parameters
    ----------
    title
        Plain text, as are the comments; markup in either is shown, not obeyed.
    comments
        Paragraphs of the author, above the results.
    remarks
        What the author says of each result, empty where nothing; none, or one for each.

    Raises
    ------
    InvalidInputError
        If there are no results, one of a kind that reports cannot show, or another number of
        remarks than results.
    """
    if not results:
        raise InvalidInputError("A report needs at least one result; add one and write it again.")
    if remarks and len(remarks) != len(results):
        raise InvalidInputError(
            f"A report of {len(results)} results needs as many remarks, got {len(remarks)}; leave "
            "a remark empty where there is nothing to say."
        )
    said = remarks or [""] * len(results)
    sections = [
        replace(_section(result, f"result-{i}"), remark=remark)
        for i, (result, remark) in enumerate(zip(results, said, strict=True), 1)
    ]
    environment = Environment(
        loader=PackageLoader("workbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loader = environment.loader
    assert loader is not None  # noqa: S101 - given two lines above
    behaviour = loader.get_source(environment, "report.js")[0]
    plotly_js = get_plotlyjs()
    page = environment.get_template("report.html.j2").render(
        title=title,
        comments=comments,
        sections=sections,
        caveats=[
            (section, [o for o in section.outcomes if o.status in {"warning", "failure"}])
            for section in sections
        ],
        weaknesses=[
            (section, METHODS[name].weakness)
            for section, name in zip(sections, (r.provenance.method for r in results), strict=True)
            if name in METHODS
        ],
        symbols=SYMBOLS,
        status_words=STATUS_WORDS,
        plotly_js=plotly_js,
        behaviour=behaviour,
        policy=_policy(plotly_js, behaviour),
    )
    path = Path(path)
    with replacing(path) as part:
        part.write_bytes(page.encode())
    return path


def _policy(*scripts: str) -> str:
    """Allow these scripts, inline styles and images made by the page; nothing from outside."""
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    return "; ".join((
        "default-src 'none'",
        "script-src " + " ".join(f"'sha256-{digest}'" for digest in digests),
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ))


def _section(result: Result, name: str) -> Section:
    build = SECTIONS.get(type(result))
    if build is None:
        raise InvalidInputError(
            f"A report cannot show results of kind {result.kind!r}; leave it out."
        )
    return build(result, name)
