"""The verbs that ask every one of a set of equally good models."""

from typing import TYPE_CHECKING, Any

from workbench.api.rashomon import labelled
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import AttributionRange, InteractionScores, Profiles
from workbench.core.table import Table
from workbench.engines import rashomon

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
    """Explain rows by the given model and by models that are as good; frames as ``explain``.

    Parameters
    ----------
    table
        The whole labelled table that the rows are from: its validation rows say which models are
        as good, its training rows stand in for unknown features. By default the bundled table
        that the rows are from, else the rows themselves.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, table = labelled(model, rows, table, seed)
    return rashomon.explain_set(
        model, rows, table, seed=seed, device=device, progress=progress, **params
    )


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
    table
        The whole labelled table that the rows are from, as for ``explain_set``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, table = labelled(model, rows, table, seed)
    return rashomon.interactions_set(
        model, rows, table, seed=seed, device=device, progress=progress, **params
    )


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
    table
        The whole labelled table that the rows are from, as for ``explain_set``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, table = labelled(model, rows, table, seed)
    return rashomon.profiles_set(
        model, rows, table, seed=seed, device=device, progress=progress, **params
    )
