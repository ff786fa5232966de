"""``workbench report``."""

from pathlib import Path
from typing import get_args

import click

from workbench.core.errors import InvalidInputError

EXAMPLES = """\b
Examples:
  workbench report out/
  workbench report monday.attribution friday.attribution --out week.html --title "Week 12"
"""


@click.command(no_args_is_help=True, epilog=EXAMPLES)
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="HTML file to write.")
@click.option("--title", default="Explanation report", show_default=True)
@click.option("--comment", multiple=True, help="A paragraph for the top; may be repeated.")
def report(
    results: tuple[Path, ...], out: Path | None, title: str, comment: tuple[str, ...]
) -> None:
    """Write one self-contained HTML file from RESULTS: result files, or folders of them."""
    from workbench import api  # loads plotly

    files: list[Path] = []
    for path in results:
        found = _results_in(path) if path.is_dir() else [path]
        if not found:
            raise InvalidInputError(
                f"Folder {str(path)!r} holds no result file; run a command such as workbench "
                "explain with --out."
            )
        files += found
    target = out or (results[0] if results[0].is_dir() else results[0].parent) / "report.html"
    loaded = [api.load_result(file) for file in files]
    click.echo(f"Wrote {api.write_report(loaded, target, title=title, comments=comment)}")


def _results_in(folder: Path) -> list[Path]:
    from workbench.core.results import Tabular  # loads torch

    suffixes = {f".{kind.kind}" for kind in get_args(Tabular)}
    return sorted(path for path in folder.iterdir() if path.suffix in suffixes)
