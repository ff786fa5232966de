"""The verb about people who are decided narrowly."""

from typing import TYPE_CHECKING, Any

from workbench.api.rashomon import labelled
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import BoundaryPeople
from workbench.core.table import Table
from workbench.engines import fairness

if TYPE_CHECKING:
    import pandas as pd


def boundary_people(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    table: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> BoundaryPeople:
    """Say who is decided narrowly, and what would have changed it.

    Everybody's score, margin and range over equally good models; for the closest to the boundary
    also the score at other levels of protected attributes, and the most similar person who is
    decided otherwise. A pandas frame is read with the model's schema, as a file would be.

    Parameters
    ----------
    table
        The whole table that the rows are from, in which similar people are looked for and whose
        labelled validation rows say which models are as good. By default the bundled table that
        the rows are from, else the rows themselves.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, table = labelled(model, rows, table, seed)
    return fairness.boundary_people(
        model, rows, table, seed=seed, device=device, progress=progress, **params
    )
