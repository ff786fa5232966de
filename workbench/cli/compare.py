"""Say which explanation to believe, for which question."""

from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.importing import given_option, rows_beside
from workbench.cli.options import MethodCommand, rows_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish
from workbench.core.errors import InvalidInputError
from workbench.core.wording import counted, percent

if TYPE_CHECKING:
    from workbench.api import Advice
    from workbench.core.results import Faithfulness, Measures

EXAMPLES = """\b
Examples:
  workbench compare adult-mlp adult
  workbench compare wine-mlp wine --rows 5 --question moved
  workbench compare adult-mlp people.csv --question removed --budget 500 --out out/
"""
MEASURE_EXAMPLES = """\b
Examples:
  workbench measure wine-mlp wine
  workbench measure adult-mlp adult --rows 0:50 --copies 0 --out out/
  workbench measure adult-mlp adult --rows 0:50 --given shap_values.csv
"""
WIDE = 12


@click.command(cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="faithfulness")
@rows_options("0:100")
@click.option(
    "--question",
    help="moved, moved-further, removed, few-removed, one-removed, path, or other. [default: all]",
)
@given_option
@click.option("--budget", type=click.IntRange(min=1), help="Passes through the network for a row.")
def compare(question: str | None, budget: int | None, given: Path | None, **flags: Any) -> None:
    """Hold explanations of MODEL for rows of TABLE against what they are about.

    Prints how much of what the model does each explanation misses in each neighbourhood, and
    which one answers a question.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a CSV, Excel, Parquet or Feather file.
    """
    from workbench.core.schema import listing
    from workbench.engines.lfa.advisor import QUESTIONS  # loads torch

    if question is not None and question not in QUESTIONS:  # before minutes of work
        raise InvalidInputError(
            f"There is no question {question!r}; choose one of {listing(QUESTIONS, 20)}."
        )
    tell = partial(_summary, shown=flags["shown"], question=question, budget=budget)
    finish(
        "faithfulness", "Comparing", tell, read=partial(rows_beside, given), given=given, **flags
    )


def _summary(
    result: "Faithfulness", shown: str | None, question: str | None, budget: int | None
) -> str:
    from workbench import api
    from workbench.engines.lfa.advisor import questions_for

    asked = questions_for(result) if question is None else (question,)
    advice = [api.advise(result, one, output=shown, budget=budget) for one in asked]
    lines = [*_matrix(result, shown), ""]
    lines += [line for one in advice for line in (*_advice(one), "")]
    return "\n".join([*lines, *trust_lines(result)])


@click.command(cls=MethodCommand, no_args_is_help=True, epilog=MEASURE_EXAMPLES, yields="measures")
@rows_options("0:100")
@given_option
def measure(given: Path | None, **flags: Any) -> None:
    """Measure explanations of MODEL for rows of TABLE as the literature does.

    Prints for every measure its median over the rows, explanation by explanation; what a measure
    does not define for an explanation is n/a.
    """
    tell = partial(_measured, shown=flags["shown"])
    finish("measures", "Measuring", tell, read=partial(rows_beside, given), given=given, **flags)


def _measured(result: "Measures", shown: str | None) -> str:
    from workbench.plots.measures import measures_sentence  # loads plotly

    lines = [measures_sentence(result, shown), "", *_scores(result, shown)]
    return "\n".join([*lines, "", *trust_lines(result)])


def _scores(result: "Measures", shown: str | None) -> list[str]:
    """Write a line for each measure and a column for each explanation."""
    from workbench.core.faithfulness import EXPLANATIONS
    from workbench.core.measures import MEASURES

    middle = result.summary(shown).median
    names = [MEASURES[name].title for name in result.measures]
    wide = max(map(len, names))
    lines = _heads([EXPLANATIONS[method] for method in result.methods], wide)
    for j, name in enumerate(names):
        cells = "".join(f"{_cell(value, '.3g'):>{WIDE}}" for value in middle[:, j])
        better = MEASURES[result.measures[j]].better
        lines.append(f"  {name:<{wide}}{cells}  {f'{better} is better' if better else ''}")
    head = f"  median over {counted(len(result), 'row')}"
    return [head, *(line.rstrip() for line in lines)]


def _matrix(result: "Faithfulness", shown: str | None) -> list[str]:
    """Write explanations by neighbourhoods, each as the share of the variance that is missed."""
    from workbench.core.faithfulness import EXPLANATIONS, NEIGHBOURHOODS

    entries = result.entries(shown)
    names = [EXPLANATIONS[method] for method in result.methods]
    wide = max(map(len, names))
    lines = _heads([NEIGHBOURHOODS[name] for name in result.neighbourhoods], wide)
    for i, name in enumerate(names):
        cells = "".join(f"{_cell(value):>{WIDE}}" for value in entries.value[i])
        lines.append(f"  {name:<{wide}}{cells}")
    what = result.output_names[result.output_index(shown)]
    head = f"  share of the variance of {what} that is missed (0 faithful, 1 a constant)"
    return [head, *(line.rstrip() for line in lines)]


def _heads(titles: list[str], wide: int) -> list[str]:
    """Write headings over columns, in as many lines as the longest needs."""
    heads = [wrap(title, WIDE - 1) for title in titles]
    deep = max(map(len, heads))
    padded = [[""] * (deep - len(head)) + head for head in heads]
    return [
        "  " + " " * wide + "".join(f"{head[part]:>{WIDE}}" for head in padded)
        for part in range(deep)
    ]


def _cell(value: float, form: str = ".3f") -> str:
    return "n/a" if value != value else f"{value:{form}}"  # noqa: PLR0124 - NaN


def _advice(advice: "Advice") -> list[str]:
    from workbench.core.faithfulness import EXPLANATIONS
    from workbench.engines.lfa.advisor import QUESTIONS

    question = QUESTIONS[advice.question].words
    if not advice.method:
        return [question, f"  {advice.reason} {advice.instead}"]
    name = EXPLANATIONS[advice.method]
    bounds = ""
    if advice.low == advice.low:
        bounds = f" (95 %: {percent(advice.low)} to {percent(advice.high)})"
    after = ""
    if advice.runner_up:
        after = f"; next {EXPLANATIONS[advice.runner_up]} ({percent(advice.runner_missed)})"
    verdict = "" if advice.adequate else " Not adequate."
    lines = [
        f"{question} → {name}",
        f"  misses {percent(advice.missed)}{bounds}, {advice.calls:,} passes a row{after}."
        f"{verdict}",
        f"  {advice.reason}",
    ]
    return lines if advice.adequate else [*lines, f"  {advice.instead}"]
