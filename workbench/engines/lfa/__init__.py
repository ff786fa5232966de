"""Explanations as local functions, and how far each can be believed."""

from functools import partial
from typing import Any

from workbench.core.context import Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.results import Attribution, Faithfulness, LocalFunctions, Measures, ScaleCurves
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.lfa import fit, matrix, measures, scales

__all__ = [
    "METHODS", "compare_explanations", "fit_functions", "measure_explanations", "scale_curves",
]  # fmt: skip


def compare_explanations(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    given: Attribution | None = None,
    **params: Any,
) -> Faithfulness:
    """Explain rows by every method that the model allows, and say what each misses where.

    Parameters
    ----------
    background
        Says how far numbers spread, which values occur, and what the reference row is.
    given
        An attribution of the same rows that was made elsewhere, to be looked at beside the others.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``MatrixParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not fit, or the model has no finite answer.
    """
    return call(
        Faithfulness, matrix.NAME, model, rows, background, seed=seed, device=device,
        progress=progress, params=params, explain=partial(matrix.explain, given=given),
    )  # fmt: skip


def measure_explanations(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    given: Attribution | None = None,
    **params: Any,
) -> Measures:
    """Explain rows by every method that the model allows, and measure the explanations.

    With the same seed and settings they are those of ``compare_explanations``.

    Parameters
    ----------
    background
        Says how far numbers spread, which values occur, and what the reference row is.
    given
        An attribution of the same rows that was made elsewhere, to be looked at beside the others.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``MeasureParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not fit, or the model has no finite answer.
    """
    return call(
        Measures, measures.NAME, model, rows, background, seed=seed, device=device,
        progress=progress, params=params, explain=partial(measures.explain, given=given),
    )  # fmt: skip


def fit_functions(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> LocalFunctions:
    """Fit a simple function around each row, in a neighbourhood of your choice.

    Parameters
    ----------
    background
        As for ``compare_explanations``.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``FitParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, settings or tables do not fit together, or the model cannot
        do what is asked of it.
    """
    return call(
        LocalFunctions, fit.NAME, model, rows, background, seed=seed, device=device,
        progress=progress, params=params,
    )  # fmt: skip


def scale_curves(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> ScaleCurves:
    """Say what the best linear function misses as a neighbourhood grows.

    Parameters
    ----------
    background
        As for ``compare_explanations``.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``ScalesParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or settings or tables do not fit together.
    """
    return call(
        ScaleCurves, scales.NAME, model, rows, background, seed=seed, device=device,
        progress=progress, params=params,
    )  # fmt: skip
