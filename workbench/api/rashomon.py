"""The verbs about models that are as good as a given one, near it or simpler."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import labelled, with_whole
from workbench.core.context import Progress
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.core.results import RashomonSet, SimplerModels
from workbench.core.schema import listing
from workbench.core.table import Table
from workbench.engines.calls import call

if TYPE_CHECKING:
    import pandas as pd

METHODS_OF_SETS = ("set", "retrain")


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

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Labelled rows ``[n, d]`` that are reported on, best of the test split; frames as for
        ``explain``.
    table
        The whole labelled table ``[m, d]`` that the rows are from: its validation rows say which
        models are as good, its training rows train others. By default the bundled table that the
        rows are from, else the rows themselves.
    method
        ``set``: explorers that start from the model; ``retrain``: models trained again, with
        settings of their training.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``rashomon.set`` or ``rashomon.retrain``, such as ``models``, ``tolerances`` and
        ``explorers``.

    Raises
    ------
    InvalidInputError
        If there is no such method.
    WorkbenchError
        If anything given does not fit, there are no labels, or no explorer can serve the model;
        the message names it and the fix.

    References
    ----------
    Hsu, Li, Hu and Chen (2024), Dropout-Based Rashomon Set Exploration for Efficient Predictive
    Multiplicity Estimation; Marx, Calmon and Ustun (2020), Predictive Multiplicity in
    Classification.
    """
    name = method.removeprefix("rashomon.")
    if name not in METHODS_OF_SETS:
        raise InvalidInputError(
            f"Method {method!r} looks for no equally good models; choose one of "
            f"{listing(METHODS_OF_SETS)}."
        )
    return call(
        RashomonSet, f"rashomon.{name}", *labelled(model, rows, table, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def simpler_models(
    model: Model | str,
    table: "Table | pd.DataFrame",
    rows: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> SimplerModels:
    """Look for simpler models that are about as good, on a whole labelled table.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    table
        The whole labelled table ``[m, d]``: learners and trees learn from its training rows, its
        validation rows decide. Frames as for ``explain``.
    rows
        Labelled rows ``[n, d]`` that losses are reported on; by default the test rows of the table.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``rashomon.simpler``, such as ``tolerance``, ``depth`` and ``trees``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.

    References
    ----------
    Semenova, Rudin and Parr (2022), On the Existence of Simpler Machine Learning Models.
    """
    return call(
        SimplerModels, "rashomon.simpler", *with_whole(model, table, rows, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip
