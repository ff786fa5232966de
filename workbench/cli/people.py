"""``workbench people``."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, labelled_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, labelled_rows

if TYPE_CHECKING:
    from workbench.core.results import BoundaryPeople

EXAMPLES = """\b
Examples:
  workbench people german-mlp german --who wrongly_refused
  workbench people adult-mlp adult --people 12547 --models 1000
  workbench people german-mlp german --by age --bins age=25 --out out/
"""


@click.command(cls=MethodCommand, yields="boundary_people", no_args_is_help=True, epilog=EXAMPLES)
@labelled_options
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True,
              help="People to tell about.")  # fmt: skip
def people(top: int, **flags: Any) -> None:
    """Say who MODEL decides narrowly among the rows of TABLE, and what would have changed it.

    For the closest to the decision: what equally good models decide, what another level of a
    protected column would do, and who is most alike and decided otherwise.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file. Other models are asked where TABLE has the column that the model predicts.
    """
    finish("boundary_people", "Looking", partial(_summary, top=top), read=labelled_rows, **flags)


def _summary(result: "BoundaryPeople", top: int) -> str:
    from workbench.plots import boundary_words as words  # loads plotly

    lines = [
        words.people_sentence(result), words.chosen_sentence(result),
        words.tolerance_sentence(result), "",
    ]  # fmt: skip
    for row in (int(row) for row in result.ids[result.chosen[:top]]):
        lines += [
            words.person_sentence(result, row),
            f"  {words.flip_sentence(result, row)}",
            f"  {words.neighbour_sentence(result, row)}",
            "",
        ]
    if (left := len(result.chosen) - top) > 0:
        lines += [f"and {left:,} more (--out writes them all)", ""]
    return "\n".join([*lines, *trust_lines(result)])
