"""``workbench group-errors``."""

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table

if TYPE_CHECKING:
    from workbench.core.results import ErrorAudit

EXAMPLES = """\b
Examples:
  workbench group-errors diabetes-mlp diabetes --split all
  workbench group-errors diabetes-mlp diabetes --by age,sex --bins age=40,60 --quantile 0.8
"""
MOST_GROUPS = 24


@click.command(
    "group-errors", cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="error_audit",
)  # fmt: skip
@table_options
def group_errors(**flags: Any) -> None:
    """Say for whom MODEL, which predicts a number, errs more, and in which direction.

    Groups are those of the protected columns of TABLE, and of every two of them crossed.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish("error_audit", "Auditing", _summary, read=rows_of_table, **flags)


def _summary(result: "ErrorAudit") -> str:
    from workbench.plots.error_audit import errors_sentence  # loads plotly

    lines = []
    for p in range(len(result.partitions)):
        lines += [errors_sentence(result, p), "", *_groups(result, p), ""]
    return "\n".join([*lines, *trust_lines(result)])


def _groups(result: "ErrorAudit", partition: int) -> list[str]:
    from workbench.core.error_audit import MEASURES
    from workbench.plots.words import number  # loads plotly

    found = result.groups_of(partition)
    wide = max(len(result.group_names[g]) for g in found)
    heads = "  ".join(f"{title.lower():>24}" for title, _ in MEASURES.values())
    lines = [f"  {'group':<{wide}}  {'rows':>8}  {heads}"]
    for g in found[:MOST_GROUPS]:
        cells = []
        for m in range(len(MEASURES)):
            value, low, high = (float(x) for x in result.values[m, g])
            if value != value:  # noqa: PLR0124 - NaN is the only value unequal to itself
                cells.append("not defined")
            else:
                cells.append(f"{number(value)} ({number(low)} to {number(high)})")
        lines.append(
            f"  {result.group_names[g]:<{wide}}  {result.sizes[g]:>8,}  "
            + "  ".join(f"{cell:>24}" for cell in cells)
        )
    further = len(found) - MOST_GROUPS
    return [*lines, f"  and {further:,} more groups"] if further > 0 else lines
