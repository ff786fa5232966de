"""A report as JSON: every number of every result, what checks say, how each came about."""

import json
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from workbench.checks import run_checks
from workbench.core.errors import InvalidInputError
from workbench.core.files import replacing
from workbench.report.document import Document, Entry
from workbench.report.tables import plain, to_json

REPORT_FORMAT = 1


def write_json(document: Document, path: str | Path) -> Path:
    """Write a report as JSON; a file of that name is replaced as a whole.

    Every level holds everything: a program leaves out what it does not need. What is not a finite
    number is ``null``. ``docs/report.schema.json`` describes the file.

    Raises
    ------
    InvalidInputError
        If there are no results.
    """
    if not document.entries:
        raise InvalidInputError("A report needs at least one result; add one and write it again.")
    content = {
        "format": REPORT_FORMAT,
        "kind": "report",
        "title": document.title,
        "comments": list(document.comments),
        "level": document.level,
        "results": [_entry(entry) for entry in document.entries],
        "models": [plain(card.model_dump(mode="json", by_alias=True)) for card in document.cards],
        "tables": [_told(table) for table in document.tables],
        "analysis": document.analysis,
    }
    path = Path(path)
    with replacing(path) as part:
        part.write_text(
            json.dumps(content, allow_nan=False, ensure_ascii=False, indent=1), encoding="utf-8"
        )
    return path


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "title": entry.title,
        "remark": entry.remark,
        "step": entry.step,
        "figures": [figure.model_dump(mode="json") for figure in entry.figures],
        "checks": [plain(asdict(outcome)) for outcome in run_checks(entry.result)],
        "result": json.loads(to_json(entry.result)),
    }


def _told(value: Any) -> Any:
    """Write a record of numbers by the names of its fields."""
    if isinstance(value, BaseModel | np.ndarray):
        return plain(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _told(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [_told(part) for part in value]
    return plain(value)
