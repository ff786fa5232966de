"""What does a network compute on the way, as a graph that can be tested?"""

from typing import Any

from workbench.core.context import Progress
from workbench.core.local_basis import LocalBasis
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.lib.graph import NAME
from workbench.engines.lib.row import RowInside, explain_row

__all__ = ["METHODS", "RowInside", "explain_row", "local_basis"]


def local_basis(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> LocalBasis:
    """Find the features of every layer of a network, and the edges between them.

    Parameters
    ----------
    rows
        Labelled rows on which features and edges are left out.
    table
        The whole labelled table; bases and edges are made of its training rows.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of ``LibParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, the rows do not fit the model or have no labels, or the
        network cannot be cut.
    """
    return call(
        LocalBasis, NAME, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
