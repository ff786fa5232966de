"""The verbs about simple functions that stand in for a model near rows."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import described
from workbench.api.methods import local_method
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import (
    Attribution,
    Faithfulness,
    LocalFunctions,
    LocalModels,
    Measures,
    ScaleCurves,
)
from workbench.core.table import Table
from workbench.engines import lfa
from workbench.engines.lime import fit_local_models

if TYPE_CHECKING:
    import pandas as pd


def lime(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    method: str = "tabular",
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> LocalModels:
    """Fit a sparse linear model around each row, and say how well it fits; frames as ``explain``.

    The background says which values occur and how often; it defaults to at most 2,000 training
    rows. Method ``reference`` has the package ``lime`` do it, for comparison.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = described(model, rows, background, seed)
    return fit_local_models(
        model, rows, background, method=local_method(method), seed=seed, device=device,
        progress=progress, **params,
    )  # fmt: skip


def faithfulness(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    given: Attribution | None = None,
    **params: Any,
) -> Faithfulness:
    """Explain rows by every method, and say what each misses in each neighbourhood.

    ``advise`` reads off which explanation answers a question. Background and frames as for
    ``lime``. ``given`` is an attribution of the same rows to be looked at beside the others, such
    as one of ``import_attribution``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = described(model, rows, background, seed)
    return lfa.compare_explanations(
        model,
        rows,
        background,
        seed=seed,
        device=device,
        progress=progress,
        given=given,
        **params,
    )


def local_functions(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> LocalFunctions:
    """Fit a simple function around each row: choose the neighbourhood, the function and the loss.

    Background and frames as for ``lime``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = described(model, rows, background, seed)
    return lfa.fit_functions(
        model, rows, background, seed=seed, device=device, progress=progress, **params
    )


def scale_curves(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> ScaleCurves:
    """Say what the best linear function misses of the model as a neighbourhood grows.

    Background and frames as for ``lime``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = described(model, rows, background, seed)
    return lfa.scale_curves(
        model, rows, background, seed=seed, device=device, progress=progress, **params
    )


def measures(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    given: Attribution | None = None,
    **params: Any,
) -> Measures:
    """Measure the explanations of ``faithfulness`` as the literature does, method by method.

    Background and frames as for ``lime``. ``given`` is an attribution of the same rows to be
    measured beside the others, such as one of ``import_attribution``; what would ask for it again
    on other rows is not defined for it.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = described(model, rows, background, seed)
    return lfa.measure_explanations(
        model,
        rows,
        background,
        seed=seed,
        device=device,
        progress=progress,
        given=given,
        **params,
    )
