"""Which views there are of which result: read by pages and reports, so no page lists them."""

from collections.abc import Callable, Mapping
from typing import Any

import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.results import Attribution, Result
from workbench.core.schema import listing
from workbench.plots.attribution import bar, beeswarm, waterfall

Renderer = Callable[..., go.Figure]

RENDERERS: Mapping[type[Result], Mapping[str, Renderer]] = {
    Attribution: {"waterfall": waterfall, "bar": bar, "beeswarm": beeswarm},
}


def render(result: Result, view: str, **options: Any) -> go.Figure:
    """Draw a view of a result; the options are those of the view.

    Raises
    ------
    InvalidInputError
        If there is no such view of this kind of result.
    """
    views = RENDERERS.get(type(result), {})
    if view not in views:
        choice = f"choose one of {listing(views)}" if views else "it has no views"
        raise InvalidInputError(f"There is no view {view!r} of {result.kind!r}; {choice}.")
    return views[view](result, **options)
