"""Results as a document."""

from workbench.core.figures import ChosenFigure
from workbench.report.document import Document, Entry, Level
from workbench.report.formats import write_document
from workbench.report.gathering import gather
from workbench.report.html import write_html, write_report
from workbench.report.tables import to_json, write_csv

__all__ = [
    "ChosenFigure", "Document", "Entry", "Level", "gather", "to_json", "write_csv",
    "write_document", "write_html", "write_report",
]  # fmt: skip
