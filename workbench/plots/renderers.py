"""Which views there are of which result: read by pages and reports, so no page lists them."""

from collections.abc import Callable, Mapping
from typing import Any

import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.results import Attribution, Performance, Result
from workbench.core.schema import listing
from workbench.plots.bar import bar
from workbench.plots.beeswarm import beeswarm
from workbench.plots.calibration import calibration
from workbench.plots.confusion import confusion
from workbench.plots.curves import pr, roc
from workbench.plots.metrics import metrics
from workbench.plots.residuals import residuals
from workbench.plots.waterfall import waterfall

Renderer = Callable[..., go.Figure]

RENDERERS: Mapping[type[Result], Mapping[str, Renderer]] = {
    Attribution: {"waterfall": waterfall, "bar": bar, "beeswarm": beeswarm},
    Performance: {
        "metrics": metrics, "confusion": confusion, "roc": roc, "pr": pr,
        "calibration": calibration, "residuals": residuals,
    },
}  # fmt: skip
# Views that only a regression has, and that it has besides the metrics.
REGRESSION = frozenset({"residuals"})


def views_of(result: Result) -> tuple[str, ...]:
    """Return the views that this result has, the plainest first."""
    views = tuple(RENDERERS.get(type(result), {}))
    if not isinstance(result, Performance):
        return views
    kept = REGRESSION if result.task == "regression" else set(views) - REGRESSION
    return tuple(view for view in views if view == "metrics" or view in kept)


def render(result: Result, view: str, **options: Any) -> go.Figure:
    """Draw a view of a result; the options are those of the view, None stands for its default.

    Raises
    ------
    InvalidInputError
        If there is no such view of this result.
    """
    views = views_of(result)
    if view not in views:
        choice = f"choose one of {listing(views)}" if views else "it has no views"
        raise InvalidInputError(f"There is no view {view!r} of {result.kind!r}; {choice}.")
    given = {name: value for name, value in options.items() if value is not None}
    return RENDERERS[type(result)][view](result, **given)
