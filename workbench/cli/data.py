"""Commands about tables: look at a file, keep it as a table of one's own, list, remove."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.candidates import MINE, OWNER, model_names, own_table_names
from workbench.cli.options import AS_JSON, EXTRA, SPLIT, TABLE
from workbench.cli.printing import echo
from workbench.cli.results import check_file
from workbench.core.errors import DataError
from workbench.core.files import refuse_special
from workbench.core.wording import counted, percent

if TYPE_CHECKING:
    from workbench.core.schema import Schema
    from workbench.core.table import Table
    from workbench.engines.performance.overview import FeatureOverview, Overview
    from workbench.workspace.store import Preview

SHOW_EXAMPLES = """\b
Examples:
  workbench data show adult
  workbench data show german --split all --json
  workbench data show people.csv --model adult-mlp
"""
LISTED = 4
CHECK_EXAMPLES = """\b
Examples:
  workbench data check people.csv --target income --write-schema people.schema.json
  workbench data check people.csv --model adult-mlp
"""
ADD_EXAMPLES = """\b
Examples:
  workbench data add people.csv --target income
  workbench data add people.xlsx --sheet 2024 --name people-2024 --schema people.schema.json
"""


@click.group()
def data() -> None:
    """Look at, check and keep tables."""


@data.command(epilog=SHOW_EXAMPLES, no_args_is_help=True)
@TABLE
@click.option("--model", shell_complete=model_names, help="Read a file with this model's schema.")
@SPLIT
@EXTRA
@AS_JSON
def show(
    table: str, model: str | None, split: str | None, ignore_extra_columns: bool, as_text: bool
) -> None:
    """Say what is in TABLE: its values, what is missing, and how classes are spread."""
    from workbench import api  # loads torch

    rows = api.load_table(
        table, split=split, model=api.load_model(model) if model else None,
        ignore_extra=ignore_extra_columns,
    )  # fmt: skip
    found = api.table_overview(rows)
    if as_text:
        echo(json.dumps(_overview_fields(found), indent=2, allow_nan=False))
        return
    again = f", {found.duplicates:,} of them equal to an earlier one" if found.duplicates else ""
    echo(f"{found.name}: {counted(found.n_rows, 'row')}{again}")
    features = [*found.features, *([found.target] if found.target else [])]
    wide = max(len(one.feature.name) for one in features)
    for one in features:
        lack = f"; {percent(one.missing)} missing" if one.missing else ""
        mark = "target: " if one is found.target else ""
        echo(f"  {one.feature.name:<{wide}}  {mark}{_values(one)}{lack}")
    shares = [
        f"{name} {count:,} ({percent(float(count) / found.n_rows)})"
        for name, count in zip(found.class_names, found.class_counts, strict=True)
    ]
    if shares:
        echo(f"  target {found.schema.target}: {', '.join(shares)}")


def _values(one: "FeatureOverview") -> str:
    """Say which values a feature has: quartiles and bounds of numbers, the commonest categories."""
    if one.labels:
        counts = one.counts.sum(0)
        told = [
            f"{label} ({count:,})"
            for label, count in list(zip(one.labels, counts, strict=True))[:LISTED]
        ]
        more = one.distinct - LISTED
        return ", ".join(told) + (f" and {more} more" if more > 0 else "")
    if one.quartiles is None:
        return "no values"
    show = one.feature.show
    low, high, (first, middle, third) = one.low, one.high, one.quartiles
    return (
        f"{show(float(str(low)))} to {show(float(str(high)))}, median {show(middle)}, half of them "
        f"{show(first)} to {show(third)}"
    )


def _overview_fields(found: "Overview") -> dict[str, Any]:
    """Put an overview into what JSON knows, without histograms."""

    def feature(one: "FeatureOverview") -> dict[str, Any]:
        counts = one.counts.sum(0).tolist()
        return {
            "name": one.feature.name, "kind": one.feature.kind, "missing": one.missing,
            "distinct": one.distinct, "low": one.low, "quartiles": one.quartiles, "high": one.high,
            "categories": dict(zip(one.labels, counts, strict=True)) if one.labels else None,
        }  # fmt: skip

    return {
        "name": found.name, "rows": found.n_rows, "duplicates": found.duplicates,
        "features": [feature(one) for one in found.features],
        "target": found.schema.target,
        "classes": dict(zip(found.class_names, found.class_counts.tolist(), strict=True)),
        "target_values": feature(found.target) if found.target else None,
    }  # fmt: skip


@data.command(epilog=CHECK_EXAMPLES, no_args_is_help=True)
@TABLE
@click.option("--model", shell_complete=model_names, help="Check against this model's schema.")
@click.option("--schema", type=click.Path(path_type=Path), help="Check against this schema file.")
@click.option("--target", help="Column that is to be predicted, where the schema is guessed.")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the schema."
)
@click.option(
    "--write-schema", type=click.Path(path_type=Path), help="Save the schema, to edit it."
)
@AS_JSON
def check(
    table: str, model: str | None, schema: Path | None, target: str | None,
    ignore_extra_columns: bool, write_schema: Path | None, as_text: bool,
) -> None:  # fmt: skip
    """Read TABLE, say what its columns mean, and name the first fault if there is one."""
    from workbench import api  # loads torch
    from workbench.data.bundled import load_schema, save_schema
    from workbench.data.inference import infer_schema
    from workbench.data.readers import read_with_notes

    if target and (schema or model):
        raise DataError(
            "A schema names its target itself; leave out --target, --schema or --model."
        )
    guesses: tuple[str, ...] = ()
    known = load_schema(schema) if schema else None
    if model:
        known = api.load_model(model).schema
    if target:
        known, guesses = infer_schema(read_with_notes(Path(table))[0], target=target)
        ignore_extra_columns = True  # what the guess left out is said below
    if write_schema is not None:
        check_file(write_schema)
    read, notes = api.open_table(table, schema=known, ignore_extra=ignore_extra_columns)
    if as_text:
        content = {
            "name": read.name, "rows": len(read), "notes": [*guesses, *notes],
            "schema": read.schema.model_dump(mode="json"),
        }  # fmt: skip
        echo(json.dumps(content, indent=2))
    else:
        _describe(read, (*guesses, *notes))
    if write_schema:
        save_schema(read.schema, write_schema)
        echo(f"Wrote {write_schema}", err=as_text)


def _describe(read: "Table", notes: tuple[str, ...]) -> None:
    echo(
        f"{read.name}: {counted(len(read), 'row')}, {counted(len(read.schema.features), 'feature')}"
    )
    width = max(28, 2 + max(map(len, read.schema.names)))
    for feature in read.schema.features:
        about = f"{len(feature.categories)} categories" if feature.categories else "numbers"
        if feature.range:
            about = f"{feature.range[0]:g} to {feature.range[1]:g} {feature.unit}".rstrip()
        marks = [m for m in ("protected", "immutable", "has_missing") if getattr(feature, m)]
        echo(f"  {feature.name:{width}}{feature.kind:13}{about:24}{', '.join(marks)}")
    if read.schema.target:
        task = read.schema.task or "no task"
        echo(f"  target {read.schema.target}: {task} {', '.join(read.schema.classes)}")
    for note in notes:
        echo(f"  Note: {note}")


@data.command(epilog=ADD_EXAMPLES, no_args_is_help=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the table. [default: made of the file's name]")
@click.option("--target", help="Column that is to be predicted.")
@click.option(
    "--schema",
    type=click.Path(path_type=Path),
    help="Schema file. [default: FILE's name with .schema.json, if it is there, else a guess]",
)
@click.option("--sheet", help="Sheet of a spreadsheet. [default: the first with values]")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the schema."
)
@AS_JSON
def add(
    file: Path, name: str | None, target: str | None, schema: Path | None, sheet: str | None,
    ignore_extra_columns: bool, as_text: bool,
) -> None:  # fmt: skip
    """Keep FILE as a table of yours; a process without rights of its own reads it."""
    from workbench.data.bundled import load_schema
    from workbench.data.columns import quote
    from workbench.workspace.store import Workspace  # loads torch

    if schema and target:
        raise DataError("A schema names its target itself; leave out --target or --schema.")
    beside = file.with_suffix(".schema.json")
    if schema is None and target is None and beside.is_file():
        schema = beside
    known = load_schema(schema) if schema else None
    workspace = Workspace(OWNER)
    refuse_special(file, DataError)
    try:
        with file.open("rb") as content:
            draft = workspace.receive(content, file.name)
    except FileNotFoundError:
        raise DataError(f"There is no file {quote(file)}; check the path.") from None
    try:
        notes: tuple[str, ...] = ()
        if known is None:
            known, notes = _guess(workspace.preview(draft, target=target, sheet=sheet))
            ignore_extra_columns = True  # what the guess left out is named in its notes
        entry = workspace.save_table(
            draft, known, name=name, ignore_extra=ignore_extra_columns, sheet=sheet
        )
    finally:
        workspace.discard(draft)
    if as_text:
        told = {
            "table": entry.reference, "rows": entry.n_rows, "features": entry.n_features,
            "notes": notes or entry.notes,
        }  # fmt: skip
        echo(json.dumps(told, indent=2))
        return
    for note in notes or entry.notes:
        echo(f"  Note: {note}")
    echo(
        f"{entry.reference}: {counted(entry.n_rows, 'row')}, {counted(entry.n_features, 'feature')}"
    )


def _guess(preview: "Preview") -> "tuple[Schema, tuple[str, ...]]":
    if preview.target_fault:
        raise DataError(preview.target_fault)
    if preview.guess is None:
        raise DataError(
            "No column can be used as a feature; give at least one column of numbers or of text "
            "with few distinct values."
        )
    return preview.guess, preview.notes


@data.command("list")
@AS_JSON
def list_tables(as_text: bool) -> None:
    """List the tables that come along, and yours."""
    from workbench.workspace.sources import list_tables as find  # loads torch

    if as_text:
        found = [{"table": table.reference, "rows": table.n_rows} for table in find(OWNER)]
        echo(json.dumps(found, indent=2))
        return
    for table in find(OWNER):
        rows = "" if table.n_rows is None else f"{table.n_rows:>12,} rows"
        echo(f"  {table.reference:30}{rows}".rstrip())


@data.command()
@click.argument("name", shell_complete=own_table_names)
def remove(name: str) -> None:
    """Remove NAME, a table of yours, and the file it was made from."""
    from workbench.workspace.store import Workspace  # loads torch

    Workspace(OWNER).remove_table(name.removeprefix(MINE))
    echo(f"Removed {MINE}{name.removeprefix(MINE)}")
