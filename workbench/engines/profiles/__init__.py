"""How does the output change with one feature, or with two?"""

from typing import Any

from workbench.core.context import Progress
from workbench.core.method import METHODS
from workbench.core.model import Model
from workbench.core.profiles import Profiles
from workbench.core.table import Table
from workbench.engines.calls import call
from workbench.engines.profiles.curves import NAME

__all__ = ["METHODS", "profiles"]


def profiles(
    model: Model,
    rows: Table,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Profiles:
    """Follow the output along each feature, on average over rows and for some of them.

    Parameters
    ----------
    device
        As for ``workbench.engines.calls.call``.
    params
        Fields of ``ProfileParams``.

    Raises
    ------
    InvalidInputError
        If a setting is out of bounds, there is no such feature, or the rows do not fit the model.
    """
    return call(
        Profiles, NAME, model, rows, rows, seed=seed, device=device, progress=progress,
        params=params,
    )  # fmt: skip
