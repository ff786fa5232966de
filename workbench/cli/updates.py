"""``workbench churn`` and ``workbench mitigate``."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MethodCommand, labelled_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, labelled_rows
from workbench.core.wording import percent

if TYPE_CHECKING:
    from workbench.core.results import Churn, Mitigation

CHURN_EXAMPLES = """\b
Examples:
  workbench churn german-mlp german
  workbench churn adult-mlp adult --update adult-linear
  workbench churn german-mlp german --explorers auto,gaussian-weights --push --out out/
"""
MITIGATE_EXAMPLES = """\b
Examples:
  workbench mitigate german-mlp german
  workbench mitigate german-mlp german --tolerance 0.01 --judged-largest 20 --out out/
"""
TOP, WIDE = 10, 11


@click.command(cls=MethodCommand, no_args_is_help=True, epilog=CHURN_EXAMPLES, yields="churn")
@labelled_options
@click.option("--update", help="Model that replaced MODEL, to hold against what was foreseen.")
@click.option("--tolerance", type=float, help="Tolerance to tell of. [default: the largest]")
@click.option("--by", help="Column or `decision` that groups are made by. [default: the first]")
def churn(
    update: str | None, tolerance: float | None, by: str | None, **flags: Any,
) -> None:  # fmt: skip
    """Say which decisions about rows of TABLE would change if another model replaced MODEL.

    Prospective models are as good as MODEL on validation rows of TABLE; what is told is about its
    test rows. With --update: which decisions a model that replaced it did change, and whether
    that was foreseen.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish(
        "churn",
        "Foreseeing",
        partial(_churn_summary, tolerance=tolerance, by=by),
        read=labelled_rows,
        update=update,
        **flags,
    )


@click.command(
    cls=MethodCommand, no_args_is_help=True, epilog=MITIGATE_EXAMPLES, yields="mitigation"
)
@labelled_options
def mitigate(**flags: Any) -> None:
    """Say what makes decisions of MODEL about rows of TABLE less arbitrary.

    Averages near-copies of MODEL that are as good and has ensembles judged by explorers that did
    and did not build them; refuses rows that equally good models disagree about.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    finish("mitigate", "Averaging", _mitigation_summary, read=labelled_rows, **flags)


def _churn_summary(result: "Churn", tolerance: float | None, by: str | None) -> str:
    from workbench.plots.churn_groups import groupings_of  # loads plotly
    from workbench.plots.churn_words import churn_sentence, group_sentence, update_sentence

    lines = [churn_sentence(result, tolerance)]
    if by is not None or groupings_of(result):
        lines.append(group_sentence(result, by, tolerance))
    if result.update:
        lines.append(update_sentence(result, tolerance))
    lines += ["", *_by_tolerance(result), "", *_most_likely(result, tolerance)]
    return "\n".join([*lines, "", *trust_lines(result)])


def _by_tolerance(result: "Churn") -> list[str]:
    """List what changes at each tolerance; a star where it cannot be told from 0."""
    shown = ["expected", "worst", "smoothed", "pairwise", "fixes", "breaks", "bound"]
    lines = ["".join(f"{head:>{WIDE}}" for head in ("tolerance", "models", *shown))]
    stars = False
    for line in result.to_frame().to_dict("records"):
        below = line["tolerance"] < 2 * line["noise"]
        stars = stars or below
        cells = [f"{line['tolerance']:.3g}{'*' * below}", f"{line['models']:,}"]
        cells += ["-" if line[name] != line[name] else percent(line[name]) for name in shown]
        lines.append("".join(f"{cell:>{WIDE}}" for cell in cells))
    return [*lines, *(["  * cannot be told from 0"] if stars else [])]


def _most_likely(result: "Churn", tolerance: float | None) -> list[str]:
    """List the rows that most models decide otherwise."""
    frame = result.rows_frame(tolerance)
    frame = frame[frame["flips"] > 0].head(TOP)
    if not len(frame):
        return []
    columns = (frame[name] for name in ("row", "decision", "flips", "low", "high"))
    lines = [
        f"  {percent(share):>7} ({percent(low)} to {percent(high)})   row {row}, now {_said(now)}"
        for row, now, share, low, high in zip(*columns, strict=True)
    ]
    return ["  likeliest to change (share of models, 95 %)", *lines]


def _said(decision: Any) -> str:
    return decision if isinstance(decision, str) else f"{decision:.4g}"


def _mitigation_summary(result: "Mitigation") -> str:
    from workbench.core.mitigation import MEASURED
    from workbench.plots.mitigation import TITLES, judge_name  # loads plotly
    from workbench.plots.mitigation_words import (
        abstention_sentence,
        by_construction_sentence,
        ensemble_sentence,
        selection_sentence,
    )
    from workbench.plots.words import number

    tell = (
        ensemble_sentence, by_construction_sentence, abstention_sentence, selection_sentence
    )  # fmt: skip
    lines = [sentence(result) for sentence in tell]
    for q, metric in enumerate(MEASURED):
        values = result.metrics[:, :, q]
        if not (values == values).any():  # noqa: PLR0124 - NaN
            continue
        lines += ["", f"  {TITLES[metric]}, by members of an ensemble (95 %)"]
        for j, judge in enumerate(result.judges):
            lines.append(f"    {judge_name(result, judge)}")
            lines += [
                f"      {size:>4}  {number(value)} ({number(low)} to {number(high)})"
                for size, (value, low, high) in zip(result.sizes, values[j], strict=True)
                if value == value  # noqa: PLR0124 - NaN
            ]
    return "\n".join([*lines, "", *trust_lines(result)])
