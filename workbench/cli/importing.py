"""``workbench import-attribution``, and what commands do with an explanation from elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.options import MODEL, SPLIT, TABLE
from workbench.cli.printing import echo
from workbench.cli.results import as_json, check_folder, write_result
from workbench.cli.running import Asked, check_output, rows_and_background
from workbench.core.errors import InvalidInputError

if TYPE_CHECKING:
    from workbench.core.model import Model
    from workbench.core.results import Attribution
    from workbench.core.table import Table

EXAMPLES = """\b
Examples:
  workbench import-attribution adult-mlp adult shap_values.csv --rows 0:200 --class ">50K"
  workbench import-attribution adult-mlp people.csv ig.parquet --one-hot sum --out out/
  workbench report out/
"""


@click.command(name="import-attribution", no_args_is_help=True, epilog=EXAMPLES)
@MODEL
@TABLE
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--rows", "--row", default="0:", show_default=True,
    help="Rows that were explained, in their order: 5, 0:200, or 3,7,11. Where SOURCE has a column "
    "row, it says which of these.",
)  # fmt: skip
@SPLIT
@click.option("--class", "shown", help="Output that the attributions are of, if they do not say.")
@click.option(
    "--output", type=click.Choice(["probability", "score"]), default="probability",
    show_default=True, help="What was explained: probabilities, or log-odds and logits.",
)  # fmt: skip
@click.option(
    "--one-hot", type=click.Choice(["refuse", "sum"]), default="refuse", show_default=True,
    help="Whether to add up the columns of an encoded feature.",
)  # fmt: skip
@click.option("--base", type=float, help="Base value, if SOURCE has no column base_value.")
@click.option("--made-by", default="", help="What computed them, for figures and reports.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
@click.option(
    "--ignore-extra-columns", is_flag=True, help="Leave out columns of TABLE unknown to the model."
)
@click.option("--json", "as_text", is_flag=True, help="Print everything as JSON.")
def import_attribution(
    model: str, table: str, source: Path, rows: str, split: str | None, shown: str | None,
    output: str, one_hot: str, base: float | None, made_by: str, out: Path | None,
    ignore_extra_columns: bool, as_text: bool,
) -> None:  # fmt: skip
    """Take in attributions of MODEL for rows of TABLE that another program wrote to SOURCE.

    SOURCE is a CSV, Excel, Parquet or Feather file with a column for each feature, or with columns
    feature and attribution and a line for each number. Columns row, output, base_value and
    prediction are read where they are there. Afterwards they are a result like any other: report
    it, or hold it against ours with `workbench measure --given`.
    """
    from workbench import api  # loads torch
    from workbench.cli.explain import summary

    if out is not None:
        check_folder(out)
    chosen = api.load_model(model)
    check_output(chosen, shown)
    selected = api.load_table(
        table, rows=rows, split=split, model=chosen, ignore_extra=ignore_extra_columns
    )
    given: dict[str, Any] = {"output": output, "one_hot": one_hot, "of": shown}
    result = api.import_attribution(
        source, chosen, selected, base_values=base, made_by=made_by, **given
    )
    for path in write_result(result, out) if out else []:
        echo(f"Wrote {path}", err=as_text)
    echo(as_json(result) if as_text else summary(result, result.output_index(shown)))


def given_option(command: Any) -> Any:
    """Add the flag that names an explanation from elsewhere."""
    return click.option(
        "--given",
        type=click.Path(path_type=Path),
        help="Attributions that were made elsewhere, to stand beside ours: a table, or a result "
        "of `explain` or `import-attribution`. Only rows that they explain are looked at.",
    )(command)


def rows_beside(given: Path | None, model: "Model", asked: Asked) -> dict[str, Any]:
    """Read rows and background, and the explanation from elsewhere that stands beside ours."""
    tables: dict[str, Any] = rows_and_background(model, asked)
    if given is not None:
        tables["given"], tables["rows"] = _read_beside(given, model, tables["rows"], asked.output)
    return tables


def _read_beside(
    path: Path, model: "Model", rows: "Table", output: str | None
) -> "tuple[Attribution, Table]":
    """Read an explanation from elsewhere, and the rows that it explains."""
    import numpy as np

    from workbench import api  # loads torch
    from workbench.jobs.given import SUFFIX, attribution_in

    if path.suffix == SUFFIX:
        given = attribution_in(path)
    else:
        settings: dict[str, Any] = {} if output is None else {"output": output}
        given = api.import_attribution(path, model, rows, **settings)
    explained = np.flatnonzero(np.isin(rows.ids.numpy(), given.ids))
    if not len(explained):
        raise InvalidInputError(
            f"{str(path)!r} explains none of the rows that were chosen; choose others with --rows."
        )
    return given, rows[explained]
