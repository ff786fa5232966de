"""What commands do with a result: files, JSON, and how far it can be trusted."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import InvalidInputError
from workbench.core.files import refuse_special, replacing

if TYPE_CHECKING:
    from workbench.core.provenance import Provenance
    from workbench.core.results import Result, Tabular

MARKS = {"ok": "✓", "warning": "!", "failure": "✗", "not_applicable": "-"}


def check_folder(out: Path) -> None:
    """Refuse a folder that cannot be written to, before minutes of work rather than after.

    Raises
    ------
    InvalidInputError
        If it, or the first folder above it that there is, cannot be written to.
    """
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise InvalidInputError(f"Folder {str(out)!r} cannot be written to; choose another.")


def check_file(out: Path) -> None:
    """Refuse a file that cannot be written, before minutes of work rather than after.

    Raises
    ------
    InvalidInputError
        If it is a folder, may not be changed, or its folder cannot be written to.
    """
    if out.is_dir():
        raise InvalidInputError(f"{str(out)!r} is a folder; give the path of a file in it.")
    refuse_special(out)
    if out.exists() and not os.access(out, os.W_OK):
        raise InvalidInputError(f"File {str(out)!r} cannot be written to; choose another.")
    check_folder(out.parent)


def write_result(result: "Tabular", out: Path) -> list[Path]:
    """Write the result, its table and its JSON; each appears as a whole."""
    from workbench.report.tables import to_json, write_csv  # loads pandas

    record = result.provenance
    stem = "-".join((
        record.model.replace("@", "-v"),
        record.table.replace("/", "-"),
        record.method,
        _request_digest(record),
    ))
    stem = "".join(letter if letter.isalnum() or letter in "-._" else "_" for letter in stem)
    paths = [out / f"{stem}{suffix}" for suffix in (f".{result.kind}", ".csv", ".json")]
    result.save(paths[0])
    write_csv(result.to_frame(), paths[1])
    with replacing(paths[2]) as part:
        part.write_text(to_json(result), encoding="utf-8")
    return paths


def _request_digest(record: "Provenance") -> str:
    """Tell runs apart by what was asked: same rows, background, settings and seed, same name."""
    asked = [record.table_digest, record.background_digest, record.params, record.seed]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]


def as_json(result: "Result") -> str:
    """Return the result and what the checks say of it."""
    from workbench.checks import run_checks  # after the result exists
    from workbench.report.tables import to_json  # loads pandas

    content = json.loads(to_json(result))
    content["checks"] = [asdict(outcome) for outcome in run_checks(result)]
    return json.dumps(content, indent=2, allow_nan=False)


def trust_lines(result: "Result", *first: str) -> list[str]:
    """Say what the checks find and what to know besides, and how the result came about."""
    from workbench.checks import run_checks  # after the result exists

    lines = [f"  {sentence}" for sentence in first]
    lines += [f"  {MARKS[o.status]} {o.code} {o.title}: {o.sentence}" for o in run_checks(result)]
    lines += [f"  Note: {note}." for note in result.provenance.notes]
    heading = ["How far to trust this:", *lines, ""] if lines else []
    return [*heading, result.provenance.describe()]
