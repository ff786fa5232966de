"""``workbench fairness-front``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.options import MethodCommand, labelled_options, progress_bar, read_labelled
from workbench.cli.results import as_json, check_folder, trust_lines, write_result
from workbench.core.errors import InvalidInputError
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.core.model import Model
    from workbench.core.results import FairnessFront
    from workbench.core.table import Table

EXAMPLES = """\b
Examples:
  workbench fairness-front adult-mlp adult --by sex
  workbench fairness-front german-mlp german --by age --bins age=25 --eps 0.02
  workbench fairness-front adult-mlp adult --by sex --save adult-fairer --into models/
"""
FOLDER = click.Path(file_okay=False, path_type=Path)
TOP = 10


@click.command(
    "fairness-front", cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES,
    yields="fairness_front",
)  # fmt: skip
@labelled_options
@click.option("--save", metavar="NAME", help="Publish the alternative as a model of this name.")
@click.option("--which", type=int, help="Publish this model of the front, by its number in the "
              "list, in place of the alternative.")  # fmt: skip
@click.option("--into", type=FOLDER, help="Registry folder to publish to. [default: "
              "WORKBENCH_MODELS, else the built-in one]")  # fmt: skip
def fairness_front(
    model: str, table: str, rows: str | None, split: str, seed: int, device: str | None,
    out: Path | None, ignore_extra_columns: bool, as_text: bool, save: str | None,
    which: int | None, into: Path | None, **params: str | None,
) -> None:  # fmt: skip
    """Look for models about as accurate as MODEL that treat groups more alike.

    Near-copies of MODEL are drawn at random and trained on towards a smaller gap, on training rows
    of TABLE. Validation rows choose the least unequal one within the allowed loss of accuracy;
    test rows say whether that holds for rows that had no say in the choice.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    from workbench import api  # loads torch
    from workbench.api.front import check_name

    if save is not None:
        check_name(save)
    elif which is not None or into is not None:
        raise InvalidInputError("Say under which name to publish the model: --save NAME.")
    chosen = api.load_model(model)
    selected, whole = read_labelled(
        chosen, table, rows, split=split, ignore_extra=ignore_extra_columns, by=params.get("by")
    )
    if out is not None:
        check_folder(out)
    given = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Searching") as progress:
        result = api.fairness_front(
            chosen, whole, selected, seed=seed, device=device, progress=progress, **given
        )
    for path in write_result(result, out) if out else []:
        click.echo(f"Wrote {path}", err=as_text)
    click.echo(as_json(result) if as_text else _summary(result))
    if save is not None:
        _save(result, chosen, whole, selected, save, which, into, as_text=as_text)


def _save(
    result: "FairnessFront", model: "Model", whole: "Table", selected: "Table", name: str,
    which: int | None, into: Path | None, *, as_text: bool,
) -> None:  # fmt: skip
    from workbench import api

    folder = api.save_front_model(model, whole, result, name, selected, which=which, into=into)
    click.echo(f"Wrote {folder}", err=as_text)
    click.echo(
        "It was read back and decides as the front says. Next: workbench models show "
        f"{folder}", err=as_text,
    )  # fmt: skip


def _summary(result: "FairnessFront") -> str:
    from workbench.plots.fairness_front_words import (  # loads plotly
        causes_sentence,
        front_sentence,
        left_out_sentence,
        luck_sentence,
        range_sentence,
        reading_sentence,
    )
    from workbench.plots.words import counting_sentence

    every = (front_sentence, counting_sentence, left_out_sentence, luck_sentence, reading_sentence,
             range_sentence, causes_sentence)  # fmt: skip
    lines = [sentence for say in every if (sentence := say(result))]
    return "\n".join([*lines, "", *_lines(result), "", *trust_lines(result)])


def _lines(result: "FairnessFront") -> list[str]:
    from workbench.core.fairness_front import REPORTED
    from workbench.core.fairness_metrics import GAPS
    from workbench.plots.fairness_front_words import change_text, value_text

    q, s = result.at, REPORTED
    best = [m for m in range(1, len(result)) if result.front[m, s, q] or m == result.chosen[q]]
    best.sort(key=lambda m: -float(result.accuracy[m, s, 0]))
    lines = [f"  number, right, {GAPS[result.gap].title.lower()}, its change (rows reported on):"]
    for m in [0, *best[:TOP]]:
        mark = "*" if m == result.chosen[q] else " "
        told = "" if m == 0 else f", {change_text(result.change[m, s, q])}"
        lines.append(
            f" {mark}{m:>3}  {percent(float(result.accuracy[m, s, 0])):>7}  "
            f"{value_text(result.gap, result.gaps[m, s, q])}{told}  [{result.name(m)}]"
        )
    further = len(best) - TOP
    more = [f"  and {further:,} more that no other beats"] if further > 0 else []
    return [*lines, *more, "  *: the alternative"]
