"""``workbench interaction-test``."""

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, labelled_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, labelled_rows
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.core.results import InteractionTest

EXAMPLES = """\b
Examples:
  workbench interaction-test german-mlp german
  workbench interaction-test wine-mlp wine --simulations 40 --out out/
  workbench interaction-test diabetes-mlp diabetes --noise own --json
"""
TOP = 12


@click.command(
    "interaction-test", cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES,
    yields="interaction_test",
)  # fmt: skip
@labelled_options
def interaction_test(**flags: Any) -> None:
    """Say which interactions of MODEL are in the data, and which any network would show.

    Networks of the same architecture are trained on the training rows of TABLE: on their labels,
    and on labels drawn from a model without interactions. That takes minutes.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish("interaction_test", "Training", _summary, read=labelled_rows, **flags)


def _summary(result: "InteractionTest") -> str:
    from workbench.plots.interaction_test import (  # loads plotly
        interaction_test_sentence,
        loss_sentence,
    )

    said = [interaction_test_sentence(result), loss_sentence(result)]
    return "\n".join([*said, "", *_lines(result), "", *trust_lines(result)])


def _lines(result: "InteractionTest") -> list[str]:
    from workbench.core.interaction_test import VERDICTS

    wide = max(len(result.pair_names[i]) for i in result.order[:TOP])
    lines = [
        "  share of the variance: networks on the real labels, on labels without interactions "
        "(90 %),", "  and this model",
    ]  # fmt: skip
    for i in result.order[:TOP]:
        cells = (result.typical[i], result.typical_without[i], result.band_low[i],
                 result.band_high[i], result.given[i])  # fmt: skip
        real, without, low, high, given = (percent(float(cell)) for cell in cells)
        lines.append(
            f"  {result.pair_names[i]:<{wide}}  {real}; {without} ({low} to {high}); {given}: "
            f"{VERDICTS[result.verdicts[i]]}"
        )
    further = len(result.pairs) - TOP
    return [*lines, f"  and {further:,} more"] if further > 0 else lines
