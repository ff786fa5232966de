"""``workbench rashomon``: how far equally good models disagree."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import SHOWN, MethodCommand, labelled_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, labelled_rows
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.core.results import RashomonSet

EXAMPLES = """\b
Examples:
  workbench rashomon german-mlp german
  workbench rashomon german-mlp german --explorers gaussian-units,retraining --tolerance 0.01
  workbench rashomon german-mlp german --method retrain --models 50 --resample all
  workbench rashomon adult-mlp people.csv --models 500 --out out/
"""
LISTED = ("ambiguity", "discrepancy", "obscurity", "delta_ambiguity", "width", "deviation")
HEADS = {
    "delta_ambiguity": "moved", "width": "width", "deviation": "sd",
}  # fmt: skip


@click.command(cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="rashomon_set")
@labelled_options
@click.option(
    "--method",
    default="set",
    show_default=True,
    help="set, or retrain: models trained again, with settings of their training.",
)
@click.option("--tolerance", type=float, help="Tolerance to tell of. [default: the middle one]")
@SHOWN
def rashomon(
    method: str, tolerance: float | None, shown: str | None,
    **flags: Any,
) -> None:  # fmt: skip
    """Say how far models that are as good as MODEL disagree about rows of TABLE.

    Models are admitted on validation rows of TABLE by their loss; what is told is about its test
    rows. Prints how many rows another equally good model would decide otherwise, at each
    tolerance, and who looked for such models.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish(
        "rashomon_set",
        "Exploring",
        partial(_summary, shown=shown, tolerance=tolerance),
        read=labelled_rows,
        shown=shown,
        method=method,
        **flags,
    )


def _summary(result: "RashomonSet", shown: str | None, tolerance: float | None) -> str:
    from workbench.plots.rashomon_words import (  # loads plotly
        noise_sentence,
        rashomon_sentence,
        remark_text,
    )

    which, lines = result.output_index(shown), []
    for e, key in enumerate(result.explorers):
        told: dict[str, Any] = {"explorer": key, "tolerance": tolerance}
        remark = remark_text(result, key)
        lines += [rashomon_sentence(result, which, **told), *([remark] if remark else []), ""]
        lines += [*_table(result, e), ""]
    return "\n".join([*lines, *trust_lines(result, noise_sentence(result, tolerance=tolerance))])


def _table(result: "RashomonSet", e: int) -> list[str]:
    """List the metrics of an explorer, a line for each tolerance; a star where it is noise."""
    from workbench.plots.rashomon_words import metric_text  # loads plotly

    shown = [name for name in LISTED if name in result.metric_names]
    heads = ["tolerance", "models", "admitted", *(HEADS.get(name, name) for name in shown)]
    lines = [[f"{head:>12}" for head in heads]]
    for t, eps in enumerate(result.tolerances):
        star = "*" if result.below_noise[e, t] else ""
        share = (
            percent(float(result.admitted[e, t] / result.drawn[e])) if result.drawn[e] else "-"
        )  # fmt: skip
        cells = [f"{eps:.3g}{star}", f"{result.admitted[e, t]:,}", share]
        cells += [
            metric_text(result, name, float(result.metric(name)[e, t])).replace("not defined", "-")
            for name in shown
        ]
        lines.append([f"{cell:>12}" for cell in cells])
    noted = ["  * cannot be told from 0"] if result.below_noise[e].any() else []
    return [*("".join(line) for line in lines), *noted]
