"""Sets of equally good models: how much they disagree, and about whom."""

from typing import Any

from workbench.core.context import Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.simpler_models import SimplerModels
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.rashomon.simpler import NAME as SIMPLER

__all__ = ["METHODS", "parse_params", "simpler_models"]


def simpler_models(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> SimplerModels:
    """Look for simpler models that are about as good.

    Parameters
    ----------
    rows
        Labelled rows that losses are reported on.
    table
        The whole labelled table, of whose parts some are learned from and some decide.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of the method's parameter model, such as ``tolerance`` and ``trees``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or a table does not fit the model or has no labels.
    """
    return call(
        SimplerModels, SIMPLER, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
