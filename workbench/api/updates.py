"""The verbs about replacing a model: what would change, what did, and what makes it less."""

from typing import TYPE_CHECKING, Any

import torch

from workbench.api.inputs import as_table, labelled, named
from workbench.core.churn import Churn
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.mitigation import Mitigation
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import call, check_features

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

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Labelled rows ``[n, d]`` that are reported on; frames as for ``explain``.
    table
        The whole labelled table ``[m, d]`` that the rows are from: its validation rows say which
        models are as good, its training rows train others. By default the bundled table that the
        rows are from, else the rows themselves.
    update
        The model that did replace it, to hold against what was foreseen, as ``realised_churn``
        does.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``rashomon.churn``, such as ``models``, ``tolerances`` and ``gamma``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Watson-Daniels, Calmon, D'Amour, Long, Parkes and Ustun (2024), Predictive Churn with the Set
    of Good Models; Milani Fard, Cormier, Canini and Gupta (2016), Launch and Iterate: Reducing
    Prediction Churn.
    """
    model, rows, table = labelled(model, rows, table, seed)
    other = _update_of(model, update)
    result = call(
        Churn, "rashomon.churn", model, rows, table,
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip
    return result if other is None else realised_churn(result, other, rows)


def realised_churn(churn: Churn, update: Model | str, rows: "Table | pd.DataFrame") -> Churn:
    """Return a result with what the model that replaced the given one decides about its rows.

    ``workbench.engines.rashomon.realised.realised`` reads off how far that was foreseen.

    Parameters
    ----------
    churn
        What ``churn`` foresaw.
    update
        The model that replaced the given one, or its name as ``load_model`` takes it.
    rows
        The rows ``[n, d]`` that churn was foreseen for; frames as for ``explain``.

    Raises
    ------
    InvalidInputError
        If the update is another kind of model, or the rows are not those of the result.
    """
    other = named(update)
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

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Labelled rows ``[n, d]`` that are reported on; frames as for ``explain``.
    table
        The whole labelled table ``[m, d]`` that the rows are from: its validation rows say which
        models are as good, its training rows train others. By default the bundled table that the
        rows are from, else the rows themselves.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``rashomon.mitigate``, such as ``models``, ``tolerance`` and ``builder``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Hsu, Li, Hu and Chen (2024), Dropout-Based Rashomon Set Exploration; Black, Leino and
    Fredrikson (2022), Selective Ensembles for Consistent Predictions.
    """
    return call(
        Mitigation, "rashomon.mitigate", *labelled(model, rows, table, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def _update_of(model: Model, update: Model | str | None) -> Model | None:
    """Return the model that replaces another, refused before anything is computed."""
    if update is None:
        return None
    other = named(update)
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
