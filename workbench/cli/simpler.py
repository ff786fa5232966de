"""``workbench simpler``."""

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, whole_table_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, whole_table

if TYPE_CHECKING:
    from workbench.core.results import SimplerModels

EXAMPLES = """\b
Examples:
  workbench simpler german-mlp german
  workbench simpler wine-mlp wine --tolerance 0.1 --depth 5
  workbench simpler adult-mlp people.csv --trees 10000 --out out/
"""


@click.command(cls=MethodCommand, yields="simpler_models", no_args_is_help=True, epilog=EXAMPLES)
@whole_table_options
def simpler(**flags: Any) -> None:
    """Say whether a simpler model is about as good as MODEL on the labelled rows of TABLE.

    Learners and trees learn from the training rows of TABLE (60 %), its validation rows decide,
    and losses are reported on its test rows.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish("simpler_models", "Looking", _summary, read=whole_table, **flags)


def _summary(result: "SimplerModels") -> str:
    from workbench.plots.simpler_models import simpler_sentence  # loads plotly

    lines = [simpler_sentence(result), "", *_learners(result), "", *_rules(result)]
    lines += ["", *_depths(result)]
    return "\n".join([*lines, "", *trust_lines(result)])


def _learners(result: "SimplerModels") -> list[str]:
    from workbench.core.simpler_models import LEARNERS
    from workbench.plots.words import number, signed  # loads plotly

    lines = [f"  {result.loss_name}: cross-validated (behind the best), and against the model"]
    for i in result.cv_loss.argsort(kind="stable"):
        kind = "simple" if result.is_simple[i] else ""
        lines.append(
            f"  {LEARNERS[result.learners[i]]:<15}{kind:<7} {number(float(result.cv_loss[i]))} "
            f"({number(float(result.cv_gap[i]))} ± {number(float(result.cv_noise[i]))}); "
            f"{number(float(result.test_loss[i]))}, "
            f"{signed(float(result.test_excess[i]), 4)} ± {number(float(result.test_noise[i]))}"
        )
    return lines


def _rules(result: "SimplerModels") -> list[str]:
    from workbench.plots.words import number  # loads plotly

    lines = ["  The small tree, with its training rows and their loss"]
    for rule, label, rows, loss in zip(
        result.rules, result.labels, result.rule_rows, result.rule_loss, strict=True
    ):
        lines.append(f"  {rule} → {label} ({rows:,}; {number(float(loss))})")
    return lines


def _depths(result: "SimplerModels") -> list[str]:
    from workbench.plots.simpler_models import share_in_words  # loads plotly
    from workbench.plots.words import number

    if result.curve_remark:
        return [f"  {result.curve_remark}."]
    lines = ["  depth: share of good trees; loss of the best on training rows and reported rows"]
    for i, depth in enumerate(result.depths):
        elbow = "  elbow" if i == result.elbow else ""
        lines.append(
            f"  {depth}: {share_in_words(result, i)}; {number(float(result.best_loss[i]))}, "
            f"{number(float(result.best_test[i]))}{elbow}"
        )
    return lines
