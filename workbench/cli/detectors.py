"""``workbench detectors``."""

from functools import partial
from math import isnan
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import SHOWN, MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table

if TYPE_CHECKING:
    from workbench.core.results import Detectors

EXAMPLES = """\b
Examples:
  workbench detectors diabetes-mlp diabetes
  workbench detectors adult-mlp adult --detectors mixed-difference,friedman-root --top 5
  workbench detectors wine-mlp wine --class "cultivar 2" --out out/
"""


@click.command(
    cls=MethodCommand, yields="detectors", only="interactions.detectors", no_args_is_help=True,
    epilog=EXAMPLES,
)  # fmt: skip
@table_options
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="Pairs.")
@SHOWN
def detectors(*, top: int, shown: str | None, **flags: Any) -> None:
    """Ask several detectors which features MODEL uses together, over the rows of TABLE.

    Each measures something else, so what is listed are ranks. Detectors that cannot serve the
    model are left out, and it is said why.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file.
    """
    finish(
        "detectors",
        "Detecting",
        partial(_summary, shown=shown, top=top),
        read=rows_of_table,
        shown=shown,
        **flags,
    )


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
