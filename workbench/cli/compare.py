"""Say which explanation to believe, for which question."""

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.explain import as_json, check_folder, trust_lines, write_result
from workbench.cli.options import MethodCommand, progress_bar, read_rows
from workbench.core.errors import InvalidInputError
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.api import Advice
    from workbench.core.results import Faithfulness

EXAMPLES = """\b
Examples:
  workbench compare adult-mlp adult
  workbench compare wine-mlp wine --rows 5 --question moved
  workbench compare adult-mlp people.csv --question removed --budget 500 --out out/
"""
WIDE = 12


@click.command(cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="faithfulness")
@click.argument("model")
@click.argument("table")
@click.option("--rows", default="0:100", show_default=True, help="Positions: 5, 0:200, or 3,7,11.")
@click.option(
    "--split", help="train, validation, test or all. [default: test if bundled, else all]"
)
@click.option(
    "--question",
    help="moved, moved-further, removed, few-removed, one-removed, path, or other. [default: all]",
)
@click.option("--budget", type=click.IntRange(min=1), help="Passes through the network for a row.")
@click.option("--background", help="Bundled name or file. [default: the model's training rows]")
@click.option("--n-background", default=2000, show_default=True, help="Background rows at most.")
@click.option("--class", "shown", help="Output to print. [default: the favourable class]")
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
def compare(
    model: str, table: str, rows: str, split: str | None, question: str | None,
    budget: int | None, background: str | None, n_background: int, shown: str | None, seed: int,
    device: str | None, out: Path | None, ignore_extra_columns: bool, as_text: bool,
    **params: str | None,
) -> None:  # fmt: skip
    """Hold explanations of MODEL for rows of TABLE against what they are about.

    Prints how much of what the model does each explanation misses in each neighbourhood, and
    which one answers a question.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a CSV, Excel, Parquet or Feather file.
    """
    from workbench import api  # loads torch
    from workbench.core.schema import listing
    from workbench.engines.lfa.advisor import QUESTIONS, questions_for

    if question is not None and question not in QUESTIONS:  # before minutes of work
        raise InvalidInputError(
            f"There is no question {question!r}; choose one of {listing(QUESTIONS, 20)}."
        )
    chosen = api.load_model(model)
    if shown is not None and shown not in chosen.output_names:
        raise InvalidInputError(
            f"Model {chosen.name} has no output {shown!r}; choose one of "
            f"{listing(chosen.output_names)}."
        )
    selected, data = read_rows(
        chosen, table, rows, split=split, background=background,
        ignore_extra=ignore_extra_columns,
    )  # fmt: skip
    drawn = api.background_for(
        chosen, data, n=n_background, seed=seed, source=background,
        ignore_extra=ignore_extra_columns, fewer=True,
    )  # fmt: skip
    if out is not None:
        check_folder(out)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Comparing") as progress:
        result = api.faithfulness(
            chosen, selected, drawn, seed=seed, device=device, progress=progress, **given
        )
    written = write_result(result, out) if out else []
    if as_text:
        click.echo(as_json(result))
        return
    asked = questions_for(result) if question is None else (question,)
    advice = [api.advise(result, one, output=shown, budget=budget) for one in asked]
    lines = [*_matrix(result, shown), ""]
    lines += [line for one in advice for line in (*_advice(one), "")]
    click.echo("\n".join([*lines, *trust_lines(result)]))
    for path in written:
        click.echo(f"Wrote {path}")


def _matrix(result: "Faithfulness", shown: str | None) -> list[str]:
    """Write explanations by neighbourhoods, each as the share of the variance that is missed."""
    from workbench.core.faithfulness import EXPLANATIONS, NEIGHBOURHOODS

    entries = result.entries(shown)
    names = [EXPLANATIONS[method] for method in result.methods]
    wide = max(map(len, names))
    heads = [wrap(NEIGHBOURHOODS[name], WIDE - 1) for name in result.neighbourhoods]
    deep = max(map(len, heads))
    lines = [
        "  "
        + " " * wide
        + "".join(f"{(deep * [''] + head)[part - deep]:>{WIDE}}" for head in heads)
        for part in range(deep)
    ]
    for i, name in enumerate(names):
        cells = "".join(
            f"{'n/a' if value != value else f'{value:.3f}':>{WIDE}}"  # noqa: PLR0124 - NaN
            for value in entries.value[i]
        )
        lines.append(f"  {name:<{wide}}{cells}")
    what = result.output_names[result.output_index(shown)]
    head = f"  share of the variance of {what} that is missed (0 faithful, 1 a constant)"
    return [head, *(line.rstrip() for line in lines)]


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
