"""The verbs about replacing a model: what would change, what did, and what makes it less."""

from typing import TYPE_CHECKING, Any

import torch

from workbench.api.inputs import as_table, load_model
from workbench.api.rashomon import labelled
from workbench.core.churn import Churn
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.mitigation import Mitigation
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import call, check_features
from workbench.engines.rashomon.churn import NAME as CHURN
from workbench.engines.rashomon.mitigation import NAME as MITIGATION

if TYPE_CHECKING:
    import pandas as pd


def churn(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    table: "Table | pd.DataFrame | None" = None,
    *,
    update: Model | str | None = None,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Churn:
    """Say which decisions about rows would change if a model that is as good replaced this one.

    Tables and frames as for ``rashomon_set``.

    Parameters
    ----------
    update
        The model that did replace it, to hold against what was foreseen, as ``realised_churn``
        does.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, table = labelled(model, rows, table, seed)
    other = _update_of(model, update)
    result = call(
        Churn, CHURN, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
    return result if other is None else realised_churn(result, other, rows)


def realised_churn(
    churn: Churn, update: Model | str, rows: "Table | pd.DataFrame"
) -> Churn:  # fmt: skip
    """Return a result with what the model that replaced the given one decides about its rows.

    ``workbench.engines.rashomon.realised.realised`` reads off how far that was foreseen.

    Raises
    ------
    InvalidInputError
        If the update is another kind of model, or the rows are not those of the result.
    """
    other = load_model(update) if isinstance(update, str) else update
    table = as_table(rows, other, "rows").with_classes(churn.schema.classes)
    _check_update(churn.schema.classes, churn.schema.target, other)
    check_features(other, table, "rows")
    same = torch.equal(table.ids, torch.from_numpy(churn.ids)) and torch.equal(
        table.X.nan_to_num(), torch.from_numpy(churn.data).nan_to_num()
    )
    if not same:
        raise InvalidInputError(
            f"The rows of table {table.name!r} are not those of the result; give the rows that "
            "churn was foreseen for."
        )
    order = [other.output_names.index(name) for name in churn.output_names]
    return churn.with_update(other.predict(table.X).numpy()[:, order], other.name)


def mitigate(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    table: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Mitigation:
    """Say how far averaging near-copies, choosing or abstaining lessens disagreement.

    Tables and frames as for ``rashomon_set``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, table = labelled(model, rows, table, seed)
    return call(
        Mitigation, MITIGATION, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip


def _update_of(model: Model, update: Model | str | None) -> Model | None:
    """Return the model that replaces another, refused before anything is computed."""
    if update is None:
        return None
    other = load_model(update) if isinstance(update, str) else update
    _check_update(model.schema.classes, model.schema.target, other)
    return other


def _check_update(classes: tuple[str, ...], target: str | None, update: Model) -> None:
    if sorted(update.schema.classes) != sorted(classes):
        raise InvalidInputError(
            f"Model {update.name} decides among other classes, so it cannot replace this one; give "
            "a model of the same classes."
        )
    if not classes and update.schema.target != target:
        raise InvalidInputError(
            f"Model {update.name} predicts {update.schema.target!r}, not {target!r}, so it cannot "
            "replace this one; give a model of the same target."
        )
