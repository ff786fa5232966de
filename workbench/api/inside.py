"""The verb that looks inside a network."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import as_table, load_model, with_whole
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import LocalBasis
from workbench.core.table import Table
from workbench.engines import lib

if TYPE_CHECKING:
    import pandas as pd


def local_basis(
    model: Model | str,
    table: "Table | pd.DataFrame",
    rows: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> LocalBasis:
    """Find the features of a network's layers and the graph of their interactions.

    Bases and edges are made of the training rows of a whole labelled table; what can be left out
    is tried on ``rows``, by default its test rows. Frames as for ``explain``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, whole, tested = with_whole(model, table, rows, seed)
    return lib.local_basis(
        model, tested, whole, seed=seed, device=device, progress=progress,
        **params,
    )  # fmt: skip


def local_basis_row(
    model: Model | str, basis: LocalBasis, row: "Table | pd.DataFrame"
) -> lib.RowInside:
    """Say what each feature of a layer adds to those of the next, for one row.

    Raises
    ------
    WorkbenchError
        If the basis is of another model, or there is not exactly one row that fits.
    """
    opened_model = load_model(model) if isinstance(model, str) else model
    return lib.explain_row(opened_model, basis, as_table(row, opened_model, "row"))
