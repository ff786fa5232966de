"""The parts of a report: a section for each result, its figures and its tables."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import plotly.graph_objects as go

from workbench.checks import Outcome
from workbench.core.provenance import Provenance
from workbench.plots.narrow import fit
from workbench.plots.on_paper import ON_PAPER
from workbench.report.embedded import narrowed
from workbench.report.visible import visible_json

# Markup of ours in a label, in which what a user wrote is escaped; and names at most.
_TAG = re.compile("<[^>]*>")
MOST_NAMES = 80


@dataclass(frozen=True)
class Picture:
    """A figure of the report, drawn in both themes once it is asked for.

    Attributes
    ----------
    draw
        Draws it; called with ``dark``.
    room
        Pixels in width below which it is no longer readable; a narrower page scrolls it.
    """

    name: str
    title: str
    alt: str
    draw: Callable[..., go.Figure]
    room: int = 0

    @property
    def light(self) -> dict[str, Any]:
        """The figure in the light theme, as plain values."""
        return self._light[0]

    @cached_property
    def dark(self) -> Any:
        """What the dark theme changes in it."""
        return _changes(self.light, _plain(self.draw(dark=True)))

    @property
    def narrow(self) -> Any:
        """What a narrow window changes in it: captions stand on more lines."""
        return self._light[1]

    @property
    def is_lined(self) -> bool:
        """Whether lines that paper alone shows tell which cells are negative."""
        shapes = self.light["layout"].get("shapes", [])
        return any(shape.get("name") == ON_PAPER for shape in shapes)

    @property
    def words(self) -> str:
        """The names in the figure: what a browser finds in its place until it is drawn."""
        named = (text for text in _names_in(self.light) if any(map(str.isalpha, text)))
        return " · ".join(list(dict.fromkeys(named))[:MOST_NAMES])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.light["layout"]["height"])

    @cached_property
    def _light(self) -> tuple[dict[str, Any], Any]:
        drawn = self.draw(dark=False)
        wide = _plain(drawn)
        return wide, _changes(
            wide, wide | {"layout": _plain(go.Figure(None, fit(drawn).layout))["layout"]}
        )


@dataclass(frozen=True)
class Grid:
    """A table of the report; the columns in ``numeric`` are set flush right."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int]


@dataclass(frozen=True)
class Section:
    """One result as the report shows it; all text plain, escaped by the template.

    Attributes
    ----------
    values
        A long table that is folded away.
    remark
        What the author says of this result.
    """

    name: str
    title: str
    answers: tuple[str, ...]
    pictures: tuple[Picture, ...]
    outcomes: tuple[Outcome, ...]
    tables: tuple[Grid, ...]
    values: Grid | None
    facts: tuple[tuple[str, str], ...]
    foot: str
    remark: str = ""


def _names_in(figure: dict[str, Any]) -> Iterator[str]:
    """Yield the labels of the axes, the names of the legend and what stands in the plot."""
    texts = [
        text
        for name, axis in figure["layout"].items()
        if name.startswith(("xaxis", "yaxis"))
        for text in axis.get("ticktext") or ()
    ]
    for trace in figure["data"]:
        is_text = "text" in trace.get("mode", "") and isinstance(trace.get("text"), list)
        texts += [trace.get("name", ""), *(trace["text"] if is_text else ())]
    for text in texts:
        yield " ".join(html.unescape(_TAG.sub(" ", str(text))).split())


def _plain(drawn: go.Figure) -> dict[str, Any]:
    """Return a figure as plain values, without WebGL."""
    figure: dict[str, Any] = json.loads(visible_json(drawn.to_json()))
    figure["data"] = [_as_svg(trace) for trace in narrowed(figure["data"])]
    return figure


def _as_svg(trace: dict[str, Any]) -> dict[str, Any]:
    """Draw points without WebGL, whose programs the policy of a report forbids to make."""
    return {**trace, "type": "scatter"} if trace["type"] == "scattergl" else trace


def _changes(old: Any, new: Any) -> Any:
    """Return what turns ``old`` into ``new``, so that points are not in the file twice.

    Objects, and lists of objects, are compared part by part; anything else is replaced as a whole.
    Both come from the same renderer, so that ``new`` has every part of ``old``.
    """
    if isinstance(old, dict):
        return {k: _changes(old.get(k), new[k]) for k in new if old.get(k) != new[k]}
    if isinstance(old, list) and old and isinstance(old[0], dict):
        pairs = enumerate(zip(old, new, strict=True))
        return {str(i): _changes(a, b) for i, (a, b) in pairs if a != b}
    return new


def facts_of(record: Provenance) -> tuple[tuple[str, str], ...]:
    """Every field of the provenance with its name in words."""
    words = {"n_rows": "rows", "n_background": "background rows", "dtype": "precision"}
    return tuple(
        (words.get(name, name.replace("_", " ")), _fact(value))
        for name, value in record.model_dump().items()
    )


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {part}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(str(part) for part in value) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
