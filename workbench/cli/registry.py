"""What there is, and training: ``workbench list`` and ``workbench train``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.options import AS_JSON, FOLDER, progress_bar
from workbench.cli.printing import echo
from workbench.core.errors import RegistryError

if TYPE_CHECKING:
    from workbench.core.card import Card


@click.command("list")
@AS_JSON
def list_(as_text: bool) -> None:
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
    _print_list(cards, empty=f"none in {str(registry_root())!r}", as_text=as_text)
    if faults:
        echo("\n".join(faults), err=True)
        raise RegistryError(f"{len(faults)} of {len(entries)} models cannot be used.")


def _print_list(cards: "list[Card]", *, empty: str, as_text: bool) -> None:
    from workbench import api  # loads torch

    if as_text:
        models = [card.model_dump(mode="json", by_alias=True) for card in cards]
        methods = {
            name: {"title": m.title, "question": m.question, "params": m.params.model_json_schema()}
            for name, m in api.list_methods().items()
        }
        content = {"models": models, "tables": api.list_tables(), "methods": methods}
        echo(json.dumps(content, indent=2))
        return
    echo("Models")
    for card in cards:
        figures = [f"{m.name} {m.value:.3g} [{m.low:.3g}, {m.high:.3g}]" for m in card.metrics[:1]]
        echo(f"  {f'{card.name}@{card.version}':22}{card.title:56}{''.join(figures)}")
    if not cards:
        echo(f"  {empty}")
    echo("Tables\n  " + ", ".join(api.list_tables()))
    echo("Methods")
    for name, method in api.list_methods().items():
        echo(f"  {name:30}{method.title:52}{method.question}")


@click.command(no_args_is_help=True)
@click.argument("name")
@click.option(
    "--into",
    type=FOLDER,
    help="Registry folder. [default: WORKBENCH_MODELS, else built-in]",
)
@click.option(
    "--seed", type=click.IntRange(min=0),
    help="Another start than the recipe's: the same model as it might have turned out as well.",
)  # fmt: skip
@AS_JSON
def train(name: str, into: Path | None, seed: int | None, as_text: bool) -> None:
    """Train the bundled model NAME from its recipe and publish it as a new version.

    It is trained on the CPU in one thread, so that the same weights come out on every device of a
    machine.
    """
    from workbench.core.context import Context  # loads torch
    from workbench.registry.store import read_card, registry_root
    from workbench.training.train import train as run  # loads scipy

    with progress_bar("Training") as progress:
        folder = run(name, into or registry_root(), Context(progress=progress), seed=seed)
    card, _ = read_card(folder)
    echo(f"Wrote {folder}", err=as_text)
    if as_text:
        echo(card.model_dump_json(indent=2, by_alias=True))
        return
    for m in card.metrics:
        echo(f"  {m.name} {m.value:.4f} [{m.low:.4f}, {m.high:.4f}] on {m.n_rows} {m.split} rows")
