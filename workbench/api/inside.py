"""The verbs that look inside a network."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import as_table, named, with_whole
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import LocalBasis
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.lib.row import RowInside, explain_row

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

    Parameters
    ----------
    model
        A network, or its name as ``load_model`` takes it.
    table
        The whole labelled table ``[m, d]``; bases and edges are made of its training rows. Frames
        as for ``explain``.
    rows
        Labelled rows ``[n, d]`` on which features and edges are left out; by default the test rows
        of the table.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``lib.graph``, such as ``layers``, ``rule`` and ``tolerance``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no labels, or the network cannot be cut; the
        message names it and the fix.

    References
    ----------
    Bushnaq et al. (2024), The Local Interaction Basis.
    """
    return call(
        LocalBasis, "lib.graph", *with_whole(model, table, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def local_basis_row(
    model: Model | str, basis: LocalBasis, row: "Table | pd.DataFrame"
) -> RowInside:
    """Say what each feature of a layer adds to those of the next, for one row.

    Parameters
    ----------
    model
        The network that the basis is of, or its name as ``load_model`` takes it.
    basis
        What ``local_basis`` found.
    row
        One row ``[1, d]``; frames as for ``explain``.

    Raises
    ------
    WorkbenchError
        If the basis is of another model, or there is not exactly one row that fits.
    """
    model = named(model)
    return explain_row(model, basis, as_table(row, model, "row"))
