"""Commands about tables: look at a file, keep it as a table of one's own, list, remove."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.core.errors import DataError
from workbench.core.wording import counted

if TYPE_CHECKING:
    from workbench.core.schema import Schema
    from workbench.workspace.store import Preview

OWNER = "local"
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


@data.command(epilog=CHECK_EXAMPLES)
@click.argument("table")
@click.option("--model", help="Check against this model's schema.")
@click.option("--schema", type=click.Path(path_type=Path), help="Check against this schema file.")
@click.option("--target", help="Column that is to be predicted, where the schema is guessed.")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the schema."
)
@click.option(
    "--write-schema", type=click.Path(path_type=Path), help="Save the schema, to edit it."
)
def check(
    table: str, model: str | None, schema: Path | None, target: str | None,
    ignore_extra_columns: bool, write_schema: Path | None,
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
    read, notes = api.open_table(table, schema=known, ignore_extra=ignore_extra_columns)
    click.echo(
        f"{read.name}: {counted(len(read), 'row')}, {counted(len(read.schema.features), 'feature')}"
    )
    width = max(28, 2 + max(map(len, read.schema.names)))
    for feature in read.schema.features:
        about = f"{len(feature.categories)} categories" if feature.categories else "numbers"
        if feature.range:
            about = f"{feature.range[0]:g} to {feature.range[1]:g} {feature.unit}".rstrip()
        marks = [m for m in ("protected", "immutable", "has_missing") if getattr(feature, m)]
        click.echo(f"  {feature.name:{width}}{feature.kind:13}{about:24}{', '.join(marks)}")
    if read.schema.target:
        task = read.schema.task or "no task"
        click.echo(f"  target {read.schema.target}: {task} {', '.join(read.schema.classes)}")
    for note in (*guesses, *notes):
        click.echo(f"  Note: {note}")
    if write_schema:
        save_schema(read.schema, write_schema)
        click.echo(f"Wrote {write_schema}")


@data.command(epilog=ADD_EXAMPLES)
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
def add(
    file: Path, name: str | None, target: str | None, schema: Path | None, sheet: str | None,
    ignore_extra_columns: bool,
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
    for note in notes or entry.notes:
        click.echo(f"  Note: {note}")
    click.echo(
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
def list_tables() -> None:
    """List the tables that come along, and yours."""
    from workbench.workspace.sources import list_tables as find  # loads torch

    for table in find(OWNER):
        rows = "" if table.n_rows is None else f"{table.n_rows:>12,} rows"
        click.echo(f"  {table.reference:30}{rows}".rstrip())


@data.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove NAME, a table of yours, and the file it was made from."""
    from workbench.workspace.sources import MINE
    from workbench.workspace.store import Workspace  # loads torch

    Workspace(OWNER).remove_table(name.removeprefix(MINE))
    click.echo(f"Removed {MINE}{name.removeprefix(MINE)}")
