"""``workbench fairness``."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table
from workbench.core.fairness_metrics import (
    ACCURACY,
    BASE,
    FPR,
    GAPS,
    PPV,
    RATES,
    SELECTION,
    TPR,
)
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.core.results import FairnessAudit

EXAMPLES = """\b
Examples:
  workbench fairness adult-mlp adult
  workbench fairness german-mlp german --by personal_status,age --bins age=25,60 --split all
  workbench fairness adult-mlp adult --by race --rate selection_rate --out out/
"""
LISTED = (BASE, SELECTION, TPR, FPR, PPV, ACCURACY)
# Beyond this many groups of a partition the table goes on in the files.
MOST_GROUPS = 24


@click.command(
    "fairness", cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="fairness_audit",
)  # fmt: skip
@table_options
@click.option(
    "--rate", type=click.Choice(list(RATES)), default=TPR, show_default=True,
    help="The rate that the sentences are about; the tables hold all.",
)  # fmt: skip
def fairness(rate: str, **flags: Any) -> None:
    """Say who is worse off under MODEL's decisions, by how much, and how sure that is.

    Groups are those of the protected columns of TABLE, also of columns that the model does not
    read, and of every two of them crossed.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish("audit", "Auditing", partial(_summary, rate=rate), read=rows_of_table, **flags)


def _summary(result: "FairnessAudit", rate: str) -> str:
    from workbench.plots.fairness_words import overview_sentence  # loads plotly

    lines = [overview_sentence(result), ""]
    for p in range(len(result.partitions)):
        lines += [*_of_partition(result, p, rate), ""]
    return "\n".join([*lines, *trust_lines(result)])


def _of_partition(result: "FairnessAudit", partition: int, rate: str) -> list[str]:
    from workbench.plots.fairness_words import (  # loads plotly
        audit_sentence,
        chance_sentence,
        conflicts_sentence,
        each_sentence,
        lacking_sentence,
    )

    said = [
        tell(result, partition, rate)
        for tell in (audit_sentence, chance_sentence, each_sentence, lacking_sentence)
    ]
    return [
        f"By {result.partition_names[partition]}:",
        *(sentence for sentence in said if sentence),
        "",
        *_groups(result, partition),
        *(["  ?: too few rows to compare"] if lacking_sentence(result, partition, rate) else []),
        "",
        conflicts_sentence(result, partition),
        *_gaps(result, partition),
    ]


def _groups(result: "FairnessAudit", partition: int) -> list[str]:
    from workbench.numerics.audit_reading import rate_index

    heads = [RATES[rate].title.lower() for rate in LISTED]
    found = result.groups_of(partition)
    wide = max(len(result.group_names[g]) for g in found)
    lines = [f"  {'group':<{wide}}  {'rows':>8}  " + "  ".join(f"{head:>20}" for head in heads)]
    for g in found[:MOST_GROUPS]:
        cells = [_cell(result, rate, rate_index(rate), int(g)) for rate in LISTED]
        lines.append(
            f"  {result.group_names[g]:<{wide}}  {result.sizes[g]:>8,}  "
            + "  ".join(f"{cell:>20}" for cell in cells)
        )
    further = len(found) - MOST_GROUPS
    return [*lines, f"  and {further:,} more groups"] if further > 0 else lines


def _cell(result: "FairnessAudit", name: str, rate: int, group: int) -> str:
    value, low, high = (float(x) for x in result.rates[rate, group])
    if value != value:  # noqa: PLR0124 - NaN is the only value unequal to itself
        return "not defined"
    few = "?" if result.reason(name, group) else ""
    ends = "" if low != low else f" ({100 * low:.0f} to {100 * high:.0f})"  # noqa: PLR0124
    return f"{percent(value)}{ends}{few}"


def _gaps(result: "FairnessAudit", partition: int) -> list[str]:
    """List the gaps by one attribute, and of crossed ones those beyond chance."""
    from workbench.numerics.audit_reading import beyond_chance
    from workbench.plots.fairness_words import gap_words, verdict  # loads plotly

    crossed = len(result.partitions[partition]) > 1
    wide = max(len(gap.title) for gap in GAPS.values())
    return [
        f"  {gap.title:<{wide}}  {gap_words(result, q, partition):<24}  "
        f"{verdict(result, q, partition)}"
        for q, gap in enumerate(GAPS.values())
        if not crossed or beyond_chance(result, q, partition)
    ]
