"""``workbench run``."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from workbench.cli.options import progress_bar
from workbench.cli.printing import echo
from workbench.cli.results import MARKS
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.analysis import AnalysisRun, StepRun
    from workbench.analysis.verdicts import Verdict

EXAMPLES = """\b
Examples:
  workbench run docs/examples/adult.yaml --out out/
  workbench run out/analysis.yaml --against out/
  workbench run credit.yaml --model my:credit@1=./credit --table my:credit=credit.csv --out out/
  workbench run adult.yaml --only shap --seed 1 --json
"""
SAYS = """\b
Exit codes: 0 all is well; 1 a step failed, or something given does not fit; 3 a condition of
fail_if holds, or numbers differ from an earlier run by more than the tolerance; 130 cancelled.
"""


@click.command(no_args_is_help=True, epilog=f"{EXAMPLES}\n{SAYS}")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path),
    help="Folder for results, tables, report and notebook; an earlier run there is replaced.",
)  # fmt: skip
@click.option("--only", multiple=True, metavar="STEP", help="Run this step; may be repeated.")
@click.option(
    "--model", "models", multiple=True, metavar="NAME=REFERENCE",
    help="Take another model or folder where the file says NAME.",
)  # fmt: skip
@click.option(
    "--table", "tables", multiple=True, metavar="NAME=REFERENCE",
    help="Take another table or file where the file says NAME.",
)  # fmt: skip
@click.option(
    "--given", multiple=True, metavar="NAME=FILE",
    help="Take another explanation from elsewhere where the file says NAME.",
)  # fmt: skip
@click.option(
    "--changed-is-fine", is_flag=True,
    help="Run on models and tables that are not those of the file, and say so.",
)  # fmt: skip
@click.option(
    "--against", type=click.Path(file_okay=False, path_type=Path),
    help="Folder of an earlier run to compare every number with.",
)  # fmt: skip
@click.option(
    "--reuse", is_flag=True,
    help="Take results from the earlier run in --out where all that decides them is the same.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write into a folder of other things, which are kept.")
@click.option("--seed", type=click.IntRange(min=0), help="Instead of the seeds in the file.")
@click.option("--device", help="auto, cpu, cuda or mps. [default: those in the file]")
@click.option(
    "--level", type=click.Choice(["summary", "analyst", "auditor"]), help="For whom the report is."
)
@click.option("--pdf", is_flag=True, help="Print the report as well.")
@click.option("--json", "as_text", is_flag=True, help="Print what came out as JSON.")
def run(
    file: Path, out: Path | None, only: tuple[str, ...], models: tuple[str, ...],
    tables: tuple[str, ...], given: tuple[str, ...], changed_is_fine: bool,
    against: Path | None, reuse: bool, force: bool, seed: int | None, device: str | None,
    level: Literal["summary", "analyst", "auditor"] | None, pdf: bool, as_text: bool,
) -> None:  # fmt: skip
    """Run the analysis in FILE again: every step, and whether its conditions hold.

    FILE is YAML, as the page Report downloads it; docs/analysis-files.md says what is in it.
    """
    instead = [_pairs("--model", models), _pairs("--table", tables), _pairs("--given", given)]
    if out is None and (reuse or pdf):
        flag = "--reuse" if reuse else "--pdf"
        raise InvalidInputError(f"{flag} needs a folder; name one with --out.")
    from workbench import api  # loads torch

    with progress_bar("Running") as progress:
        done = api.run_analysis(
            file, out=out, only=only, models=instead[0], tables=instead[1],
            given=instead[2], seed=seed, device=device, changed_is_fine=changed_is_fine,
            against=against, reuse=reuse, force=force, level=level, pdf=pdf, progress=progress,
        )  # fmt: skip
    echo(json.dumps(done.summary(), indent=2, allow_nan=False) if as_text else _told(done, out))
    for reason in done.faults or done.reasons:
        echo(f"{'Error' if done.faults else 'Failed'}: {reason}", err=True)
    if done.exit_code:
        sys.exit(done.exit_code)


def _pairs(flag: str, given: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, reference = text.partition("=")
        if not (name and equals and reference):
            raise InvalidInputError(
                f"{flag} {text[:80]!r} is not understood; write the name in the file, =, and what "
                "to take instead, such as my:credit@1=./credit."
            )
        if pairs.get(name, reference) != reference:
            raise InvalidInputError(
                f"{flag} says twice what to take for {name[:80]!r}; give one of them."
            )
        pairs[name] = reference
    return pairs


def _told(done: "AnalysisRun", out: Path | None) -> str:
    lines = [done.analysis.title, *map(_of_step, done.steps)]
    lines += [f"  {MARKS['warning']} {said}" for said in done.changed]
    if done.verdicts:
        lines += ["", "Conditions:", *map(_of_condition, done.verdicts)]
    if done.comparisons:
        lines += ["", "Against the earlier run:"]
        lines += [
            f"  {MARKS['ok' if other.is_within else 'failure']} {other.describe()}"
            for other in done.comparisons
        ]
    if out is not None:
        lines += ["", f"Wrote {out}"]
    return "\n".join(lines)


def _of_condition(verdict: "Verdict") -> str:
    status = "ok" if verdict.holds is False else "failure"
    return f"  {MARKS[status if verdict.is_asked else 'not_applicable']} {verdict.sentence}"


def _of_step(run: "StepRun") -> str:
    if run.result is None:
        return f"  {MARKS['failure']} {run.step.id}: {run.error}"
    how = "taken from the earlier run" if run.reused else f"{run.seconds:.1f} s"
    same = {None: "", True: ", the numbers that were expected, bit for bit"}.get(
        run.as_expected, ", other numbers than expected (--against says how far)"
    )
    mark = "warning" if run.as_expected is False else "ok"
    return f"  {MARKS[mark]} {run.step.id}: {run.step.method}, {how}{same}"
