"""The verbs about simple functions that stand in for a model near rows."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import described
from workbench.api.methods import local_method
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
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
from workbench.engines.calls import call

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
    """Fit a sparse linear model around each row, and say how well it fits.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to explain: a table, or a pandas frame, which is read with the model's
        schema as a file would be.
    background
        Rows ``[m, d]`` that say which values occur and how numbers spread; by default at most
        2,000 training rows of the model, or 100 of ``rows`` where those are not here.
    method
        ``tabular``, or ``reference`` to have the package ``lime`` do it, for comparison.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``lime.tabular`` or ``lime.reference``, such as ``sampling``, ``num_features``
        and ``perturbations``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Ribeiro, Singh and Guestrin (2016), "Why Should I Trust You?".
    """
    return call(
        LocalModels, local_method(method), *described(model, rows, background, seed),
        params=params, seed=seed, device=device, progress=progress,
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

    ``advise`` reads off which explanation answers a question.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to explain: a table, or a pandas frame, which is read with the model's
        schema as a file would be.
    background
        Rows ``[m, d]`` that say which values occur and how numbers spread; by default at most
        2,000 training rows of the model, or 100 of ``rows`` where those are not here.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    given
        An attribution of the same rows that was made elsewhere, to be looked at beside the others,
        such as one of ``import_attribution``.
    params
        Settings of ``lfa.matrix``, such as ``perturbations``, ``scale`` and ``output``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, or the model has no finite answer; the message names it and
        the fix.

    References
    ----------
    Han, Srinivas and Lakkaraju (2022), Which Explanation Should I Choose?
    """
    return call(
        Faithfulness, "lfa.matrix", *described(model, rows, background, seed),
        params=params, seed=seed, device=device, progress=progress,
        given=_checked(given),
    )  # fmt: skip


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

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to explain: a table, or a pandas frame, which is read with the model's
        schema as a file would be.
    background
        Rows ``[m, d]`` that say which values occur and how numbers spread; by default at most
        2,000 training rows of the model, or 100 of ``rows`` where those are not here.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``lfa.fit``, such as ``operator``, ``law``, ``function`` and ``loss``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit together, or the model cannot do what is asked of it; the
        message names it and the fix.

    References
    ----------
    Han, Srinivas and Lakkaraju (2022), Which Explanation Should I Choose?
    """
    return call(
        LocalFunctions, "lfa.fit", *described(model, rows, background, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


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

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to explain: a table, or a pandas frame, which is read with the model's
        schema as a file would be.
    background
        Rows ``[m, d]`` that say which values occur and how numbers spread; by default at most
        2,000 training rows of the model, or 100 of ``rows`` where those are not here.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``lfa.scales``, such as ``operator``, ``smallest``, ``largest`` and ``count``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Han, Srinivas and Lakkaraju (2022), Which Explanation Should I Choose?
    """
    return call(
        ScaleCurves, "lfa.scales", *described(model, rows, background, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def _checked(given: Any) -> Attribution | None:
    """Return an explanation from elsewhere as it is, or refuse what is none yet."""
    if given is None or isinstance(given, Attribution):
        return given
    raise InvalidInputError(
        f"What is given must be an Attribution, got {type(given).__name__}; take it in with "
        "import_attribution first."
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

    With the same seed and settings they are those of ``faithfulness``.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to explain: a table, or a pandas frame, which is read with the model's
        schema as a file would be.
    background
        Rows ``[m, d]`` that say which values occur and how numbers spread; by default at most
        2,000 training rows of the model, or 100 of ``rows`` where those are not here.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    given
        An attribution of the same rows to be measured beside the others, such as one of
        ``import_attribution``; what would ask for it again on other rows is not defined for it.
    params
        Settings of ``lfa.measures``, such as ``repeats``, ``copies`` and ``networks``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, or the model has no finite answer; the message names it and
        the fix.

    References
    ----------
    Yeh et al. (2019), On the (In)fidelity and Sensitivity of Explanations; Bhatt, Weller and Moura
    (2020), Evaluating and Aggregating Feature-based Model Explanations; Agarwal et al. (2022),
    Rethinking Stability for Attribution-based Explanations.
    """
    return call(
        Measures, "lfa.measures", *described(model, rows, background, seed),
        params=params, seed=seed, device=device, progress=progress,
        given=_checked(given),
    )  # fmt: skip
