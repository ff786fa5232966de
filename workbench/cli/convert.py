"""``workbench convert``: turn a PyTorch network of one's own into a model that is data."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import FILE, FOLDER
from workbench.cli.printing import echo
from workbench.core.errors import InvalidInputError
from workbench.core.files import refuse_special
from workbench.core.wording import counted

if TYPE_CHECKING:
    import torch

    from workbench.core.card import Architecture
    from workbench.core.schema import Schema
    from workbench.core.table import Table
    from workbench.registry.convert import Converted

OUTPUTS = ("auto", "logits", "one-logit", "probabilities", "value")
FIT_ROWS = 100_000
WRAPPED = ("state_dict", "model_state_dict", "model")
CONVERT_EXAMPLES = """\b
Examples:
  workbench convert bank.net:build --state credit.pt --table credit.csv --target paid
      --encoder tabular --name credit --into converted
  workbench convert bank.net:build --state credit.safetensors --schema credit.schema.json
      --encoder columns.json --name credit --into converted
"""


@click.command(epilog=CONVERT_EXAMPLES, no_args_is_help=True)
@click.argument("factory")
@click.option("--state", type=FILE, required=True, help="Weights: .safetensors, .pt or .pth.")
@click.option("--schema", type=FILE, help="What the columns mean, as `data check` writes it.")
@click.option("--table", help="Training table, to take schema, means and scales from.")
@click.option("--target", help="Column of --table that the network predicts.")
@click.option("--classes", help="Class names in the order of the outputs, such as no,yes.")
@click.option("--encoder", default="raw", show_default=True, help="raw, tabular, or a JSON file "
              "that states the input columns.")  # fmt: skip
@click.option("--output", type=click.Choice(OUTPUTS), default="auto", show_default=True,
              help="What the network gives.")  # fmt: skip
@click.option("--name", required=True, help="Name of the model.")
@click.option("--title", default="", help="A line that says what it predicts.")
@click.option("--into", type=FOLDER, required=True, help="Registry folder to write to.")
def convert(
    factory: str, state: Path, schema: Path | None, table: str | None, target: str | None,
    classes: str | None, encoder: str, output: str, name: str, title: str, into: Path,
) -> None:  # fmt: skip
    """Turn your own PyTorch network into a model that is data and no code.

    FACTORY is package.module:function on your own Python path; called without arguments, it
    returns the network. Its code runs here and is not kept: the network is followed step by
    step, written down as a list of steps, and compared with the original.
    """
    from workbench.registry.convert import convert_module
    from workbench.registry.store import publish

    known, rows = _schema_and_rows(schema, table, target, classes)
    network = _build(factory)
    _load_state(network, state)
    converted = convert_module(
        network, known, name=name, title=title, encoder=_encoder(encoder),
        output=output, rows=None if rows is None else rows.X,  # type: ignore[arg-type]
        created_by=f"workbench convert {factory}",
    )  # fmt: skip
    folder = publish(converted.encoder, converted.network, converted.card, into)
    echo(f"Wrote {folder}")
    for note in converted.notes:
        echo(f"  Note: {note}")
    echo("The outputs are those of your network, compared in batches of several sizes.")
    if rows is not None:
        _say_fit(converted, rows, known)
    echo(f"Next: workbench models add {folder}/*, upload the files in {folder}, or")
    shown = table or "TABLE"
    echo(f"      workbench explain {folder} {shown} --rows 5 --ignore-extra-columns")


def _say_fit(converted: "Converted", rows: "Table", schema: "Schema") -> None:
    """Say how often a classifier is right on the table, since the order of classes may be a guess.

    Of two classes in the wrong order nothing else would tell: the outputs are those of the network.
    """
    import torch

    rows = rows[:FIT_ROWS]
    same_classes = schema.classes and set(schema.classes) == set(rows.schema.classes)
    if rows.y is None or not same_classes or len(rows) == 0:
        return
    with torch.no_grad():
        said = converted.network(converted.encoder(rows.X).float()).argmax(1)
    # --classes may have given another order than that of the table's codes.
    places = torch.tensor([schema.classes.index(name) for name in rows.schema.classes])
    right = float((said == places[rows.y.long()]).double().mean())
    echo(f"It is right for {100 * right:.1f} % of {counted(len(rows), 'row')} of {rows.name}.")
    if len(schema.classes) == 2 and right < 0.5:
        echo(
            f"  Warning: in the other order it would be right for {100 * (1 - right):.1f} %; if "
            f"that is what was meant, give --classes {','.join(schema.classes[::-1])}."
        )


def _schema_and_rows(
    schema: Path | None, table: str | None, target: str | None, classes: str | None
) -> "tuple[Schema, Table | None]":
    from workbench.core.schema import Schema, build_schema_part
    from workbench.data.bundled import load_schema, open_table  # loads pandas
    from workbench.data.conversion import to_table
    from workbench.data.inference import infer_schema
    from workbench.data.readers import read_with_notes

    if table is None and (schema is None or target is not None):
        raise InvalidInputError(
            "Give --schema, or --table and --target, to say what the columns mean."
        )
    rows = None
    if schema is not None:
        known = load_schema(schema)
        rows = None if table is None else open_table(table, schema=known, ignore_extra=True)[0]
    elif target is not None:
        frame, _ = read_with_notes(Path(str(table)))
        known, notes = infer_schema(frame, target=target)
        rows = to_table(frame, known, name=Path(str(table)).stem, ignore_extra=True)
        for note in notes:
            echo(f"  Note: {note}")
    else:
        rows, _ = open_table(str(table))
        known = rows.schema
    if classes is None:
        return known, rows
    names = [part.strip() for part in classes.split(",")]
    task = "binary" if len(names) == 2 else "multiclass"
    changes = {"classes": names, "task": task, "favourable": None}
    return build_schema_part(Schema, known.model_dump() | changes), rows


def _build(factory: str) -> "torch.nn.Module":
    """Call the operator's own function, found from the current folder and the Python path."""
    import importlib

    from torch import nn

    module, _, function = factory.partition(":")
    if not module or not function:
        raise InvalidInputError(
            f"{factory!r} does not name a function; write package.module:function."
        )
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        made: Any = importlib.import_module(module)
        for part in function.split("."):
            made = getattr(made, part)
        if not isinstance(made, nn.Module):
            made = made()
    except Exception as error:  # whatever the operator's own code raises
        text = (str(error).splitlines() or [""])[0].rstrip(".")
        raise InvalidInputError(
            f"{factory!r} does not make a network ({type(error).__name__}: {text}); it must be a "
            "function without arguments that can be imported here."
        ) from None
    if not isinstance(made, nn.Module):
        raise InvalidInputError(
            f"{factory!r} gives a {type(made).__name__}; it must return a torch.nn.Module."
        )
    return made


def _load_state(network: "torch.nn.Module", path: Path) -> None:
    """Load weights into the operator's own network; a pickle is opened in restricted mode, once."""
    import torch
    from safetensors.torch import load_file

    refuse_special(path)
    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InvalidInputError(f"There is no file {str(path)!r}; check --state.") from None
    except Exception as error:  # damaged, or more than tensors
        text = (str(error).splitlines() or [""])[0][:150].rstrip(".")
        if type(error).__name__ == "UnpicklingError":  # torch says how to run the file's code
            text = "it holds a whole model or other objects"
        raise InvalidInputError(
            f"{str(path)!r} does not hold plain tensors ({type(error).__name__}: {text}); save "
            "them with torch.save(model.state_dict(), path) or safetensors.torch.save_model."
        ) from None
    for key in WRAPPED:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise InvalidInputError(
            f"{str(path)!r} holds no state_dict; save model.state_dict() instead of the model."
        )
    if state and all(name.startswith("module.") for name in state):  # of DataParallel
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        text = " ".join(str(error).split())[:300].rstrip(".")
        raise InvalidInputError(
            f"The weights in {str(path)!r} do not fit the network ({text}); build it with the "
            "sizes that it was trained with."
        ) from None


def _encoder(text: str) -> "Architecture":
    from pydantic import ValidationError

    from workbench.core.card import Architecture

    if text in {"raw", "tabular"}:
        return Architecture(name=text)
    refuse_special(Path(text))
    try:
        values = json.loads(Path(text).read_bytes())
    except FileNotFoundError:
        raise InvalidInputError(
            f"There is no encoder {text!r}; choose raw, tabular, or the path of a JSON file."
        ) from None
    except ValueError as error:
        raise InvalidInputError(f"Encoder file {text!r} is not JSON: {error}.") from None
    if isinstance(values, dict) and "columns" in values:
        return Architecture(name="columns", arguments=values)
    try:
        return Architecture.model_validate(values)
    except ValidationError:
        raise InvalidInputError(
            f'Encoder file {text!r} must be {{"columns": [...]}} or name an encoder of the '
            "catalogue with its arguments."
        ) from None
