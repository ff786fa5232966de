"""A report as a bundle of CSV files: a table for each result, and what they are in a manifest."""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.checks.advice import ADVICE
from workbench.core.errors import InvalidInputError
from workbench.core.files import replacing
from workbench.report.document import Document
from workbench.report.html import sections_of
from workbench.report.section import Section
from workbench.report.tables import write_csv
from workbench.report.visible import visible

# Of no day: two bundles of the same results are the same bytes.
_NO_DAY = (1980, 1, 1, 0, 0, 0)
README = """\
{title}

manifest.csv   a line for each result: its file, title, answer, method, model, rows, digests
checks.csv     what the checks found in each result, and what to do
NN-*.csv       the numbers of each result

Files are UTF-8 with commas between cells. A cell that a spreadsheet would run as a formula has a
leading '. Empty cells are values that are not known.
"""


def write_bundle(document: Document, path: str | Path) -> Path:
    """Write a zip of CSV files; a file of that name is replaced as a whole.

    The same document gives the same bytes.

    Raises
    ------
    InvalidInputError
        If there are no results, or one without a table.
    """
    sections, path = sections_of(document), Path(path)
    names = [
        f"{i:02d}-{entry.result.provenance.method.replace('.', '-')}.csv"
        for i, entry in enumerate(document.entries, 1)
    ]
    with (
        replacing(path) as part,
        tempfile.TemporaryDirectory(prefix="bundle-") as folder,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle,
    ):
        scratch = Path(folder) / "table.csv"

        def add(name: str, frame: pd.DataFrame) -> None:
            _add(bundle, name, write_csv(frame, scratch))

        readme = Path(folder) / "README.txt"
        readme.write_text(README.format(title=visible(document.title)), encoding="utf-8")
        _add(bundle, readme.name, readme)
        add("manifest.csv", _manifest(document, sections, names))
        add("checks.csv", _checks(sections, names))
        for entry, name in zip(document.entries, names, strict=True):
            to_frame: Any = getattr(entry.result, "to_frame", None)
            if to_frame is None:
                raise InvalidInputError(
                    f"A result of kind {entry.result.kind!r} has no table; leave it out."
                )
            add(name, to_frame())
    return path


def _add(bundle: zipfile.ZipFile, name: str, file: Path) -> None:
    about = zipfile.ZipInfo(name, date_time=_NO_DAY)
    about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    with file.open("rb") as source, bundle.open(about, "w") as target:
        while block := source.read(1 << 20):
            target.write(block)


def _manifest(document: Document, sections: list[Section], names: list[str]) -> pd.DataFrame:
    lines = [
        {
            "file": name, "title": section.title,
            "answer": section.answers[0] if section.answers else "",
            "remark": entry.remark, "step": entry.step,
            "figures": "; ".join(figure.describe() for figure in entry.figures),
            "kind": entry.result.kind,
            **{
                field: getattr(entry.result.provenance, field)
                for field in (
                    "method", "model", "model_digest", "table", "table_digest", "n_rows",
                    "background", "background_digest", "n_background", "seed", "device", "dtype",
                    "created", "reference",
                )
            },
            "settings": "; ".join(
                f"{k} = {v}" for k, v in entry.result.provenance.params.items()
            ),
        }
        for entry, section, name in zip(document.entries, sections, names, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(lines)


def _checks(sections: list[Section], names: list[str]) -> pd.DataFrame:
    columns = ("file", "code", "title", "status", "sentence", "what to do")
    lines = [
        (name, o.code, o.title, o.status, o.sentence,
         ADVICE.get(o.code, "") if o.status in {"warning", "failure"} else "")
        for name, section in zip(names, sections, strict=True)
        for o in section.outcomes
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=pd.Index(columns))
