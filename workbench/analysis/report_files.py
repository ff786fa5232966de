"""The report of a run in its formats."""

from pathlib import Path

from workbench.analysis.folder import REPORT
from workbench.report.bundle import write_bundle
from workbench.report.document import Document
from workbench.report.html import write_html
from workbench.report.json_file import write_json
from workbench.report.pdf import write_pdf


def write_reports(document: Document, folder: Path, *, pdf: bool) -> None:
    """Write the report of a run into its folder; without a result there is none.

    Raises
    ------
    WorkbenchError
        If a PDF is asked for and there is nothing here that prints it.
    """
    if not document.entries:
        return
    write_html(document, folder / f"{REPORT}.html")
    write_json(document, folder / f"{REPORT}.json")
    write_bundle(document, folder / f"{REPORT}.zip")
    if pdf:
        write_pdf(document, folder / f"{REPORT}.pdf")
