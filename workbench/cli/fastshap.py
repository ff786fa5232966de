"""``workbench fastshap``: train an explainer, and say how far off one is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.candidates import background_names, model_names, splits, table_names
from workbench.cli.options import (
    AS_JSON,
    DEVICE,
    EXTRA,
    FILE,
    MEMORY,
    MODEL,
    SEED,
    MethodCommand,
    with_flags,
)
from workbench.cli.printing import echo
from workbench.cli.results import check_file
from workbench.cli.running import running
from workbench.core.errors import InvalidInputError
from workbench.core.wording import counted, percent

if TYPE_CHECKING:
    from workbench.core.explainer import Explainer

EXAMPLES = """\b
Examples:
  workbench fastshap train german-mlp
  workbench fastshap train adult-mlp --output score --out adult.explainer
  workbench explain adult-mlp adult --explainer adult.explainer --output score
  workbench fastshap add adult.explainer --model adult-mlp
  workbench explain german-mlp german --method fastshap
"""


@click.group(no_args_is_help=True)
def fastshap() -> None:
    """Train networks that explain a model at once, and say how far off they are."""


@fastshap.command("train", cls=MethodCommand, yields="explainer", no_args_is_help=True,
                  epilog=EXAMPLES)  # fmt: skip
@with_flags(
    MODEL,
    click.argument("table", required=False, shell_complete=table_names),
    click.option(
        "--split", shell_complete=splits,
        help="train, validation, test or all. [default: train if bundled]",
    ),
    click.option(
        "--background", shell_complete=background_names,
        help="Bundled name or file. [default: drawn from the rows]",
    ),
    click.option("--n-background", default=100, show_default=True, help="Background rows to draw."),
    SEED,
    DEVICE,
    MEMORY,
    click.option(
        "--out", type=FILE,
        help="File to write, for `explain --explainer` and `fastshap add`. [default: kept on this "
        "machine, for `explain --method fastshap`]",
    ),
    click.option("--bundled", is_flag=True, help="Write it beside the model, one of each game."),
    EXTRA,
    AS_JSON,
)  # fmt: skip
def train(
    model: str, table: str | None, split: str | None, background: str | None, n_background: int,
    seed: int, device: str | None, memory: int | None, out: Path | None, bundled: bool,
    ignore_extra_columns: bool, as_text: bool, **params: str | None,
) -> None:  # fmt: skip
    """Train an explainer of MODEL on the rows of TABLE; by default the model's training rows.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file.
    """
    from workbench import api  # loads torch
    from workbench.registry.explainers import bundled_name
    from workbench.registry.store import find_version

    if out is not None:
        if bundled:
            raise InvalidInputError("Give --out or --bundled, not both.")
        check_file(out)
    chosen = api.load_model(model)
    rows = None
    if table is not None:
        part = split or ("train" if table in api.list_tables() else "all")
        rows = api.load_table(table, split=part, model=chosen, ignore_extra=ignore_extra_columns)
    drawn = None
    if background is not None:
        part = "train" if background in api.list_tables() else "all"
        source = api.load_table(
            background, split=part, model=chosen, ignore_extra=ignore_extra_columns
        )
        drawn = source.sample(n_background, seed=seed)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with running("Training", memory) as progress:
        explainer = api.train_explainer(
            chosen, rows, drawn, n_background=n_background, seed=seed, device=device,
            progress=progress, **given,
        )  # fmt: skip
    if bundled:
        out = find_version(model) / bundled_name(explainer)
    path = api.keep_explainer(chosen, explainer) if out is None else explainer.save(out)
    _say(explainer, as_text=as_text)
    echo(f"Wrote {path}", err=as_text)


@fastshap.command("add", no_args_is_help=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model", required=True, shell_complete=model_names, help="The model that it was trained for."
)
def add(file: Path, model: str) -> None:
    """Keep the explainer in FILE (or those of a folder), so that every command and page has it."""
    from workbench import api  # loads torch
    from workbench.registry.explainers import explainers_at

    chosen = api.load_model(model)
    for explainer in explainers_at(file):
        kept = api.keep_explainer(chosen, explainer)
        echo(f"Kept for {chosen.name}: {kept}")


@fastshap.command("show", no_args_is_help=True)
@click.argument("file", type=click.Path(path_type=Path))
@AS_JSON
def show(file: Path, as_text: bool) -> None:
    """Say what the explainer in FILE explains, and how far off it is."""
    from workbench.registry.explainers import read_explainer

    _say(read_explainer(file), as_text=as_text)


def _say(explainer: "Explainer", *, as_text: bool) -> None:
    """Print what an explainer explains and how far off it is, without its weights."""
    if not as_text:
        echo("\n".join(_certificate(explainer)))
        return
    content = {
        "digest": explainer.digest,
        "game": {"output": explainer.output, "link": explainer.link, "value": explainer.value},
        "certificate": explainer.certificate.model_dump(mode="json"),
        "fidelity": explainer.fidelity.model_dump(mode="json"),
        "provenance": explainer.provenance.model_dump(mode="json"),
    }
    echo(json.dumps(content, indent=2, allow_nan=False))


def _certificate(explainer: "Explainer") -> list[str]:
    c, fidelity, record = explainer.certificate, explainer.fidelity, explainer.provenance
    known = "all coalitions" if c.exact else f"{c.n_coalitions:,} coalitions"
    against = "the game" if c.against == "game" else "the surrogate"
    unit = f" {explainer.unit}" if explainer.unit else ""
    lines = [
        f"FastSHAP explainer of {record.model} (sha256 {record.model_digest[:8]})",
        f"  explains {explainer.output} with link {explainer.link}, value {explainer.value}",
        f"  trained on {counted(record.n_rows, 'row')} of {record.table}, background "
        f"{record.background}",
        f"  in {record.seconds:.0f} s on {record.device}, "
        f"{counted(record.evaluations, 'model evaluation')}",
        "",
        f"Error on {counted(c.n_rows, 'row')} held out, against {against} at {known} of each:",
        f"  {percent(c.relative)} of the values; root mean square {c.rmse:.4g}{unit}",
        f"  distance over features and outputs {c.mean_distance:.4g} (L2, mean over rows)",
        f"  loss {c.loss:.5g}, of which {c.lowest_loss:.5g} no values can explain",
        f"Surrogate: loss {fidelity.loss:.4g}, without information {fidelity.no_information:.4g}; "
        f"off by {fidelity.full:.4g} where all features are known",
    ]
    if fidelity.rmse is not None:
        lines.append(f"  root mean square error of a coalition's value {fidelity.rmse:.4g}{unit}")
    return [*lines, *(f"  Note: {note}." for note in record.notes)]
