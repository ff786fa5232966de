"""``workbench models``: bring, look at, compare, check and remove models."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.candidates import MINE, OWNER, model_names, splits, table_names
from workbench.cli.options import AS_JSON, FILE, FOLDER, SEED
from workbench.cli.printing import echo
from workbench.core.errors import InvalidInputError, RegistryError
from workbench.core.files import refuse_special

if TYPE_CHECKING:
    from workbench.core.card import Card
    from workbench.core.schema import Schema
    from workbench.engines.performance.agreement import Agreement

ADD_EXAMPLES = """\b
Examples:
  workbench models add converted/credit/1/* --into /srv/models
  workbench models add credit.zip --name credit --mine
  workbench models add credit.onnx --schema credit.schema.json
"""
DIFF_EXAMPLES = """\b
Examples:
  workbench models diff adult-mlp adult-linear
  workbench models diff credit@1 credit@2 --table credit.csv --json
"""
MODEL = click.argument("model", shell_complete=model_names)
into_option = click.option("--into", type=FOLDER, help="Registry folder. [default: WORKBENCH_MODELS"
                           ", else the built-in one]")  # fmt: skip


@click.group()
def models() -> None:
    """Add, look at, compare, check and remove models of the registry, and yours.

    The registry is everybody's. Models of yours are called my:NAME, on the pages too; they belong
    to whoever uses this machine without sign-in.
    """


@models.command(epilog=ADD_EXAMPLES, no_args_is_help=True)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--name", help="Name of the model. [default: the card's or the file's]")
@click.option("--schema", type=FILE, help="Schema file, for an ONNX file without a card.")
@click.option("--sample", shell_complete=table_names,
              help="Table to try the model on, besides rows made up from its schema.")  # fmt: skip
@click.option("--mine", is_flag=True, help="Keep it as a model of yours, my:NAME.")
@into_option
@AS_JSON
def add(
    files: tuple[Path, ...], name: str | None, schema: Path | None, sample: str | None,
    mine: bool, into: Path | None, as_text: bool,
) -> None:  # fmt: skip
    """Check a model's FILES and publish them as a new version.

    FILES are card.json with model.safetensors, model.onnx with a card or --schema, or one zip
    of them. Files that can run code are refused, with what to do instead.
    """
    from workbench.data.bundled import load_schema, load_table  # loads pandas
    from workbench.registry.intake import receive_model
    from workbench.registry.store import registry_root
    from workbench.workspace.store import Workspace

    if mine and into is not None:
        raise InvalidInputError("Give --mine or --into, not both.")
    for number, path in enumerate(files):
        refuse_special(path)
        if path.name in {other.name for other in files[:number]}:
            raise InvalidInputError(f"Two files are called {path.name!r}; give one of them.")
    if mine:
        workspace = Workspace(OWNER)
        workspace.check_room(sum(path.stat().st_size for path in files))
        into = workspace.models_root
    known = load_schema(schema) if schema else None
    table = None
    if sample:
        table = load_table(sample, schema=known or _schema_of_card(files), ignore_extra=True)
    folder = receive_model(
        {path.name: path for path in files}, into or registry_root(), name=name, schema=known,
        sample=table,
    )  # fmt: skip
    reference = f"{MINE}{folder.parent.name}@{folder.name}" if mine else str(folder)
    if as_text:
        content = {"folder": str(folder), "model": folder.parent.name, "version": int(folder.name)}
        echo(json.dumps(content, indent=2))
    else:
        echo(f"Wrote {folder}")
        echo(f"Try: workbench models show {reference}")


def _schema_of_card(files: tuple[Path, ...]) -> "Schema | None":
    """Return what the card among the files says about columns; whether it is sound comes later."""
    from workbench.core.errors import DataError
    from workbench.core.schema import Schema, build_schema_part

    for path in files:
        try:
            values = json.loads(path.read_bytes()) if path.suffix == ".json" else None
            if isinstance(values, dict) and "schema" in values:
                return build_schema_part(Schema, values["schema"])
        except (OSError, ValueError, RecursionError, DataError):
            continue
    return None


@models.command("list")
@AS_JSON
@into_option
def list_(as_text: bool, into: Path | None) -> None:
    """List the models with their versions and aliases: those of the registry, then yours."""
    from workbench.registry.store import find_version, list_models, read_card, registry_root
    from workbench.workspace.store import Workspace

    places = [("", into or registry_root())]
    if into is None:
        places.append((MINE, Workspace(OWNER).models_root))
    found, faults = [], []
    for before, root in places:
        for entry in list_models(root):
            try:
                card, _ = read_card(find_version(f"{entry.name}@{entry.default}", root))
            except RegistryError as error:  # the sound ones are listed all the same
                faults.append(f"✗ {before}{entry.name}: {error}")
                continue
            found.append({
                "name": f"{before}{entry.name}", "title": card.title, "versions": entry.versions,
                "default": entry.default, "aliases": entry.aliases, "network": card.network.name,
            })  # fmt: skip
    if as_text:
        echo(json.dumps(found, indent=2))
    else:
        for model in found:
            echo(_line(model))
        if not found:
            echo(f"There are no models in {str(places[0][1])!r}.")
    if faults:
        echo("\n".join(faults), err=True)
        raise RegistryError(f"{len(faults)} of {len(faults) + len(found)} models cannot be used.")


def _line(model: Mapping[str, Any]) -> str:
    versions = ", ".join(map(str, model["versions"]))
    aliases = ", ".join(f"{alias} = {version}" for alias, version in model["aliases"].items())
    about = f"version {versions}" + (f" ({aliases})" if aliases else "")
    return f"{model['name']:22}{model['title']:56}{about}"


@models.command()
@MODEL
@click.option("--json", "as_text", is_flag=True, help="Print as JSON, which is the default too.")
def show(model: str, as_text: bool) -> None:  # noqa: ARG001 - the card is JSON either way
    """Print the card of MODEL as JSON."""
    from workbench.registry.store import read_card  # loads torch

    card, _ = read_card(_folder_of(model))
    echo(card.model_dump_json(indent=2, by_alias=True))


@models.command(epilog=DIFF_EXAMPLES, no_args_is_help=True)
@click.argument("one", shell_complete=model_names)
@click.argument("other", shell_complete=model_names)
@click.option("--table", shell_complete=table_names,
              help="Rows to ask both about. [default: what ONE was trained on, if it is here]",
)  # fmt: skip
@click.option("--split", shell_complete=splits,
              help="train, validation, test or all. [default: test if bundled, else all]",
)  # fmt: skip
@SEED
@AS_JSON
def diff(
    one: str, other: str, table: str | None, split: str | None, seed: int, as_text: bool
) -> None:
    """Say how two models or versions, ONE and OTHER, differ: in their cards, and about rows.

    At most 5,000 rows are asked about, drawn with the seed.
    """
    from workbench import api  # loads torch
    from workbench.registry.comparison import cards_beside
    from workbench.registry.store import read_card

    cards = [read_card(_folder_of(name))[0] for name in (one, other)]
    table = table or _training_table(cards[0])
    found, unasked = None, "no table to ask both about is here; give --table"
    if table is not None:
        try:
            first = api.load_model(one)
            rows = api.load_table(table, split=split, model=first)
            found = api.agreement(first, other, rows, seed=seed)
        except InvalidInputError as error:  # of other features, so that there is nothing to ask
            unasked = str(error)
    lines = cards_beside(*cards)
    if as_text:
        content: dict[str, Any] = {
            "models": [f"{card.name}@{card.version}" for card in cards],
            "cards": [{"what": what, "one": a, "other": b} for what, a, b in lines],
            "agreement": None if found is None else _agreement_fields(found),
        }
        echo(json.dumps(content, indent=2))
        return
    wide = max(len(what) for what, _, _ in lines)
    for what, a, b in lines:
        echo(f"  {what:<{wide}}  {a}" if a == b else f"≠ {what:<{wide}}  {a} → {b}")
    echo(f"\n{found.describe()}" if found else f"\nNot compared on rows: {unasked}")


def _agreement_fields(found: "Agreement") -> dict[str, Any]:
    known = asdict(found)
    return {name: known[name] for name in ("names", "share", "low", "high", "output")} | {
        "ids": found.ids.tolist(), "first": found.first.tolist(), "second": found.second.tolist(),
        "same": found.same.tolist(),
    }  # fmt: skip


def _training_table(card: "Card") -> str | None:
    from workbench.workspace.sources import list_tables  # loads torch

    known = [table.reference for table in list_tables(OWNER)]
    return card.training_table if card.training_table in known else None


@models.command()
@click.argument("names", nargs=-1, shell_complete=model_names)
@AS_JSON
def verify(names: tuple[str, ...], as_text: bool) -> None:
    """Check cards and weights of NAMES (default: every version of every model)."""
    from workbench import api  # loads torch

    states: list[dict[str, str]] = []
    for name in names or tuple(_every_version()):
        try:
            model = api.load_model(name)
            states.append({"model": model.name, "digest": model.digest, "fault": ""})
            said = f"✓ {model.name} sha256 {model.digest}"
        except RegistryError as error:
            states.append({"model": name, "digest": "", "fault": str(error)})
            said = f"✗ {name}: {error}"
        if not as_text:
            echo(said, err=bool(states[-1]["fault"]))
    if as_text:
        echo(json.dumps(states, indent=2))
    if faults := sum(bool(state["fault"]) for state in states):
        raise RegistryError(f"{faults} of {len(states)} models cannot be used.")


def _every_version() -> Iterator[str]:
    from workbench.workspace.sources import list_models

    for entry in list_models(OWNER):
        yield from (f"{entry.reference}@{version}" for version in entry.versions)


@models.command()
@MODEL
@click.argument("name")
@click.argument("version", type=int)
def alias(model: str, name: str, version: int) -> None:
    """Let MODEL@NAME mean VERSION; the alias ``production`` is what the plain name means."""
    from workbench.registry.store import set_alias  # loads torch

    set_alias(model.removeprefix(MINE), name, version, _root_of(model))
    echo(f"{model}@{name} is version {version}.")


@models.command()
@MODEL
@click.option("--force", is_flag=True, help="Remove it even if an alias points at it.")
@into_option
def remove(model: str, force: bool, into: Path | None) -> None:
    """Remove MODEL: one version (name@1), or all of them (name)."""
    from workbench.registry.store import remove_model, remove_version  # loads torch

    name, root = model.removeprefix(MINE), into or _root_of(model)
    (remove_version if "@" in name else remove_model)(name, root, force=force)
    echo(f"Removed {model}.")


def _root_of(model: str) -> Path | None:
    """Return the folder of the models of one's own where it is one of them."""
    from workbench.workspace.store import Workspace  # loads torch

    return Workspace(OWNER).models_root if model.startswith(MINE) else None


def _folder_of(model: str) -> Path:
    from workbench.registry.store import find_version  # loads torch

    return find_version(model.removeprefix(MINE), _root_of(model))
