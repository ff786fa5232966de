"""The verb that sets protected attributes to all that they could be."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import opened
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import AttributeFlips
from workbench.core.table import Table
from workbench.engines import fairness

if TYPE_CHECKING:
    import pandas as pd


def flips(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> AttributeFlips:
    """Ask whose decision would be another if only a protected attribute were.

    ``by`` names the attributes, by default those that are marked as protected; rows need no
    labels. Frames as for ``explain``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows = opened(model, rows, seed)
    return fairness.flips(model, rows, seed=seed, device=device, progress=progress, **params)
