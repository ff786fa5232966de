"""The verb that tests whether interactions are in the data."""

from typing import TYPE_CHECKING, Any

from workbench.api.inputs import with_whole
from workbench.core.context import Progress
from workbench.core.model import Model
from workbench.core.results import InteractionTest
from workbench.core.table import Table
from workbench.engines import interactions

if TYPE_CHECKING:
    import pandas as pd


def interaction_test(
    model: Model | str,
    table: "Table | pd.DataFrame",
    rows: "Table | pd.DataFrame | None" = None,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
    **params: Any,
) -> InteractionTest:
    """Test which pairs of features do something together in a whole labelled table.

    Networks of the model's kind are trained on the training rows of the table, on their labels and
    on labels without interactions, and stop by its validation rows. Pairs are scored, and losses
    reported, on ``rows``, by default the test rows. Frames as for ``explain``.

    Raises
    ------
    WorkbenchError
        If anything given does not fit; the message names it and the fix.
    """
    model, whole, reported = with_whole(model, table, rows, seed)
    return interactions.interaction_test(
        model, reported, whole, seed=seed, device=device,
        progress=progress, **params,
    )  # fmt: skip
