"""The verbs that take explanations in from elsewhere, and in the manner of elsewhere."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import as_table, background_for, opened
from workbench.core.model import Model, Output
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.interop import importing
from workbench.interop.matching import OneHot

if TYPE_CHECKING:
    import pandas as pd


def import_attribution(
    source: Any,
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    output: Output = "probability",
    of: str | int | None = None,
    one_hot: OneHot = "refuse",
    base_values: Any = None,
    made_by: str = "",
) -> Attribution:
    """Take in attributions that another program computed, as a result like any other.

    Figures, checks, reports and measures then work as for our own. Nothing is unpickled.

    Parameters
    ----------
    source
        A ``shap.Explanation``; a NumPy array, tensor, or list of arrays by output; a pandas frame
        or Arrow table; shapiq ``InteractionValues`` of order 1, or a list of one for each row; or
        the path of a CSV, Excel, Parquet or Feather file. Tables have a column for each feature, or
        columns ``feature`` and ``attribution`` with a line for each number; ``row``, ``output``,
        ``base_value`` and ``prediction`` are read where they are there.
    rows
        The rows that were explained, in their order, or more where the source numbers its rows.
    background
        Where no base value comes along, it is the mean of what the model says of these rows; by
        default 100 training rows of the model.
    output
        What was explained: ``probability``, or ``score`` (log-odds, logits).
    of
        Output that the values are of, by name or position, where they are of one and do not say.
    one_hot
        ``sum`` adds the columns of an encoded feature up; by default they are refused.
    base_values
        One number, one for each output, or one for each row and output.
    made_by
        What computed them, in words; it stands in figures and reports.

    Returns
    -------
    An attribution with method ``imported``, whose provenance names the source and its SHA-256, and
    whose notes say what was taken for what.

    Raises
    ------
    WorkbenchError
        If the source cannot be read, or does not fit the model or the rows.
    """
    model, rows = opened(model, rows, 0)
    if background is None:
        background = background_for(model, rows, fewer=True)
    return importing.import_attribution(
        source, model, rows, as_table(background, model, "background"), output=output, of=of,
        one_hot=one_hot, base_values=base_values, made_by=made_by,
    )  # fmt: skip
