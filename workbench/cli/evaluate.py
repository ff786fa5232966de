"""``workbench evaluate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, progress_bar
from workbench.cli.results import MARKS, as_json, check_folder, write_result
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.core.performance import Measure, Performance

TOP_CLASSES = 20
EXAMPLES = """\b
Examples:
  workbench evaluate adult-mlp adult
  workbench evaluate diabetes-mlp diabetes --out out/
  workbench evaluate adult-mlp people.csv --threshold 0.3 --json
"""


@click.command(cls=MethodCommand, yields="performance", no_args_is_help=True, epilog=EXAMPLES)
@click.argument("model")
@click.argument("table")
@click.option(
    "--split", help="train, validation, test or all. [default: test if bundled, else all]"
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Same seed, same numbers.",
)
@click.option("--device", help="auto, cpu, cuda or mps. [default: WORKBENCH_DEVICE, else auto]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the model."
)
@click.option("--json", "as_text", is_flag=True, help="Print everything as JSON.")
def evaluate(
    model: str, table: str, split: str | None, seed: int, device: str | None, out: Path | None,
    ignore_extra_columns: bool, as_text: bool, **params: str | None,
) -> None:  # fmt: skip
    """Say how good MODEL is on the labelled rows of TABLE, and how sure that is.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    rows = api.load_table(table, split=split, model=chosen, ignore_extra=ignore_extra_columns)
    if out is not None:
        check_folder(out)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Evaluating") as progress:
        result = api.evaluate(chosen, rows, seed=seed, device=device, progress=progress, **given)
    written = write_result(result, out) if out else []
    if as_text:
        click.echo(as_json(result))
        return
    click.echo(_summary(result))
    for path in written:
        click.echo(f"Wrote {path}")


def _summary(result: "Performance") -> str:
    from workbench.checks import run_checks  # after the result exists
    from workbench.plots.words import performance_sentence  # loads plotly

    measures = list(result.measures())
    lines = [performance_sentence(result), "", f"  ± {percent(result.level)} intervals"]
    lines += _lines([m for m in measures if not m.of], [])
    of_classes = [m for m in measures if m.of]
    if of_classes and len(result.classes) <= TOP_CLASSES:
        lines += ["", *_lines(of_classes, [m.of for m in of_classes])]
    lines += ["", "How far to trust this:"]
    lines += [f"  {MARKS[o.status]} {o.code} {o.title}: {o.sentence}" for o in run_checks(result)]
    lines += [f"  Note: {note}." for note in result.provenance.notes]
    return "\n".join([*lines, "", result.provenance.describe()])


def _lines(measures: "list[Measure]", classes: list[str]) -> list[str]:
    from workbench.plots.words import number  # loads plotly

    names = [m.name if not classes else f"{m.name} of {m.of}" for m in measures]
    wide = max(len(name) for name in names)
    lines = []
    for name, m in zip(names, measures, strict=True):
        said = m.note if m.value != m.value else number(m.value)
        if m.low == m.low:
            said += f" ({number(m.low)} to {number(m.high)}), {m.interval}"
        lines.append(f"  {name:<{wide}}  {said}")
    return lines
