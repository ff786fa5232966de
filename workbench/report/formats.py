"""The files that a report can become, by the ending of their names."""

from collections.abc import Callable, Mapping
from pathlib import Path

from workbench.core.errors import InvalidInputError
from workbench.operations.chromium import find_chromium
from workbench.report.bundle import write_bundle
from workbench.report.document import Document
from workbench.report.html import write_html
from workbench.report.json_file import write_json
from workbench.report.pdf import write_pdf

WRITERS: Mapping[str, Callable[[Document, str | Path], Path]] = {
    "html": write_html, "pdf": write_pdf, "json": write_json, "zip": write_bundle,
}  # fmt: skip


def check_format(path: str | Path, format: str = "") -> str:
    """Return the format that a report is written in, before minutes of work.

    Raises
    ------
    InvalidInputError
        If a report cannot be written so.
    """
    wanted = format or Path(path).suffix.removeprefix(".").lower()
    if wanted not in WRITERS:
        raise InvalidInputError(
            f"A report cannot be written as {str(path)!r}: end the name in one of "
            f"{', '.join(f'.{name}' for name in WRITERS)}, or name the format."
        )
    if wanted == "pdf":
        find_chromium()
    return wanted


def write_document(document: Document, path: str | Path, format: str = "") -> Path:
    """Write a report as ``html``, ``pdf``, ``json``, or ``zip`` (a CSV file for each result).

    Parameters
    ----------
    format
        By the ending of the path where nothing is said.

    Raises
    ------
    InvalidInputError
        If the format is none of these, there are no results, or one cannot be shown; or if a PDF
        is wanted and there is no Chromium.
    PrintingError
        If Chromium cannot be started or does not finish in time.
    """
    return WRITERS[check_format(path, format)](document, path)
