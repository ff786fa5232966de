"""Which method serves which model: ``workbench methods``."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from workbench.cli.options import progress_bar
from workbench.cli.printing import echo

EXAMPLES = """\b
Examples:
  workbench methods
  workbench methods --model wine-mlp --method exact --method fairness.errors --check
  workbench methods --check --out table.md
"""


@click.command(epilog=EXAMPLES)
@click.option("--model", "models", multiple=True, help="A model; may be given again. [default: "
              "every model whose table is bundled]")  # fmt: skip
@click.option("--method", "names", multiple=True, help="A method; may be given again. [default: "
              "every one]")  # fmt: skip
@click.option("--check", is_flag=True, help="Run each on a few rows, instead of going by what "
              "methods declare; all take two minutes.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="File to write the table to, as Markdown.")  # fmt: skip
@click.option("--json", "as_text", is_flag=True, help="Print as JSON.")
def methods(
    models: tuple[str, ...], names: tuple[str, ...], check: bool, out: Path | None, as_text: bool
) -> None:
    """Say which method serves which bundled model, and why not where one does not."""
    from workbench import api  # loads torch
    from workbench.core.files import replacing

    chosen = tuple(api.find_method(name) for name in names)
    with progress_bar("Trying") as progress:
        cells = api.serving_table(chosen, models, check=check, progress=progress)
    if out is not None:
        titles = {name: method.title for name, method in api.list_methods().items()}
        with replacing(out) as part:
            part.write_text(api.write_serving(cells, titles), encoding="utf-8")
    if as_text:
        echo(json.dumps([asdict(cell) for cell in cells], indent=2))
        return
    for cell in cells:
        said = f"  {cell.words}" if cell.words else ""
        echo(f"{'✓' if cell.works else '✗'} {cell.model:20}{cell.method:28}{said}".rstrip())
    if out is not None:
        echo(f"Wrote {out}")
