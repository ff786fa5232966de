"""Say what would have to be different for a model to decide otherwise."""

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, rows_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, rows_and_background

if TYPE_CHECKING:
    from workbench.core.results import Counterfactuals

EXAMPLES = """\b
Examples:
  workbench counterfactual adult-mlp adult --rows 3
  workbench counterfactual wine-mlp wine --rows 5 --target "cultivar 1" --count 2
  workbench counterfactual diabetes-mlp diabetes --rows 0:3 --high 120 --out out/
"""


@click.command(cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="counterfactuals")
@rows_options("0")
def counterfactual(**flags: Any) -> None:
    """Find the nearest changes of rows of TABLE for which MODEL decides otherwise.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a CSV, Excel, Parquet or Feather file.
    """
    finish("counterfactuals", "Searching", _told, read=rows_and_background, **flags)


def _told(result: "Counterfactuals") -> str:
    rows = [_summary(result, row) for row in range(len(result))]
    return "\n\n".join([*rows, "\n".join(trust_lines(result))])


def _summary(result: "Counterfactuals", row: int) -> str:
    """Write the changes of each counterfactual of a row below each other."""
    from workbench.plots.what_if import counterfactual_sentence  # loads plotly

    lines = [counterfactual_sentence(result, row)]
    for place, which in enumerate(result.of(row), 1):
        said = ", ".join(
            f"{name} {value:.3f}"
            for name, value in zip(
                result.output_names, result.changed_predictions[which], strict=True
            )
        )
        lines += ["", f"  {place}. distance {result.distances[which]:.2f}; {said}"]
        lines += [f"       {name}: {old} → {new}" for name, old, new in result.changes(which)]
    return "\n".join(lines)
