"""How good is this model, and what is in this table?"""

from typing import Any

from workbench.core.context import Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.performance import Performance
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.performance.evaluation import NAME
from workbench.engines.performance.overview import Overview, table_overview

__all__ = ["METHODS", "Overview", "evaluate", "parse_params", "table_overview"]


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
    return call(
        Performance, NAME, model, rows, rows, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
