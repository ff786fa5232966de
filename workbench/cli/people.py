"""``workbench people``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import (
    MethodCommand,
    labelled_options,
    progress_bar,
    read_labelled,
)
from workbench.cli.results import as_json, check_folder, trust_lines, write_result

if TYPE_CHECKING:
    from workbench.core.results import BoundaryPeople

EXAMPLES = """\b
Examples:
  workbench people german-mlp german --who wrongly_refused
  workbench people adult-mlp adult --people 12547 --models 1000
  workbench people german-mlp german --by age --bins age=25 --out out/
"""


@click.command(cls=MethodCommand, yields="boundary_people", no_args_is_help=True, epilog=EXAMPLES)
@labelled_options
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True,
              help="People to tell about.")  # fmt: skip
def people(
    *, model: str, table: str, rows: str | None, split: str, seed: int, device: str | None,
    out: Path | None, ignore_extra_columns: bool, as_text: bool, top: int,
    **params: str | None,
) -> None:  # fmt: skip
    """Say who MODEL decides narrowly among the rows of TABLE, and what would have changed it.

    For the closest to the decision: what equally good models decide, what another level of a
    protected column would do, and who is most alike and decided otherwise.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file. Other models are asked where TABLE has the column that the model predicts.
    """
    from workbench import api  # loads torch

    chosen = api.load_model(model)
    selected, whole = read_labelled(
        chosen, table, rows, split=split, ignore_extra=ignore_extra_columns
    )
    if out is not None:
        check_folder(out)
    given: dict[str, Any] = {name: value for name, value in params.items() if value is not None}
    with progress_bar("Looking") as progress:
        result = api.boundary_people(
            chosen, selected, whole, seed=seed, device=device, progress=progress, **given
        )
    for path in write_result(result, out) if out else []:
        click.echo(f"Wrote {path}", err=as_text)
    click.echo(as_json(result) if as_text else _summary(result, top))


def _summary(result: "BoundaryPeople", top: int) -> str:
    from workbench.plots import boundary_words as words  # loads plotly

    lines = [
        words.people_sentence(result), words.chosen_sentence(result),
        words.tolerance_sentence(result), "",
    ]  # fmt: skip
    for row in (int(row) for row in result.ids[result.chosen[:top]]):
        lines += [
            words.person_sentence(result, row),
            f"  {words.flip_sentence(result, row)}",
            f"  {words.neighbour_sentence(result, row)}",
            "",
        ]
    if (left := len(result.chosen) - top) > 0:
        lines += [f"and {left:,} more (--out writes them all)", ""]
    return "\n".join([*lines, *trust_lines(result)])
