"""Say what would have to be different for a model to decide otherwise."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, progress_bar, read_rows
from workbench.cli.results import as_json, check_folder, write_result

if TYPE_CHECKING:
    from workbench.core.results import Counterfactuals

EXAMPLES = """\b
Examples:
  workbench counterfactual adult-mlp adult --rows 3
  workbench counterfactual wine-mlp wine --rows 5 --target "cultivar 1" --count 2
  workbench counterfactual diabetes-mlp diabetes --rows 0:3 --high 120 --out out/
"""


@click.command(cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="counterfactuals")
@click.argument("model")
@click.argument("table")
@click.option("--rows", "--row", default="0", show_default=True, help="Positions: 5, 0:20, 3,7.")
@click.option(
    "--split", help="train, validation, test or all. [default: test if bundled, else all]"
)
@click.option("--background", help="Bundled name or file. [default: the model's training rows]")
@click.option("--n-background", default=2000, show_default=True, help="Background rows at most.")
@click.option("--device", help="auto, cpu, cuda or mps. [default: WORKBENCH_DEVICE, else auto]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the model."
)
@click.option("--json", "as_text", is_flag=True, help="Print everything as JSON.")
def counterfactual(
    model: str, table: str, rows: str, split: str | None, background: str | None,
    n_background: int, device: str | None, out: Path | None, ignore_extra_columns: bool,
    as_text: bool, **params: str | None,
) -> None:  # fmt: skip
    """Find the nearest changes of rows of TABLE for which MODEL decides otherwise.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a CSV, Excel, Parquet or Feather file.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    selected, data = read_rows(
        chosen, table, rows, split=split, background=background, ignore_extra=ignore_extra_columns
    )
    drawn = api.background_for(
        chosen, data, n=n_background, source=background, ignore_extra=ignore_extra_columns,
        fewer=True,
    )  # fmt: skip
    if out is not None:
        check_folder(out)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Searching") as progress:
        result = api.counterfactuals(
            chosen, selected, drawn, device=device, progress=progress, **given
        )
    written = write_result(result, out) if out else []
    if as_text:
        click.echo(as_json(result))
        return
    click.echo("\n\n".join(_summary(result, row) for row in range(len(result))))
    for path in written:
        click.echo(f"Wrote {path}")


def _summary(result: "Counterfactuals", row: int) -> str:
    """Write the changes of each counterfactual of a row below each other."""
    from workbench.plots.what_if import counterfactual_sentence  # loads plotly

    lines = [counterfactual_sentence(result, row)]
    for place, which in enumerate(result.of(row), 1):
        said = ", ".join(
            f"{name} {value:.3f}"
            for name, value in zip(
                result.output_names, result.changed_predictions[which], strict=True
            )
        )
        lines += ["", f"  {place}. distance {result.distances[which]:.2f}; {said}"]
        lines += [f"       {name}: {old} → {new}" for name, old, new in result.changes(which)]
    return "\n".join(lines)
