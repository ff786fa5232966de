"""Commands about what there is: models, tables, methods, training, the server."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.options import progress_bar
from workbench.core.errors import RegistryError

if TYPE_CHECKING:
    from workbench.core.card import Card

CHECK_EXAMPLES = """\b
Examples:
  workbench data check people.csv --write-schema people.schema.json
  workbench data check people.csv --model adult-mlp
"""


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(as_json: bool) -> None:
    """List models, tables and methods."""
    from workbench import api  # loads torch
    from workbench.registry.store import find_version, read_card, registry_root

    entries = api.list_models()
    cards, faults = [], []
    for entry in entries:
        try:
            cards.append(read_card(find_version(entry.name))[0])
        except RegistryError as error:  # the sound ones are listed all the same
            faults.append(f"✗ {entry.name}: {error}")
    _print_list(cards, empty=f"none in {str(registry_root())!r}", as_json=as_json)
    if faults:
        click.echo("\n".join(faults), err=True)
        raise RegistryError(f"{len(faults)} of {len(entries)} models cannot be used.")


def _print_list(cards: "list[Card]", *, empty: str, as_json: bool) -> None:
    from workbench import api  # loads torch

    if as_json:
        models = [card.model_dump(mode="json", by_alias=True) for card in cards]
        methods = {
            name: {"title": m.title, "question": m.question, "params": m.params.model_json_schema()}
            for name, m in api.list_methods().items()
        }
        content = {"models": models, "tables": api.list_tables(), "methods": methods}
        click.echo(json.dumps(content, indent=2))
        return
    click.echo("Models")
    for card in cards:
        figures = [f"{m.name} {m.value:.3g} [{m.low:.3g}, {m.high:.3g}]" for m in card.metrics[:1]]
        click.echo(f"  {f'{card.name}@{card.version}':22}{card.title:56}{''.join(figures)}")
    if not cards:
        click.echo(f"  {empty}")
    click.echo("Tables\n  " + ", ".join(api.list_tables()))
    click.echo("Methods")
    for name, method in api.list_methods().items():
        click.echo(f"  {name:22}{method.title:56}{method.question}")


@click.group()
def models() -> None:
    """Look at and check the models of the registry."""


@models.command()
@click.argument("model")
def show(model: str) -> None:
    """Print the card of MODEL as JSON."""
    from workbench.registry.store import find_version, read_card  # loads torch

    card, _ = read_card(find_version(model))
    click.echo(card.model_dump_json(indent=2, by_alias=True))


@models.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Check cards and weights of NAMES (default: every version of every model)."""
    from workbench.registry.store import list_models, load_model  # loads torch

    every = [f"{entry.name}@{v}" for entry in list_models() for v in entry.versions]
    faults = 0
    for name in names or every:
        try:
            model = load_model(name)
            click.echo(f"✓ {model.name} sha256 {model.digest}")
        except RegistryError as error:
            faults += 1
            click.echo(f"✗ {name}: {error}", err=True)
    if faults:
        raise RegistryError(f"{faults} of {len(names or every)} models cannot be used.")


@models.command()
@click.argument("model")
@click.argument("name")
@click.argument("version", type=int)
def alias(model: str, name: str, version: int) -> None:
    """Let MODEL@NAME mean VERSION; the alias ``production`` is what the plain name means."""
    from workbench.registry.store import set_alias  # loads torch

    set_alias(model, name, version)
    click.echo(f"{model}@{name} is version {version}.")


@click.group()
def data() -> None:
    """Look at and check tables."""


@data.command(epilog=CHECK_EXAMPLES)
@click.argument("table")
@click.option("--model", help="Check against this model's schema.")
@click.option("--schema", type=click.Path(path_type=Path), help="Check against this schema file.")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the schema."
)
@click.option(
    "--write-schema", type=click.Path(path_type=Path), help="Save the schema, to edit it."
)
def check(
    table: str, model: str | None, schema: Path | None, ignore_extra_columns: bool,
    write_schema: Path | None,
) -> None:  # fmt: skip
    """Read TABLE, say what its columns mean, and name the first fault if there is one."""
    from workbench import api  # loads torch
    from workbench.data.bundled import load_schema, save_schema

    known = load_schema(schema) if schema else None
    if model:
        known = api.load_model(model).schema
    read, notes = api.open_table(table, schema=known, ignore_extra=ignore_extra_columns)
    click.echo(f"{read.name}: {len(read):,} rows, {len(read.schema.features)} features")
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
    for note in notes:
        click.echo(f"  Note: {note}")
    if write_schema:
        save_schema(read.schema, write_schema)
        click.echo(f"Wrote {write_schema}")


@click.command(no_args_is_help=True)
@click.argument("name")
@click.option(
    "--into", type=click.Path(path_type=Path), help="Registry folder. [default: built-in]"
)
def train(name: str, into: Path | None) -> None:
    """Train the bundled model NAME from its recipe and publish it as a new version."""
    from workbench.core.context import Context  # loads torch
    from workbench.registry.store import read_card, registry_root
    from workbench.training.train import train as run  # loads scikit-learn

    with progress_bar("Training") as progress:
        folder = run(name, into or registry_root(), Context(progress=progress))
    card, _ = read_card(folder)
    click.echo(f"Wrote {folder}")
    for m in card.metrics:
        click.echo(
            f"  {m.name} {m.value:.4f} [{m.low:.4f}, {m.high:.4f}] on {m.n_rows} {m.split} rows"
        )


@click.command()
@click.option(
    "--port",
    default=8501,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port on this machine.",
)
def serve(port: int) -> None:
    """Start the workbench in the browser, for this machine only."""
    package = Path(__file__).resolve().parent.parent
    home = package.parent if (package.parent / "app.py").is_file() else package / "_bundled"
    os.chdir(home)  # Streamlit reads .streamlit/config.toml from the working folder
    arguments = ["-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - no shell, fixed words
