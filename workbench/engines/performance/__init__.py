"""How good is this model, and what is in this table?"""

from typing import Any

from workbench.core.context import Context, Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.performance import Performance
from workbench.core.table import Table
from workbench.engines.performance.evaluation import NAME
from workbench.engines.performance.overview import Overview, table_overview
from workbench.numerics.devices import choose_device

__all__ = ["Overview", "evaluate", "table_overview"]


def evaluate(
    model: Model,
    rows: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Performance:
    """Evaluate a model on labelled rows.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        ``level``, ``bins``, ``threshold`` and ``weights``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or the rows do not fit the model or have no labels.
    """
    method = METHODS[NAME]
    settings = parse_params(method.params, params)
    context = Context(seed=seed, device=choose_device(device), progress=progress)
    moved = model if model.device == context.device else model.to(context.device)
    result = method.explain(moved, rows, rows, settings, context)
    assert isinstance(result, Performance)  # noqa: S101 - what the method is registered to yield
    return result
