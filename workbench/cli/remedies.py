"""``workbench remedies``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import FOLDER, MethodCommand, labelled_options
from workbench.cli.results import trust_lines
from workbench.cli.running import finish, labelled_rows, running
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.cli.running import Done
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
@labelled_options
@click.option(
    "--try", "wished", help="What to try, separated by commas; another name for --remedies."
)
@click.option(
    "--save", "kept", metavar="REMEDY=NAME",
    help="Publish the network that a remedy leaves as a model of this name.",
)  # fmt: skip
@click.option(
    "--into", type=FOLDER,
    help="Registry folder to publish in. [default: the one in use]",
)  # fmt: skip
def remedies(
    wished: str | None, kept: str | None, into: Path | None, remedies: str | None, **flags: Any
) -> None:
    """Say what would lessen a gap between groups under MODEL, what it costs, and who pays.

    Each remedy is fitted on the training rows of TABLE, chosen on its validation rows, and
    reported on the others. Networks are trained again, which may take minutes.

    MODEL is a name from `workbench list` (name, name@version) or a folder; TABLE is a bundled
    name or a file with the column that the model predicts.
    """
    if wished is not None and remedies is not None:
        raise InvalidInputError("--try and --remedies say the same; give one of them.")
    tried = wished or remedies
    then = None
    if kept is not None:
        remedy, name = _what_to_save(kept)
        _check_tried(remedy, tried)
        then = partial(_save, remedy=remedy, name=name, into=into, flags=flags)
    elif into is not None:
        raise InvalidInputError("Say which remedy to publish: --save REMEDY=NAME.")
    finish(
        "remedies", "Trying remedies", _summary, read=labelled_rows, then=then, remedies=tried,
        **flags,
    )  # fmt: skip


def _save(done: "Done", *, remedy: str, name: str, into: Path | None, flags: dict[str, Any]) -> str:
    from workbench import api

    settings = {k: v for k, v in done.settings.items() if k != "remedies"}
    with running(f"Making {name}", flags["memory"]) as progress:
        made = api.remedied_model(
            done.model, done.tables["table"], remedy, done.tables["rows"], publish_as=name,
            root=into, seed=flags["seed"], device=flags["device"], progress=progress, **settings,
        )  # fmt: skip
    return f"Published {made.name}"


def _check_tried(remedy: str, tried: str | None) -> None:
    """Refuse to publish what will not have been tried, before networks are trained.

    Raises
    ------
    InvalidInputError
        If there is no such remedy, or others are asked for.
    """
    from workbench.core.remedy_catalogue import AS_IS, REMEDIES  # loads torch
    from workbench.core.schema import listing

    known = [name for name in REMEDIES if name != AS_IS]
    if tried is not None:
        known = [name for part in tried.split(",") if (name := part.strip())]
    if remedy not in known:
        raise InvalidInputError(
            f"--save: {remedy!r} is not among the remedies that are tried; choose one of "
            f"{listing(known, 20)}."
        )


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
