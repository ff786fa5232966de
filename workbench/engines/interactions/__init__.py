"""Which features a model uses together."""

from typing import Any

from workbench.core.context import Progress
from workbench.core.interaction_scores import InteractionScores
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.interactions.bootstrap import interaction_test
from workbench.engines.interactions.scores import NAME

__all__ = ["METHODS", "interaction_scores", "interaction_test"]


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
