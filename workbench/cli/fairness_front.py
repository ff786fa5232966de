"""``workbench fairness-front``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import FOLDER, MethodCommand, labelled_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, labelled_rows
from workbench.core.errors import InvalidInputError
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.cli.running import Done
    from workbench.core.results import FairnessFront

EXAMPLES = """\b
Examples:
  workbench fairness-front adult-mlp adult --by sex
  workbench fairness-front german-mlp german --by age --bins age=25 --eps 0.02
  workbench fairness-front adult-mlp adult --by sex --save adult-fairer --into models/
"""
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
def fairness_front(save: str | None, which: int | None, into: Path | None, **flags: Any) -> None:
    """Look for models about as accurate as MODEL that treat groups more alike.

    Near-copies of MODEL are drawn at random and trained on towards a smaller gap, on training rows
    of TABLE. Validation rows choose the least unequal one within the allowed loss of accuracy;
    test rows say whether that holds for rows that had no say in the choice.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    from workbench.api.front import check_name  # loads torch

    if save is not None:
        check_name(save)
    elif which is not None or into is not None:
        raise InvalidInputError("Say under which name to publish the model: --save NAME.")
    finish(
        "fairness_front", "Searching", _summary, read=labelled_rows,
        then=partial(_save, name=save, which=which, into=into) if save else None, **flags,
    )  # fmt: skip


def _save(done: "Done", *, name: str, which: int | None, into: Path | None) -> str:
    from workbench import api

    folder = api.save_front_model(
        done.model, done.tables["table"], done.result, name, done.tables["rows"], which=which,
        into=into,
    )  # fmt: skip
    return (
        f"Wrote {folder}\nIt was read back and decides as the front says. Next: workbench models "
        f"show {folder}"
    )


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
