"""The verbs that take explanations in from elsewhere, and in the manner of elsewhere."""

from typing import TYPE_CHECKING, Any

from torch import Tensor

from workbench.api.inputs import as_table, background_for, named, opened
from workbench.core.model import Model, Output
from workbench.core.results import Attribution
from workbench.core.table import Table
from workbench.interop import captum, importing
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
    model
        A model, or its name as ``load_model`` takes it.
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


def attribute(
    model: Model | str,
    inputs: Tensor,
    baselines: float | Tensor | None = None,
    target: captum.Target = None,
    *,
    method: str = "auto",
    return_convergence_delta: bool = False,
    seed: int = 0,
    **params: Any,
) -> Tensor | tuple[Tensor, Tensor]:
    """Explain rows in the manner of Captum: a tensor in, a tensor of the same shape out.

    What differs from Captum: the model is one of ours, inputs are its raw features (categories as
    codes) rather than what its network reads, and ``baselines`` are background rows for all rows
    together.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    inputs
        Rows by features, in the model's order.
    baselines
        A number for every feature, one row, or background rows; by default 100 training rows of
        the model, as for ``explain``, where Captum takes zeros.
    target
        Position of the output, one for all rows or one for each; may be left out where there is
        one output.
    method
        A name of ours, or of Captum's class: ``IntegratedGradients``, ``GradientShap``,
        ``DeepLift``, ``DeepLiftShap``, ``KernelShap``, ``ShapleyValueSampling``,
        ``ShapleyValues``.
    return_convergence_delta
        Return also what the sums miss, one number for each row.
    seed
        Of the background and of methods that sample; the same seed gives the same bits.
    params
        Settings of the method; ``output="score"`` explains log-odds or logits.

    Returns
    -------
    Attributions with shape, precision and device of ``inputs``; ``explain`` gives the same with
    errors, checks and provenance.

    Raises
    ------
    InvalidInputError
        If inputs, baselines, target or method do not fit the model.
    """
    model = named(model)
    if baselines is None:
        rows = captum.table_of(inputs, model.schema, "inputs")
        background = background_for(model, rows, seed=seed, fewer=True)
    else:
        background = captum.baseline_rows(baselines, model.schema)
    values, delta = captum.attribute(
        model, inputs, background, target=target, method=method, seed=seed, **params
    )
    return (values, delta) if return_convergence_delta else values
