"""``workbench evaluate``."""

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_of_table
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.core.performance import Measure, Performance

TOP_CLASSES = 20
EXAMPLES = """\b
Examples:
  workbench evaluate adult-mlp adult
  workbench evaluate diabetes-mlp diabetes --out out/
  workbench evaluate adult-mlp people.csv --threshold 0.3 --json
"""


@click.command(cls=MethodCommand, yields="performance", no_args_is_help=True, epilog=EXAMPLES)
@table_options
def evaluate(**flags: Any) -> None:
    """Say how good MODEL is on the labelled rows of TABLE, and how sure that is.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish("evaluate", "Evaluating", _summary, read=rows_of_table, **flags)


def _summary(result: "Performance") -> str:
    from workbench.plots.words import performance_sentence  # loads plotly

    measures = list(result.measures())
    lines = [performance_sentence(result), "", f"  ± {percent(result.level)} intervals"]
    lines += _lines([m for m in measures if not m.of], [])
    of_classes = [m for m in measures if m.of]
    if of_classes and len(result.classes) <= TOP_CLASSES:
        lines += ["", *_lines(of_classes, [m.of for m in of_classes])]
    return "\n".join([*lines, "", *trust_lines(result)])


def _lines(measures: "list[Measure]", classes: list[str]) -> list[str]:
    from workbench.plots.words import number  # loads plotly

    names = [m.name if not classes else f"{m.name} of {m.of}" for m in measures]
    wide = max(len(name) for name in names)
    lines = []
    for name, m in zip(names, measures, strict=True):
        said = m.note if m.value != m.value else number(m.value)
        if m.low == m.low:
            said += f" ({number(m.low)} to {number(m.high)}), {m.interval}"
        lines.append(f"  {name:<{wide}}  {said}")
    return lines
