"""``workbench detectors``."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, progress_bar
from workbench.cli.results import as_json, check_folder, trust_lines, write_result

if TYPE_CHECKING:
    from workbench.core.results import Detectors

EXAMPLES = """\b
Examples:
  workbench detectors diabetes-mlp diabetes
  workbench detectors adult-mlp adult --detectors mixed-difference,friedman-root --top 5
  workbench detectors wine-mlp wine --shown red --out out/
"""


@click.command(
    cls=MethodCommand, yields="detectors", only="interactions.detectors", no_args_is_help=True,
    epilog=EXAMPLES,
)  # fmt: skip
@click.argument("model")
@click.argument("table")
@click.option(
    "--split", help="train, validation, test or all. [default: test if bundled, else all]"
)
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="Pairs.")
@click.option("--shown", help="Output to list by name. [default: the favourable one]")
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
def detectors(
    model: str, table: str, split: str | None, top: int, shown: str | None, seed: int,
    device: str | None, out: Path | None, ignore_extra_columns: bool, as_text: bool,
    **params: str | None,
) -> None:  # fmt: skip
    """Ask several detectors which features MODEL uses together, over the rows of TABLE.

    Each measures something else, so what is listed are ranks. Detectors that cannot serve the
    model are left out, and it is said why.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    rows = api.load_table(table, split=split, model=chosen, ignore_extra=ignore_extra_columns)
    if out is not None:
        check_folder(out)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Detecting") as progress:
        result = api.detectors(chosen, rows, seed=seed, device=device, progress=progress, **given)
    result.output_index(shown)  # refused before anything is written
    written = write_result(result, out) if out else []
    if as_text:
        click.echo(as_json(result))
        return
    click.echo(_summary(result, shown, top))
    for path in written:
        click.echo(f"Wrote {path}")


def _summary(result: "Detectors", shown: str | None, top: int) -> str:
    from workbench.plots.detectors import detectors_sentence  # loads plotly

    name = result.output_names[result.output_index(shown)]
    lines = [
        f"What features do together in {name!r} of {result.provenance.model}", "",
        detectors_sentence(result, shown), "", "Detectors, and what each takes",
    ]  # fmt: skip
    marks = [chr(ord("a") + c) for c in range(len(result.detectors))]
    wide = max(len(title) for title in result.titles)
    for mark, title, seconds, asked, back in zip(
        marks, result.titles, result.seconds, result.evaluations, result.gradients, strict=True
    ):
        slopes = f", {back:,} back for slopes" if back else ""
        lines.append(f"  {mark}  {title:<{wide}}  {seconds:7.2f} s  {asked:,} rows{slopes}")
    return "\n".join([*lines, "", *_ranks(result, shown, top, marks), "", *trust_lines(result)])


def _ranks(result: "Detectors", shown: str | None, top: int, marks: list[str]) -> list[str]:
    """Write pairs and their ranks in columns that stand under the letters of the detectors."""
    frame = result.top(top, shown)
    wide = max((len(pair) for pair in frame["pair"]), default=0)
    lines = [f"{'Rank of each pair by each of them':<{wide + 2}}"]
    lines.append(f"  {'':<{wide}}" + "".join(f"{mark:>5}" for mark in marks))
    for pair, *ranks in frame.itertuples(index=False, name=None):
        cells = "".join("    -" if isnan(rank) else f"{rank:5.0f}" for rank in ranks)
        lines.append(f"  {pair:<{wide}}{cells}")
    return [line.rstrip() for line in lines]
