"""Counterfactuals: what would have to be different for the model to decide otherwise?"""

from typing import Any

from workbench.core.context import Context, Progress
from workbench.core.counterfactuals import Counterfactuals
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.params import parse_params
from workbench.core.table import Table
from workbench.engines.counterfactuals.ranges import Ranges, ranges_of
from workbench.engines.counterfactuals.search import NAME
from workbench.numerics.devices import choose_device

__all__ = ["Ranges", "ranges_of", "search"]


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
    method = METHODS[NAME]
    settings = parse_params(method.params, params)
    context = Context(seed=seed, device=choose_device(device), progress=progress)
    moved = model if model.device == context.device else model.to(context.device)
    result = method.explain(moved, rows, background, settings, context)
    assert isinstance(result, Counterfactuals)  # noqa: S101 - what the method is registered to yield
    return result
