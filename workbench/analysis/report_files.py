"""The report of a run in its formats."""

from pathlib import Path

from workbench.analysis.folder import REPORT
from workbench.report import write_report
from workbench.report.document import Document


def write_reports(document: Document, folder: Path, *, pdf: bool) -> None:
    """Write the report of a run into its folder; without a result there is none."""
    if not document.entries:
        return
    write_report(
        [entry.result for entry in document.entries], folder / f"{REPORT}.html",
        title=document.title, comments=document.comments,
        remarks=[entry.remark for entry in document.entries],
    )  # fmt: skip
