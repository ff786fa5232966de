"""Who is worse off under a model, how sure that is, why, and what helps."""

from typing import Any

from workbench.core.boundary import BoundaryPeople
from workbench.core.context import Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.fairness.audit import audit
from workbench.engines.fairness.causes import gap_causes
from workbench.engines.fairness.errors import error_audit
from workbench.engines.fairness.flipping import flips
from workbench.engines.fairness.given import Given, audit_given
from workbench.engines.fairness.people import NAME as PEOPLE
from workbench.engines.fairness.remedies import remedies

__all__ = [
    "METHODS", "Given", "audit", "audit_given", "boundary_people", "error_audit", "flips",
    "gap_causes", "remedies",
]  # fmt: skip


def boundary_people(
    model: Model,
    rows: Table,
    table: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> BoundaryPeople:
    """Rank people by their distance to the decision, and look at the closest in full.

    Parameters
    ----------
    table
        The whole table that the rows are from: the most similar people are looked for in it, and
        its labelled validation rows say which other models are as good.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``; by default ``WORKBENCH_DEVICE``, else ``auto``.
    params
        Fields of ``PeopleParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, a table does not fit the model, the model predicts a number,
        or nobody says which class people hope for.
    """
    return call(
        BoundaryPeople, PEOPLE, model, rows, table, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
