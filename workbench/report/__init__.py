"""Results as a document."""

from workbench.report.html import write_report
from workbench.report.tables import to_json, write_csv

__all__ = ["to_json", "write_csv", "write_report"]
