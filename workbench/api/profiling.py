"""The verb about how the output changes with features."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import as_table, check_seed, load_model
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import Profiles
from workbench.core.table import Table
from workbench.engines import profiles as engine

if TYPE_CHECKING:
    import pandas as pd


def profiles(
    model: Model | str,
    rows: "Table | pd.DataFrame",
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> Profiles:
    """Follow the output along each feature: mean over rows, single rows, accumulated effects.

    Values of the features are those that occur in ``rows``. Frames as for ``explain``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    check_seed(seed)
    if isinstance(model, str):
        model = load_model(model)
    return engine.profiles(
        model, as_table(rows, model, "rows"), seed=seed, device=device, progress=progress, **params
    )
