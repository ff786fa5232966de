"""``workbench gap-causes``: what the gap between groups is made of."""

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table

if TYPE_CHECKING:
    from workbench.core.results import GapCauses

TOP = 8
EXAMPLES = """\b
Examples:
  workbench gap-causes adult-mlp adult --by sex
  workbench gap-causes adult-mlp adult --by sex,race --among favourable
  workbench gap-causes german-mlp german --by age --bins age=25 --out out/
"""


@click.command(
    "gap-causes", cls=MethodCommand, yields="gap_causes", no_args_is_help=True, epilog=EXAMPLES
)
@table_options
def gap_causes(**flags: Any) -> None:
    """Say what the gap in MODEL's scores between groups is made of, feature by feature.

    Prints for each group against the largest one how far the mean scores of TABLE's rows lie
    apart, how much of that each feature adds, and how well each tells the two groups apart.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file. Protected columns need not be read by the model.
    """
    finish("gap_causes", "Sharing out", _summary, read=rows_of_table, **flags)


def _summary(result: "GapCauses") -> str:
    from workbench.plots.gap_causes import pairs_of  # loads plotly
    from workbench.plots.gap_causes_words import gap_sentence, proxy_sentence
    from workbench.plots.words import counting_sentence

    lines = []
    for pair in pairs_of(result):
        at = result.pair_index(pair)
        lines += [gap_sentence(result, at), proxy_sentence(result, at), "", *_lines(result, at), ""]
    told = counting_sentence(result)
    return "\n".join([*lines, *([told, ""] if told else []), *trust_lines(result)])


def _lines(result: "GapCauses", pair: int) -> list[str]:
    """Write what features add to a gap, and how well each tells the groups."""
    from workbench.plots.gap_causes_words import digits_of, scale_of  # loads plotly
    from workbench.plots.words import signed

    if result.reason(pair):
        return []
    times, unit = scale_of(result)
    digits, itself = digits_of(result, pair), result.itself[result.pair_attributes[pair]]
    wide = max(len(result.names[c]) for c in result.order(pair)[:TOP])
    lines = [f"  adds{f' {unit}' if unit else ''} (95 %); tells the groups apart (AUC)"]
    for c in result.order(pair)[:TOP]:
        value, low, high = (
            signed(times * float(part), digits) for part in result.contributions[pair, c]
        )
        told = "{:.2f} ({:.2f} to {:.2f})".format(*result.told[pair, c])
        remark = ", the attribute itself" if itself[c] else ""
        lines.append(f"  {result.names[c]:<{wide}}  {value} ({low} to {high}); {told}{remark}")
    further = len(result.names) - TOP
    return [*lines, f"  and {further:,} more"] if further > 0 else lines
