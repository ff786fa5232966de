"""The verb about simpler models that are about as good."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import with_whole
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import SimplerModels
from workbench.core.table import Table
from workbench.engines import rashomon

if TYPE_CHECKING:
    import pandas as pd


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

    Learners and trees learn from the training rows of the table, the validation rows decide, and
    losses are reported on ``rows``, by default the test rows. Frames as for ``explain``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, whole, reported = with_whole(model, table, rows, seed)
    return rashomon.simpler_models(
        model, reported, whole, seed=seed, device=device,
        progress=progress, **params,
    )  # fmt: skip
