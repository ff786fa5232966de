"""LIME: a sparse linear model of the model around each row."""

from typing import Any

from workbench.core.context import Context, Progress
from workbench.core.local_models import LocalModels
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.table import Table
from workbench.engines.lime.tabular import NAME
from workbench.numerics.devices import choose_device, memory_budget

__all__ = ["fit_local_models"]


def fit_local_models(
    model: Model,
    rows: Table,
    background: Table,
    *,
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
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of the method's parameter model, such as ``sampling`` and ``num_features``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or a table does not have the model's features.
    """
    method, place = METHODS[NAME], choose_device(device)
    settings = parse_params(method.params, params)
    context = Context(seed=seed, device=place, budget=memory_budget(place), progress=progress)
    moved = model if model.device == place else model.to(place)
    result = method.explain(moved, rows, background, settings, context)
    assert isinstance(result, LocalModels)  # noqa: S101 - what the method is registered to yield
    return result
