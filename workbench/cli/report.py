"""``workbench report``."""

from pathlib import Path
from typing import get_args

import click

from workbench.cli.candidates import result_files
from workbench.core.errors import InvalidInputError

FORMATS = ("html", "pdf", "json", "zip")
LEVELS = ("summary", "analyst", "auditor")
EXAMPLES = """\b
Examples:
  workbench report out/
  workbench report monday.attribution friday.attribution --out week.html --title "Week 12"
  workbench report out/ --out week.pdf --out week.json --level auditor
"""


@click.command(no_args_is_help=True, epilog=EXAMPLES)
@click.argument(
    "results", nargs=-1, required=True, type=click.Path(path_type=Path),
    shell_complete=result_files,
)  # fmt: skip
@click.option(
    "--out", multiple=True, type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: .html, .pdf, .json, or .zip for a CSV file of each result; may be "
    "repeated.",
)  # fmt: skip
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(FORMATS),
    help="Write the report beside the results in this format; may be repeated. [default: html "
    "where no --out is given]",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice(LEVELS), default="analyst", show_default=True,
    help="For whom: answers and caveats, figures and tables as well, or everything.",
)  # fmt: skip
@click.option("--title", default="Explanation report", show_default=True)
@click.option("--comment", multiple=True, help="A paragraph for the top; may be repeated.")
@click.option(
    "--remark", multiple=True, metavar="FILE=TEXT",
    help="What to say of the result in a file; may be repeated.",
)  # fmt: skip
def report(
    results: tuple[Path, ...],
    out: tuple[Path, ...],
    formats: tuple[str, ...],
    level: str,
    title: str,
    comment: tuple[str, ...],
    remark: tuple[str, ...],
) -> None:
    """Write one report from RESULTS: result files, or folders of them.

    The cards of their models and what is in their tables are put in where they are on this
    machine and unchanged.
    """
    files = [file for path in results for file in _files_of(path)]
    remarks = _remarks(remark, files)
    beside = results[0] if results[0].is_dir() else results[0].parent
    chosen = formats or (() if out else ("html",))
    targets = [*out, *(beside / f"report.{name}" for name in chosen)]

    from workbench import api  # loads plotly
    from workbench.report.document import Document, Entry
    from workbench.report.formats import check_format, write_document
    from workbench.report.gathering import gather

    for target in targets:
        check_format(target)
    loaded = [api.load_result(file) for file in files]
    cards, tables, missing = gather(loaded)
    document = Document(
        title,
        tuple(
            Entry(result, remark=remarks.get(file, ""))
            for result, file in zip(loaded, files, strict=True)
        ),
        comment, level, cards, tables,  # type: ignore[arg-type] # click checked the level
    )  # fmt: skip
    for target in targets:
        click.echo(f"Wrote {write_document(document, target)}")
    for sentence in missing:
        click.echo(f"Note: {sentence}")


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if found := _results_in(path):
        return found
    raise InvalidInputError(
        f"Folder {str(path)!r} holds no result file; run a command such as workbench "
        "explain with --out."
    )


def _remarks(given: tuple[str, ...], files: list[Path]) -> dict[Path, str]:
    """Read remarks as FILE=TEXT, where FILE is a path or the name of one of the files."""
    found: dict[Path, str] = {}
    for text in given:
        name, sign, said = text.partition("=")
        meant = [file for file in files if name in {str(file), file.name}]
        if not sign or not meant:
            raise InvalidInputError(
                f"Remark {text!r} belongs to none of the results; write FILE=TEXT with one of "
                f"{', '.join(file.name for file in files[:8])}."
            )
        found |= dict.fromkeys(meant, said)
    return found


def _results_in(folder: Path) -> list[Path]:
    from workbench.core.results import Tabular  # loads torch

    suffixes = {f".{kind.kind}" for kind in get_args(Tabular)}
    return sorted(path for path in folder.iterdir() if path.suffix in suffixes)
