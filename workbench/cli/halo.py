"""``workbench halo``: do equally good models need features together?"""

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table

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
@table_options
def halo(**flags: Any) -> None:
    """Say how far MODEL can weigh features otherwise at once, and what they do together then.

    Features are scaled until the loss on the rows of TABLE has risen by the tolerance, two or
    three of them at once. Prints for each set how many of these models are equally good, and the
    range of its score in the loss over them.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish("halo", "Scaling", _summary, read=rows_of_table, **flags)


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
