"""What commands do with a result: files, JSON, and how far it can be trusted."""

import hashlib
import inspect
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import run_on_rows
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.core.provenance import Provenance
    from workbench.core.results import Result, Tabular

MARKS = {"ok": "✓", "warning": "!", "failure": "✗", "not_applicable": "-"}


def check_folder(out: Path) -> None:
    """Refuse a folder that cannot be written to, before minutes of work rather than after."""
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise InvalidInputError(f"Folder {str(out)!r} cannot be written to; choose another.")


def write_result(result: "Tabular", out: Path) -> list[Path]:
    """Write the result, its table and its JSON; each appears as a whole."""
    from workbench.core.files import replacing
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


def finished(
    verb: str, label: str, *, out: Path | None, as_text: bool,
    run: Callable[..., Any] = run_on_rows, write: Callable[..., list[Path]] = write_result,
    **flags: Any,
) -> Any:  # fmt: skip
    """Run a verb, write its files, and print it as JSON where that is wanted.

    Returns the result where it is still to be told in words, else None.

    Parameters
    ----------
    run
        ``run_on_rows``, ``run_on_table`` or ``run_on_labelled``; flags that it does not name are
        settings.
    write
        Writes a result into a folder, and returns what it wrote.
    """
    named = inspect.signature(run).parameters
    own = {name: value for name, value in flags.items() if name in named}
    params = {name: value for name, value in flags.items() if name not in named}
    if out is not None:
        check_folder(out)
    result = run(verb, label, params=params, **own)
    for path in write(result, out) if out else []:
        click.echo(f"Wrote {path}", err=as_text)
    if as_text:
        click.echo(as_json(result))
        return None
    return result


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
