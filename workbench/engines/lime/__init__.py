"""LIME: a sparse linear model of the model around each row."""

from typing import Any

from workbench.core.context import Progress
from workbench.core.local_models import LocalModels
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.lime.reference import NAME as REFERENCE
from workbench.engines.lime.tabular import NAME

__all__ = ["METHODS", "REFERENCE", "fit_local_models", "parse_params"]


def fit_local_models(
    model: Model,
    rows: Table,
    background: Table,
    *,
    method: str = NAME,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> LocalModels:
    """Fit a sparse linear model around each row.

    Parameters
    ----------
    background
        Rows that say which values occur, how often, and how numbers spread.
    method
        ``lime.tabular``, or ``lime.reference`` to have it done by the package ``lime``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of the method's parameter model, such as ``sampling`` and ``num_features``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or a table does not have the model's features.
    """
    return call(
        LocalModels, method, model, rows, background, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
