"""What an auditor needs to check a report and to make it again."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.results import Result
from workbench.report.document import Document
from workbench.report.section import Grid, Section

RERUN = (
    "Save the analysis file below as analysis.yaml and run: workbench run analysis.yaml "
    "--out out/. It names every model and table whose digest is no longer the one below."
)
NO_FILE = (
    "This report came with no analysis file. Each result names its method, settings, seed and the "
    "digests of model and rows below; the command of the method (workbench list names it) with "
    "these settings and this seed makes it again."
)


@dataclass(frozen=True)
class Appendix:
    """The last part of a report for auditors; all text plain, escaped by the template."""

    rerun: str
    runs: Grid
    digests: Grid
    versions: Grid
    analysis: str


def appendix(document: Document, sections: Sequence[Section]) -> Appendix:
    """Collect settings, digests and versions of all results."""
    results = [entry.result for entry in document.entries]
    return Appendix(
        rerun=RERUN if document.analysis else NO_FILE,
        runs=_runs(document, sections),
        digests=_digests(results),
        versions=_versions(results),
        analysis=document.analysis,
    )


def _runs(document: Document, sections: Sequence[Section]) -> Grid:
    rows = tuple(
        (
            section.title, entry.step or "none", record.method, str(record.seed), record.device,
            record.dtype, "; ".join(f"{k} = {v}" for k, v in record.params.items()) or "none",
        )
        for entry, section in zip(document.entries, sections, strict=True)
        for record in [entry.result.provenance]
    )  # fmt: skip
    columns = ("result", "step", "method", "seed", "device", "precision", "settings")
    return Grid("Every run with all its settings", columns, rows, frozenset({3}))


def _digests(results: Sequence[Result]) -> Grid:
    found: dict[tuple[str, str, str], None] = {}
    for record in (result.provenance for result in results):
        found["model", record.model, record.model_digest] = None
        found["rows", record.table, record.table_digest] = None
        if record.n_background:
            found["background", record.background, record.background_digest] = None
    columns = ("what", "name", "SHA-256")
    return Grid("Digests of models and rows", columns, tuple(found), frozenset())


def _versions(results: Sequence[Result]) -> Grid:
    found = {
        pair: None for result in results for pair in sorted(result.provenance.versions.items())
    }
    columns = ("program", "version")
    return Grid("Versions that computed the results", columns, tuple(found), frozenset())
