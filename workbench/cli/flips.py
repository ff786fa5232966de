"""``workbench flips``: would the decision be another if only a protected attribute were?"""

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table

if TYPE_CHECKING:
    from workbench.core.results import AttributeFlips

TOP = 15
EXAMPLES = """\b
Examples:
  workbench flips adult-mlp adult --by sex
  workbench flips adult-mlp adult --by sex,race --mode conditional
  workbench flips german-mlp german --by age --bins age=25,60 --out out/
"""


@click.command(
    cls=MethodCommand, yields="attribute_flips", only="fairness.flips", no_args_is_help=True,
    epilog=EXAMPLES,
)  # fmt: skip
@table_options
def flips(**flags: Any) -> None:
    """Say whose decision MODEL would change if a protected attribute alone were another.

    Every row of TABLE is asked about under all values that the attributes could have. Prints how
    many are refused, and how many favoured, because of them, by group and with exact intervals;
    and what remains without alternatives that are hardly ever met.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file. True values are not needed.
    """
    finish("flips", "Asking", _summary, read=rows_of_table, **flags)


def _summary(result: "AttributeFlips") -> str:
    from workbench.plots.flips_words import (  # loads plotly
        flips_sentence,
        groups_sentence,
        plausible_sentence,
        score_sentence,
    )
    from workbench.plots.words import counting_sentence

    said = (
        flips_sentence, counting_sentence, groups_sentence, score_sentence, plausible_sentence,
    )  # fmt: skip
    lines = [part for part in (tell(result) for tell in said) if part]
    return "\n".join([*lines, "", *_groups(result), "", *trust_lines(result)])


def _groups(result: "AttributeFlips") -> list[str]:
    from workbench.plots.flips_words import share  # loads plotly

    groups = sorted(range(len(result.group_levels)), key=lambda g: -int(result.sizes[g]))
    names = [f"{result.group_names[g]} ({result.sizes[g]:,})" for g in groups[:TOP]]
    wide = max(len(name) for name in names)
    lines = ["  share of the group: refused because of it; favoured because of it"]
    for name, g in zip(names, groups, strict=False):
        adverse, favoured = (share(result.rates[k, 0, g]) for k in (1, 2))
        lines.append(f"  {name:<{wide}}  {adverse}; {favoured}")
    further = len(groups) - TOP
    return [*lines, f"  and {further:,} smaller"] if further > 0 else lines
