"""``workbench simpler``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, progress_bar
from workbench.cli.results import MARKS, as_json, check_folder, write_result

if TYPE_CHECKING:
    from workbench.core.results import SimplerModels

EXAMPLES = """\b
Examples:
  workbench simpler german-mlp german
  workbench simpler wine-mlp wine --tolerance 0.1 --depth 5
  workbench simpler adult-mlp people.csv --trees 10000 --out out/
"""


@click.command(cls=MethodCommand, yields="simpler_models", no_args_is_help=True, epilog=EXAMPLES)
@click.argument("model")
@click.argument("table")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Same seed, same numbers.",
)  # fmt: skip
@click.option("--device", help="auto, cpu, cuda or mps. [default: WORKBENCH_DEVICE, else auto]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns unknown to the model."
)
@click.option("--json", "as_text", is_flag=True, help="Print everything as JSON.")
def simpler(
    model: str, table: str, seed: int, device: str | None, out: Path | None,
    ignore_extra_columns: bool, as_text: bool, **params: str | None,
) -> None:  # fmt: skip
    """Say whether a simpler model is about as good as MODEL on the labelled rows of TABLE.

    Learners and trees learn from the training rows of TABLE (60 %), its validation rows decide,
    and losses are reported on its test rows.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    whole = api.load_table(table, split="all", model=chosen, ignore_extra=ignore_extra_columns)
    if out is not None:
        check_folder(out)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Looking") as progress:
        result = api.simpler_models(
            chosen, whole, seed=seed, device=device, progress=progress, **given
        )
    written = write_result(result, out) if out else []
    if as_text:
        click.echo(as_json(result))
        return
    click.echo(_summary(result))
    for path in written:
        click.echo(f"Wrote {path}")


def _summary(result: "SimplerModels") -> str:
    from workbench.checks import run_checks  # after the result exists
    from workbench.plots.simpler_models import simpler_sentence  # loads plotly

    lines = [simpler_sentence(result), "", *_learners(result), "", *_rules(result)]
    lines += ["", *_depths(result)]
    lines += ["", "How far to trust this:"]
    lines += [f"  {MARKS[o.status]} {o.code} {o.title}: {o.sentence}" for o in run_checks(result)]
    lines += [f"  Note: {note}." for note in result.provenance.notes]
    return "\n".join([*lines, "", result.provenance.describe()])


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
