"""``workbench remedies``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.options import MethodCommand, labelled_options, progress_bar, read_labelled
from workbench.cli.results import as_json, check_folder, trust_lines, write_result
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.core.results import Remedies

EXAMPLES = """\b
Examples:
  workbench remedies adult-mlp adult --by sex
  workbench remedies adult-mlp adult --try masking,selection --mask sex,relationship --out out/
  workbench remedies german-mlp german --by age --bins age=25 --save reweighing=credit-even
"""


@click.command(
    "remedies", cls=MethodCommand, no_args_is_help=True, epilog=EXAMPLES, yields="remedies"
)
@partial(labelled_options)
@click.option(
    "--try", "wished", help="What to try, separated by commas; another name for --remedies."
)
@click.option(
    "--save", "kept", metavar="REMEDY=NAME",
    help="Publish the network that a remedy leaves as a model of this name.",
)  # fmt: skip
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path),
    help="Registry folder to publish in. [default: the one in use]",
)  # fmt: skip
def remedies(
    model: str, table: str, rows: str | None, split: str, seed: int, device: str | None,
    out: Path | None, ignore_extra_columns: bool, as_text: bool, wished: str | None,
    kept: str | None, into: Path | None, **params: str | None,
) -> None:  # fmt: skip
    """Say what would lessen a gap between groups under MODEL, what it costs, and who pays.

    Each remedy is fitted on the training rows of TABLE, chosen on its validation rows, and
    reported on the others. Networks are trained again, which may take minutes.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    from workbench import api  # loads torch

    given = {name: value for name, value in params.items() if value is not None}
    if wished is not None:
        if "remedies" in given:
            raise InvalidInputError("--try and --remedies say the same; give one of them.")
        given["remedies"] = wished
    saved = None if kept is None else _what_to_save(kept)
    chosen = api.load_model(model)
    selected, whole = read_labelled(
        chosen, table, rows, split=split, ignore_extra=ignore_extra_columns, by=given.get("by")
    )
    if out is not None:
        check_folder(out)
    with progress_bar("Trying remedies") as progress:
        result = api.remedies(
            chosen, whole, selected, seed=seed, device=device, progress=progress, **given
        )
    if saved is not None:
        result.index(saved[0])  # whether it was tried
    for path in write_result(result, out) if out else []:
        click.echo(f"Wrote {path}", err=as_text)
    click.echo(as_json(result) if as_text else _summary(result))
    if saved is None:
        return
    remedy, name = saved
    given.pop("remedies", None)
    with progress_bar(f"Making {name}") as progress:
        made = api.remedied_model(
            chosen, whole, remedy, selected, publish_as=name, root=into, seed=seed, device=device,
            progress=progress, **given,
        )  # fmt: skip
    click.echo(f"Published {made.name}", err=as_text)


def _what_to_save(text: str) -> tuple[str, str]:
    """Read ``reweighing=credit-even``."""
    remedy, equals, name = (part.strip() for part in text.partition("="))
    if not (remedy and equals and name):
        raise InvalidInputError(
            f"--save: {text!r} does not name a remedy and a model; write for example "
            "--save reweighing=credit-even."
        )
    return remedy, name


def _summary(result: "Remedies") -> str:
    from workbench.plots.remedies_words import (  # loads plotly
        multiplicity_sentence,
        remedies_sentence,
    )
    from workbench.plots.words import counting_sentence

    said = [
        remedies_sentence(result), *filter(None, [counting_sentence(result)]),
        multiplicity_sentence(result),
    ]  # fmt: skip
    parts = [*said, "", *_table(result)]
    for r in range(1, len(result.names)):
        parts += ["", *_lines(result, r)]
    return "\n".join([*parts, "", *trust_lines(result)])


def _table(result: "Remedies") -> list[str]:
    """Gap and accuracy of each remedy, below each other."""
    from workbench.core.fairness_metrics import GAPS
    from workbench.plots.remedies_words import (
        change_told,
        gap_change_told,
        interval_told,
        verdict,
    )

    wide, q = max(map(len, result.titles)), result.gap_index
    lines = [f"  {GAPS[result.gap].title} by {result.attribute}, and accuracy; changes in points"]
    for r, name in enumerate(result.titles):
        gap, right = interval_told(result.gaps[r, q], result.gap), interval_told(result.accuracy[r])
        if r:
            gap = f"{gap}, change {gap_change_told(result, r, result.gap)}"
            right = f"{right}, change {change_told(result.accuracy_changes[r])}"
            right = f"{right}: {verdict(result, r)}"
        lines.append(f"  {name:<{wide}}  {gap}; {right}")
    return lines


def _lines(result: "Remedies", r: int) -> list[str]:
    from workbench.core.remedy_catalogue import REMEDIES
    from workbench.plots.remedies_words import cautions, gaps_sentence, remedy_sentence

    said = [remedy_sentence(result, r), gaps_sentence(result, r)]
    against = (*cautions(result, r), REMEDIES[result.names[r]].watch)
    return [*said, *(f"  - {text}" for text in against)]
