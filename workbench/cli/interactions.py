"""``workbench interactions``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, run_on_table, table_options
from workbench.cli.results import finished, trust_lines
from workbench.core.wording import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.core.results import InteractionScores

# Standard errors beyond which a direction is said.
SURE = 2
# Of shares: the floor below which a pair does not matter is a tenth of a per cent.
DIGITS = 2
EXAMPLES = """\b
Examples:
  workbench interactions adult-mlp adult
  workbench interactions german-mlp german --detector both --out out/
  workbench interactions wine-mlp wine --class "cultivar 2" --order 3 --top 5
"""


@click.command(
    cls=MethodCommand, yields="interaction_scores", only="interactions.scores",
    no_args_is_help=True, epilog=EXAMPLES,
)  # fmt: skip
@table_options
@click.option("--top", type=click.IntRange(min=1), default=12, show_default=True, help="Lines.")
@click.option("--class", "shown", help="Output to print. [default: the favourable class]")
def interactions(
    *, top: int, shown: str | None, out: Path | None, as_text: bool, **flags: Any
) -> None:
    """Say which features MODEL uses together, over the rows of TABLE.

    Features are exchanged between the rows. Scores in the loss need labelled rows.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file.
    """
    result = finished(
        "interaction_scores",
        "Exchanging",
        out=out,
        as_text=as_text,
        run=run_on_table,
        shown=shown,
        **flags,
    )
    if result is not None:
        click.echo(_summary(result, shown, top))


def _summary(result: "InteractionScores", shown: str | None, top: int) -> str:
    name = result.output_names[result.output_index(shown)]
    lines = [f"What features do together in {name!r} of {result.provenance.model}"]
    for order, what in ((2, "Pairs"), (3, "Triples")):
        if (result.orders == order).any():
            lines += ["", f"{what}, and their share of the variance (95 %)"]
            lines += _lines(result, shown, top, order)
    return "\n".join([*lines, "", *trust_lines(result)])


def _lines(result: "InteractionScores", shown: str | None, top: int, order: int) -> list[str]:
    frame = result.top(top, shown, order=order)
    variance = float(result.variances[0, result.output_index(shown)]) or 1.0  # 0 of a constant
    wide = max(len(name) for name in frame["set"])
    lines = []
    for place, name in enumerate(frame["set"]):
        cells = {column: frame[column].to_numpy()[place] for column in frame.columns}
        low, high = (
            percent(float(cells[f"mixed_{end}"]) / variance, DIGITS) for end in ("low", "high")
        )
        said = f"{percent(float(cells['share']), DIGITS)} ({low} to {high})"
        lines.append(f"  {name:<{wide}}  {said}{_besides(cells)}")
    return lines


def _besides(cells: "Mapping[str, Any]") -> str:
    """Return the direction where it is clear, the score in the loss, and whether it matters."""
    from workbench.core.interaction_scores import FLOOR  # loads scipy
    from workbench.plots.words import signed  # loads plotly

    said = ""
    if abs(cells["signed"]) > SURE * cells["signed_std_error"]:
        said += ", strengthen each other" if cells["signed"] > 0 else ", weaken each other"
    if cells["loss"] == cells["loss"]:
        said += f"; in the loss {signed(cells['loss'], 4)} ± {cells['loss_std_error']:.4f}"
    return said if cells["matters"] else f"{said}; not surely above {percent(FLOOR)}"
