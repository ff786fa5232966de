"""``workbench profile``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, progress_bar
from workbench.cli.results import as_json, check_folder, trust_lines, write_result

if TYPE_CHECKING:
    from workbench.core.profiles import Profile
    from workbench.core.results import Profiles

TOP = 12
EXAMPLES = """\b
Examples:
  workbench profile adult-mlp adult
  workbench profile german-mlp german --features duration,credit_amount --points 50
  workbench profile adult-mlp people.csv --pair age,hours_per_week --out out/
"""


@click.command(
    cls=MethodCommand, yields="profiles", only="profiles.curves", no_args_is_help=True,
    epilog=EXAMPLES,
)  # fmt: skip
@click.argument("model")
@click.argument("table")
@click.option(
    "--split", help="train, validation, test or all. [default: test if bundled, else all]"
)
@click.option("--class", "shown", help="Output to print. [default: the favourable class]")
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
def profile(
    model: str, table: str, split: str | None, shown: str | None, seed: int, device: str | None,
    out: Path | None, ignore_extra_columns: bool, as_text: bool, **params: str | None,
) -> None:  # fmt: skip
    """Say how the output of MODEL changes with each feature, over the rows of TABLE.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    rows = api.load_table(table, split=split, model=chosen, ignore_extra=ignore_extra_columns)
    if out is not None:
        check_folder(out)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Looking") as progress:
        result = api.profiles(chosen, rows, seed=seed, device=device, progress=progress, **given)
    which = result.output_index(shown)
    written = write_result(result, out) if out else []
    if as_text:
        click.echo(as_json(result))
        return
    click.echo(_summary(result, which))
    for path in written:
        click.echo(f"Wrote {path}")


def _summary(result: "Profiles", which: int) -> str:
    from workbench.plots.profiles import profile_sentence  # loads plotly

    order = result.ranking(which)
    lines = [profile_sentence(result, which), "", "  lowest and highest mean; effects"]
    lines += [_line(result.profile(int(at), which)) for at in order[:TOP]]
    if len(order) > TOP:
        lines.append(f"  and {len(order) - TOP} more")
    return "\n".join([*lines, "", *trust_lines(result)])


def _line(found: "Profile") -> str:
    """Write a feature's lowest and highest mean, and how far its effects reach."""
    from workbench.plots.words import number  # loads plotly

    mean = found.mean[0]
    low, high = int(mean.argmin()), int(mean.argmax())
    said = (
        f"  {found.feature.name:<20} {number(float(mean[low]))} ({found.labels[low]}) to "
        f"{number(float(mean[high]))} ({found.labels[high]})"
    )
    if not found.accumulates:
        return said
    known = found.effects[0][found.effects[0] == found.effects[0]]
    return f"{said}; {number(float(known.min()))} to {number(float(known.max()))}"
