"""``workbench profile``."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import SHOWN, MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table

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
@table_options
@SHOWN
def profile(*, shown: str | None, **flags: Any) -> None:
    """Say how the output of MODEL changes with each feature, over the rows of TABLE.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file.
    """
    finish(
        "profiles",
        "Looking",
        partial(_summary, shown=shown),
        read=rows_of_table,
        shown=shown,
        **flags,
    )


def _summary(result: "Profiles", shown: str | None) -> str:
    from workbench.plots.profiles import profile_sentence  # loads plotly

    which = result.output_index(shown)
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
