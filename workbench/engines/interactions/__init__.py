"""Which features a model uses together."""

from typing import Any

from workbench.core.context import Progress
from workbench.core.detectors import Detectors
from workbench.core.halo import Halo
from workbench.core.interaction_scores import InteractionScores
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.interactions.bootstrap import interaction_test
from workbench.engines.interactions.detectors import NAME as SIDE_BY_SIDE
from workbench.engines.interactions.halos import NAME as HALO
from workbench.engines.interactions.scores import NAME

__all__ = ["METHODS", "detectors_side_by_side", "halo", "interaction_scores", "interaction_test"]


def interaction_scores(
    model: Model,
    rows: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> InteractionScores:
    """Score what pairs of features, and triples if wanted, do together in a model.

    Parameters
    ----------
    rows
        Rows that features are exchanged between; labelled ones for the detector ``both``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of ``ScoresParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, the rows do not fit the model or lack labels that are
        needed, or there is nothing to pair.
    """
    return call(
        InteractionScores, NAME, model, rows, rows, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip


def halo(
    model: Model,
    rows: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Halo:
    """Scale features together around the edge of what is equally good, and score them there.

    Parameters
    ----------
    rows
        Labelled rows: what is as good is decided on them, and features are exchanged between them.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of ``HaloParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, the rows do not fit the model or lack labels, or features
        cannot be scaled.
    """
    return call(
        Halo, HALO, model, rows, rows, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip


def detectors_side_by_side(
    model: Model,
    rows: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Detectors:
    """Ask several detectors which pairs of features a model uses together.

    Parameters
    ----------
    rows
        Rows that all detectors look at; labelled ones for the score in the loss.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of ``DetectorsParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, the rows do not fit the model, there is nothing to pair, or
        no detector can serve.
    """
    return call(
        Detectors, SIDE_BY_SIDE, model, rows, rows, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
