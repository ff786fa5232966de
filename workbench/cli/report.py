"""``workbench report``."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from workbench.cli.candidates import result_files
from workbench.cli.printing import echo
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.core.figures import ChosenFigure
    from workbench.core.results import Result

FORMATS = ("html", "pdf", "json", "zip")
LEVELS = ("summary", "analyst", "auditor")
EXAMPLES = """\b
Examples:
  workbench report out/
  workbench report monday.attribution friday.attribution --out week.html --title "Week 12"
  workbench report out/ --out week.pdf --out week.json --level auditor
  workbench report monday.attribution --figure monday.attribution=waterfall,max_features=3
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
@click.option(
    "--figure", multiple=True, metavar="FILE=VIEW,OPTION=VALUE",
    help="A view to show of the result in a file, with options, in place of the usual figures; may "
    "be repeated.",
)  # fmt: skip
def report(
    results: tuple[Path, ...],
    out: tuple[Path, ...],
    formats: tuple[str, ...],
    level: str,
    title: str,
    comment: tuple[str, ...],
    remark: tuple[str, ...],
    figure: tuple[str, ...],
) -> None:
    """Write one report from RESULTS: result files, or folders of them.

    The cards of their models and what is in their tables are put in where they are on this
    machine and unchanged.
    """
    files = [file for path in results for file in _files_of(path)]
    remarks = _remarks(_of_files("Remark", "TEXT", remark, files))
    wished = _of_files("Figure", "VIEW,OPTION=VALUE", figure, files)
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
            Entry(
                result, remark=remarks.get(file, ""),
                figures=_figures(result, wished.get(file, [])),
            )
            for result, file in zip(loaded, files, strict=True)
        ),
        comment, level, cards, tables,  # type: ignore[arg-type] # click checked the level
    )  # fmt: skip
    for target in targets:
        echo(f"Wrote {write_document(document, target)}")
    for sentence in missing:
        echo(f"Note: {sentence}")


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if found := _results_in(path):
        return found
    raise InvalidInputError(
        f"Folder {str(path)!r} holds no result file; run a command such as workbench "
        "explain with --out."
    )


def _of_files(
    word: str, meant: str, given: tuple[str, ...], files: list[Path]
) -> dict[Path, list[str]]:
    """Read what is written as FILE=…, where FILE is a path or the name of one of the files."""
    found: dict[Path, list[str]] = {}
    for text in given:
        name, sign, said = text.partition("=")
        named = [file for file in files if name in {str(file), file.name}]
        if not sign or not named:
            raise InvalidInputError(
                f"{word} {text!r} belongs to none of the results; write FILE={meant} with one of "
                f"{', '.join(file.name for file in files[:8])}."
            )
        for file in dict.fromkeys(named):  # a file may be named twice, and is then shown twice
            found.setdefault(file, []).append(said)
    return found


def _remarks(given: dict[Path, list[str]]) -> dict[Path, str]:
    for file, said in given.items():
        if len(said) > 1:
            raise InvalidInputError(
                f"File {file.name!r} has {len(said)} remarks; write them as one --remark."
            )
    return {file: said for file, (said,) in given.items()}


def _figures(result: "Result", wished: list[str]) -> "tuple[ChosenFigure, ...]":
    """Return the figures that somebody wishes for of a result.

    Raises
    ------
    InvalidInputError
        If the result does not have one of them, or two are the same.
    """
    from workbench.plots.chosen import fault_of, figure_of  # loads plotly

    figures = tuple(figure_of(type(result), text) for text in wished)
    for number, (text, figure) in enumerate(zip(wished, figures, strict=True)):
        if figure in figures[:number]:
            raise InvalidInputError(f"Figure {text!r} is asked for twice; leave one out.")
        if fault := fault_of(result, figure):
            raise InvalidInputError(f"Figure {text!r} cannot be drawn: {fault}.")
    return figures


def _results_in(folder: Path) -> list[Path]:
    from workbench.core.results import Tabular  # loads torch

    suffixes = {f".{kind.kind}" for kind in get_args(Tabular)}
    return sorted(path for path in folder.iterdir() if path.suffix in suffixes)
