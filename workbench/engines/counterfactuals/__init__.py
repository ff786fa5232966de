"""Counterfactuals: what would have to be different for the model to decide otherwise?"""

from typing import Any

from workbench.core.context import Progress
from workbench.core.counterfactuals import Counterfactuals
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.counterfactuals.ranges import Ranges, ranges_of
from workbench.engines.counterfactuals.search import NAME

__all__ = ["METHODS", "Ranges", "parse_params", "ranges_of", "search"]


def search(
    model: Model,
    rows: Table,
    background: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Counterfactuals:
    """Search for the nearest changes of rows for which the model says what is wished for.

    Parameters
    ----------
    background
        Rows that say which values occur, and how far apart they usually are.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of the method's parameter model, such as ``target`` and ``count``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or a table does not have the model's features.
    """
    return call(
        Counterfactuals, NAME, model, rows, background, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
