"""The verb that says what the gap between groups is made of."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import described
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import GapCauses
from workbench.core.table import Table
from workbench.engines import fairness

if TYPE_CHECKING:
    import pandas as pd


def gap_causes(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    background: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> GapCauses:
    """Share out the gaps in mean score between groups among features, and look for proxies.

    ``by="sex"`` names the protected columns, ``among="favourable"`` asks about those with the
    favourable outcome alone. The background defaults to training rows of the model; frames as for
    ``explain``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, rows, background = described(model, rows, background, seed)
    return fairness.gap_causes(
        model, rows, background, seed=seed, device=device, progress=progress, **params
    )
