"""Sets of equally good models: how much they disagree, and about whom."""

from typing import Any

from workbench.core.context import Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.rashomon import RashomonSet
from workbench.core.results import AttributionRange, FairnessFront, InteractionScores, Profiles
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.rashomon import churn, mitigation
from workbench.engines.rashomon.attributions import NAME as ATTRIBUTIONS
from workbench.engines.rashomon.fairness_front import NAME as FAIRNESS
from workbench.engines.rashomon.interactions import NAME as INTERACTIONS
from workbench.engines.rashomon.profiles import NAME as PROFILES
from workbench.engines.rashomon.retrain import NAME as RETRAIN
from workbench.engines.rashomon.set import NAME
from workbench.engines.rashomon.simpler import simpler_models

__all__ = [
    "METHODS",
    "churn",
    "explain_set",
    "fairness_front",
    "interactions_set",
    "mitigation",
    "profiles_set",
    "rashomon_retrain",
    "rashomon_set",
    "simpler_models",
]


def rashomon_set(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> RashomonSet:
    """Look for models as good as a given one, and say how far they disagree about rows.

    Parameters
    ----------
    rows
        Labelled rows that are reported on, best of the test split.
    table
        The whole labelled table, whose validation rows admit models.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``SetParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not fit or has no labels, or no explorer can
        serve the model.
    """
    return call(
        RashomonSet, NAME, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip


def explain_set(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> AttributionRange:
    """Explain rows by a given model and by models as good as it is.

    Parameters
    ----------
    table
        The whole labelled table: its validation rows admit models, its training rows stand in for
        unknown features.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``AttributionsParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not fit or has no labels, or the explorer
        cannot serve the model.
    """
    return call(
        AttributionRange, ATTRIBUTIONS, model, rows, table, seed=seed, device=device,
        progress=progress, params=params,
    )  # fmt: skip


def rashomon_retrain(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> RashomonSet:
    """Train models again, and say how far those as good as a given one disagree about rows.

    Parameters
    ----------
    rows
        Labelled rows that are reported on, best of the test split.
    table
        The whole labelled table, whose training rows train and whose validation rows admit.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``RetrainParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, or a table does not fit or has no labels.
    """
    return call(
        RashomonSet, RETRAIN, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip


def interactions_set(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> InteractionScores:
    """Score what features do together in a given model and in models as good as it is.

    Parameters
    ----------
    rows
        Rows that features are exchanged between; labelled ones for the detector ``both``.
    table
        The whole labelled table, whose validation rows admit models.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``InteractionsSetParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not fit or has no labels, there is nothing to
        pair, or the explorer cannot serve the model.
    """
    return call(
        InteractionScores, INTERACTIONS, model, rows, table, seed=seed, device=device,
        progress=progress, params=params,
    )  # fmt: skip


def profiles_set(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Profiles:
    """Follow the output along features in a given model and in models as good as it is.

    Parameters
    ----------
    rows
        Rows that are averaged over.
    table
        The whole labelled table, whose validation rows admit models.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``ProfilesSetParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not fit or has no labels, or the explorer
        cannot serve the model.
    """
    return call(
        Profiles, PROFILES, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip


def fairness_front(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> FairnessFront:
    """Look for models about as accurate that treat groups more alike.

    Parameters
    ----------
    rows
        Labelled rows that confirm what the validation rows chose, best of the test split.
    table
        The whole labelled table, whose training rows train and whose validation rows choose.
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``FairnessFrontParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not fit or has no labels, nobody says what is
        favourable, or there are no groups to compare.
    """
    return call(
        FairnessFront, FAIRNESS, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
