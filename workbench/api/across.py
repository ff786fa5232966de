"""The verbs that ask every one of a set of equally good models."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import labelled
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import AttributionRange, InteractionScores, Profiles
from workbench.core.table import Table
from workbench.engines.calls import call

if TYPE_CHECKING:
    import pandas as pd


def explain_set(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    table: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> AttributionRange:
    """Explain rows by the given model and by models that are as good.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to explain: a table, or a pandas frame, which is read with the model's
        schema as a file would be.
    table
        The whole labelled table ``[m, d]`` that the rows are from: its validation rows say which
        models are as good, its training rows stand in for unknown features. By default the bundled
        table that the rows are from, else the rows themselves.
    seed
        Of all random numbers; the same seed gives the same bits.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``; by default ``WORKBENCH_DEVICE``, else
        ``auto``.
    progress
        Called as ``progress(done, total, words)`` between batches; raising ``CancelledError`` in
        it stops the run.
    params
        Settings of ``rashomon.attributions``, such as ``explorer``, ``tolerance`` and
        ``explained``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no labels, or the explorer cannot serve the
        model; the message names it and the fix.

    References
    ----------
    Fisher, Rudin and Dominici (2019), All Models are Wrong, but Many are Useful; Hsu, Li, Hu and
    Chen (2024), Dropout-Based Rashomon Set Exploration.
    """
    return call(
        AttributionRange, "rashomon.attributions", *labelled(model, rows, table, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def interactions_set(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    table: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> InteractionScores:
    """Score what features do together in the given model and in models that are as good.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` that features are exchanged between, labelled ones for the detector
        ``both``; frames as for ``explain``.
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
        Settings of ``rashomon.interactions``, such as ``explorer``, ``scored`` and ``detector``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no labels, there is nothing to pair, or the
        explorer cannot serve the model; the message names it and the fix.

    References
    ----------
    Li, Wang, Deng and Barnard (2024), Exploring the Cloud of Feature Interaction Scores in a
    Rashomon Set.
    """
    return call(
        InteractionScores, "rashomon.interactions", *labelled(model, rows, table, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip


def profiles_set(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    table: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Profiles:
    """Follow the output along features in the given model and in models that are as good.

    Parameters
    ----------
    model
        A model, or its name as ``load_model`` takes it.
    rows
        Rows ``[n, d]`` to average over; frames as for ``explain``.
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
        Settings of ``rashomon.profiles``, such as ``explorer``, ``profiled`` and ``features``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit, there are no labels, or the explorer cannot serve the
        model; the message names it and the fix.

    References
    ----------
    As for ``profiles`` and ``rashomon_set``.
    """
    return call(
        Profiles, "rashomon.profiles", *labelled(model, rows, table, seed),
        params=params, seed=seed, device=device, progress=progress,
    )  # fmt: skip
