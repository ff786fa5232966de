"""A report: one HTML file that opens anywhere, without a network, and runs nothing but itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from workbench.core import results as kinds
from workbench.core.errors import InvalidInputError
from workbench.core.files import replacing
from workbench.core.results import Result
from workbench.report.attribution import attribution_section
from workbench.report.attribution_range import attribution_range_section
from workbench.report.boundary import boundary_section
from workbench.report.chosen import with_chosen
from workbench.report.counterfactuals import counterfactuals_section
from workbench.report.detectors import detectors_section
from workbench.report.document import Document, Entry
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
from workbench.report.page import page
from workbench.report.performance import performance_section
from workbench.report.profiles import profiles_section
from workbench.report.rashomon import rashomon_section
from workbench.report.remedies import remedies_section
from workbench.report.scale_curves import scale_curves_section
from workbench.report.section import Section
from workbench.report.simpler_models import simpler_models_section
from workbench.report.updates import churn_section, mitigation_section

SECTIONS: Mapping[type[Result], Callable[..., Section]] = {
    kinds.Attribution: attribution_section, kinds.Performance: performance_section,
    kinds.Interactions: interactions_section, kinds.Counterfactuals: counterfactuals_section,
    kinds.LocalModels: local_models_section, kinds.LocalFunctions: local_functions_section,
    kinds.ScaleCurves: scale_curves_section, kinds.Faithfulness: faithfulness_section,
    kinds.Measures: measures_section, kinds.AttributionRange: attribution_range_section,
    kinds.BoundaryPeople: boundary_section, kinds.RashomonSet: rashomon_section,
    kinds.Remedies: remedies_section, kinds.SimplerModels: simpler_models_section,
    kinds.Profiles: profiles_section, kinds.InteractionScores: interaction_scores_section,
    kinds.Halo: halo_section, kinds.Detectors: detectors_section,
    kinds.InteractionTest: interaction_test_section, kinds.LocalBasis: local_basis_section,
    kinds.FairnessAudit: fairness_section, kinds.ErrorAudit: error_audit_section,
    kinds.AttributeFlips: flips_section, kinds.GapCauses: gap_causes_section,
    kinds.FairnessFront: fairness_front_section, kinds.Churn: churn_section,
    kinds.Mitigation: mitigation_section,
}  # fmt: skip


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
    results
        In the order of the report.
    path
        Where to write; usually ``.html``.
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
    if remarks and len(remarks) != len(results):
        raise InvalidInputError(
            f"A report of {len(results)} results needs as many remarks, got {len(remarks)}; leave "
            "a remark empty where there is nothing to say."
        )
    said = remarks or [""] * len(results)
    entries = tuple(
        Entry(result, remark=remark) for result, remark in zip(results, said, strict=True)
    )
    return write_html(Document(title, entries, tuple(comments)), path)


def write_html(document: Document, path: str | Path) -> Path:
    """Write a report as one HTML file; a file of that name is replaced as a whole.

    Raises
    ------
    InvalidInputError
        If there are no results, or one of a kind that reports cannot show.
    """
    text = page(document, sections_of(document))
    path = Path(path)
    with replacing(path) as part:
        part.write_bytes(text.encode())
    return path


def sections_of(document: Document) -> list[Section]:
    """Build the section of each entry, with title, remark and figures that it was given.

    Raises
    ------
    InvalidInputError
        If there are no results, one of a kind that reports cannot show, or a figure that its
        result does not have.
    """
    if not document.entries:
        raise InvalidInputError("A report needs at least one result; add one and write it again.")
    found = []
    for i, entry in enumerate(document.entries, 1):
        section = _section(entry.result, f"result-{i}")
        if entry.figures:
            section = with_chosen(section, entry.result, entry.figures)
        title = entry.title or section.title
        found.append(replace(section, title=title, remark=entry.remark))
    return found


def _section(result: Result, name: str) -> Section:
    build = SECTIONS.get(type(result))
    if build is None:
        raise InvalidInputError(
            f"A report cannot show results of kind {result.kind!r}; leave it out."
        )
    return build(result, name)
