"""The drawing library of a report: the smallest plotly.js that draws its figures.

A browser takes a second to read and start the whole of plotly.js, most of which draws maps, spheres
and other things that reports do not have.
"""

import re
from collections.abc import Set as AbstractSet
from functools import cache
from importlib.resources import files

from plotly.offline import get_plotlyjs

# What plotly.js calls its cartesian bundle; ``plotly/README.md`` says where it is from.
CARTESIAN = frozenset({
    "bar", "box", "contour", "heatmap", "histogram", "histogram2d", "histogram2dcontour", "image",
    "pie", "scatter", "scatterternary", "violin",
})  # fmt: skip


def plotly_js(kinds: AbstractSet[str]) -> str:
    """Return the source of a plotly.js that draws traces of these kinds.

    The cartesian bundle serves only while it is of the release that made the figures.
    """
    small, whole = _cartesian(), _whole()
    return small if kinds <= CARTESIAN and release(small) == release(whole) else whole


def release(source: str) -> str:
    """Return which release of plotly.js a source says it is, empty where it says none."""
    found = re.search(r"plotly\.js[^\n]* v(\S+)", source[:200])
    return found[1] if found else ""


@cache
def _cartesian() -> str:
    return (files("workbench.report") / "plotly/plotly-cartesian.min.js").read_text("utf-8")


@cache
def _whole() -> str:
    return str(get_plotlyjs())
