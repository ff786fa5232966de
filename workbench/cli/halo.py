"""``workbench halo``: do equally good models need features together?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, progress_bar
from workbench.cli.results import as_json, check_folder, trust_lines, write_result

if TYPE_CHECKING:
    from workbench.core.results import Halo

TOP = 12
EXAMPLES = """\b
Examples:
  workbench halo german-mlp german
  workbench halo german-mlp german --pair duration,credit_amount --angles 8
  workbench halo adult-mlp adult --order 3 --top 3 --max-rows 500 --out out/
"""


@click.command(
    cls=MethodCommand, yields="halo", only="interactions.halo", no_args_is_help=True,
    epilog=EXAMPLES,
)  # fmt: skip
@click.argument("model")
@click.argument("table")
@click.option(
    "--split", help="train, validation, test or all. [default: test if bundled, else all]"
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Same seed, same numbers.",
)  # fmt: skip
@click.option("--device", help="auto, cpu, cuda or mps. [default: WORKBENCH_DEVICE, else auto]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the model."
)
@click.option("--json", "as_text", is_flag=True, help="Print everything as JSON.")
def halo(
    model: str, table: str, split: str | None, seed: int, device: str | None, out: Path | None,
    ignore_extra_columns: bool, as_text: bool, **params: str | None,
) -> None:  # fmt: skip
    """Say how far MODEL can weigh features otherwise at once, and what they do together then.

    Features are scaled until the loss on the rows of TABLE has risen by the tolerance, two or
    three of them at once. Prints for each set how many of these models are equally good, and the
    range of its score in the loss over them.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    rows = api.load_table(table, split=split, model=chosen, ignore_extra=ignore_extra_columns)
    if out is not None:
        check_folder(out)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Scaling") as progress:
        result = api.halo(chosen, rows, seed=seed, device=device, progress=progress, **given)
    written = write_result(result, out) if out else []
    if as_text:
        click.echo(as_json(result))
        return
    click.echo(_summary(result))
    for path in written:
        click.echo(f"Wrote {path}")


def _summary(result: "Halo") -> str:
    from workbench.plots.halo import choices_of, ends_sentence, halo_sentence  # loads plotly

    lines = [part for part in (halo_sentence(result), ends_sentence(result)) if part]
    lines += ["", "  joint models as good; score in the loss, and from least to most over them"]
    names = choices_of(result)
    wide = max(len(name) for name in names[:TOP])
    lines += [_line(result, place, wide) for place in range(min(TOP, len(names)))]
    if len(names) > TOP:
        lines.append(f"  and {len(names) - TOP} more")
    return "\n".join([*lines, "", *trust_lines(result)])


def _line(result: "Halo", place: int, wide: int) -> str:
    """Write how many joint models of a set are as good, and the range of its score."""
    from workbench.plots.words import decimals_for, signed  # loads plotly

    spread = result.spread(place)
    digits = decimals_for(max(abs(value) for value in spread))
    own, low, high = (signed(value, digits) for value in spread)
    counts = f"{int(result.members[place].sum()):>3} of {int(result.known[place].sum()):>3}"
    name = " and ".join(result.set_names[place])
    return f"  {name:<{wide}}  {counts}  {own} ({low} to {high})"
