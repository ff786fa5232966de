"""``workbench interactions``."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import SHOWN, MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table
from workbench.core.wording import percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.core.results import InteractionScores

# Standard errors beyond which a direction is said.
SURE = 2
# Of shares: the floor below which a pair does not matter is a tenth of a per cent.
DIGITS = 2
TOP_OPTION = click.option(
    "--top", type=click.IntRange(min=1), default=12, show_default=True, help="Lines."
)
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
@TOP_OPTION
@SHOWN
def interactions(*, top: int, shown: str | None, **flags: Any) -> None:
    """Say which features MODEL uses together, over the rows of TABLE.

    Features are exchanged between the rows. Scores in the loss need labelled rows.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file.
    """
    finish(
        "interaction_scores",
        "Exchanging",
        partial(_summary, shown=shown, top=top),
        read=rows_of_table,
        shown=shown,
        **flags,
    )


def _summary(result: "InteractionScores", shown: str | None, top: int) -> str:
    share = ", and their share of the variance (95 %)"
    return scores_in_words(result, shown, top, head=share, lines=_lines)


def scores_in_words(
    result: "InteractionScores", shown: str | None, top: int, *,
    lines: "Callable[[InteractionScores, str | None, int, int], list[str]]", of: str = "",
    head: str = "",
) -> str:  # fmt: skip
    """List pairs, then triples, each kind by ``lines(result, shown, top, order)``."""
    name = result.output_names[result.output_index(shown)]
    said = [f"What features do together in {name!r} of {result.provenance.model}{of}"]
    for order, what in ((2, "Pairs"), (3, "Triples")):
        if (result.orders == order).any():
            said += ["", f"{what}{head}", *lines(result, shown, top, order)]
    return "\n".join([*said, "", *trust_lines(result)])


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
