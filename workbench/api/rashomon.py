"""The verbs about models that are as good as a given one."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from workbench.api.inputs import as_table, load_table, opened
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.results import RashomonSet
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.data.bundled import TABLES
from workbench.engines import rashomon

if TYPE_CHECKING:
    import pandas as pd

METHODS_OF_SETS: Mapping[str, Callable[..., RashomonSet]] = {
    "set": rashomon.rashomon_set,
    "retrain": rashomon.rashomon_retrain,
}


def rashomon_set(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    table: "Table | pd.DataFrame | None" = None,
    *,
    method: str = "set",
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> RashomonSet:
    """Look for models about as good as the given one, and say how far they disagree about rows.

    A pandas frame is read with the model's schema, as a file would be.

    Parameters
    ----------
    table
        The whole labelled table that the rows are from: its validation rows say which models are
        as good, its training rows train others. By default the bundled table that the rows are
        from, else the rows themselves.
    method
        ``set``: explorers that start from the model; ``retrain``: models trained again, with
        settings of their training.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    look = _look(method)
    model, rows, table = labelled(model, rows, table, seed)
    return look(model, rows, table, seed=seed, device=device, progress=progress, **params)


def _look(method: str) -> Callable[..., RashomonSet]:
    """Return the engine's function for a method, by its name or its last part.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    found = METHODS_OF_SETS.get(method.removeprefix("rashomon."))
    if found is None:
        raise InvalidInputError(
            f"Method {method!r} looks for no equally good models; choose one of "
            f"{listing(METHODS_OF_SETS)}."
        )
    return found


def labelled(model: Model | str, rows: Any, table: Any, seed: int) -> tuple[Model, Table, Table]:
    """Return model, rows and the labelled table that they are from, with the model's classes."""
    model, rows = opened(model, rows, seed)
    whole = _whole(rows) if table is None else as_table(table, model, "table")
    return model, rows.read_by(model.schema), whole.read_by(model.schema)


def _whole(rows: Table) -> Table:
    """Return the bundled table that holds these very rows, else the rows themselves."""
    name = rows.name.partition("/")[0]
    if name not in TABLES or not len(rows):
        return rows
    whole, ids = load_table(name, split="all"), rows.ids
    if int(ids.min()) < 0 or int(ids.max()) >= len(whole):
        return rows
    same = torch.equal(whole.X[ids].nan_to_num(), rows.X.nan_to_num())  # False of other shapes
    return whole if same else rows
