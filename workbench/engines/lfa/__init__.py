"""Explanations as local functions, and how far each can be believed."""

from typing import Any

from workbench.core.context import Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.results import Faithfulness, Measures
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.lfa import matrix, measures

__all__ = ["METHODS", "compare_explanations", "measure_explanations"]


def compare_explanations(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Faithfulness:
    """Explain rows by every method that the model allows, and say what each misses where.

    Parameters
    ----------
    background
        Says how far numbers spread, which values occur, and what the reference row is.
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
        progress=progress, params=params,
    )  # fmt: skip


def measure_explanations(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Measures:
    """Explain rows by every method that the model allows, and measure the explanations.

    With the same seed and settings they are those of ``compare_explanations``.

    Parameters
    ----------
    background
        Says how far numbers spread, which values occur, and what the reference row is.
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
        progress=progress, params=params,
    )  # fmt: skip
