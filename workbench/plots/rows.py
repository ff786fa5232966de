"""What the figures of many rows share: which rows and features they draw."""

from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from workbench.core.counter_rng import stream
from workbench.core.errors import InvalidInputError
from workbench.core.results import Attribution
from workbench.plots.layout import LINE_LENGTH, cut
from workbench.plots.theme import blended, escaped

# Points of groups; up to eight are told apart without colour.
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star", "hexagon")
# Points after which a browser is slow with SVG.
SVG_POINTS = 1500


@dataclass(frozen=True)
class Lanes:
    """The features of a figure, the most important first; the last lane may be a sum of the rest.

    Attributes
    ----------
    values
        One column per lane, in the order of ``names``.
    features
        Position of each lane's feature in the schema; the sum has none and is left out.
    """

    names: tuple[str, ...]
    values: np.ndarray
    features: np.ndarray


def lanes_of(attribution: Attribution, which: int, max_features: int) -> Lanes:
    """Choose the features with the largest mean absolute attribution and add up the others."""
    values = attribution.values[:, :, which]
    order = np.argsort(-np.abs(values).mean(0), kind="stable")
    shown, rest = cut(order, max_features)
    names = [attribution.names[i] for i in shown]
    columns = values[:, shown]
    if len(rest):
        names.append(f"{len(rest)} other features")
        columns = np.column_stack([columns, values[:, rest].sum(1)])
    return Lanes(tuple(names), columns, shown)


def check_rows(max_rows: int, what: str) -> None:
    """Refuse a figure without rows.

    Raises
    ------
    InvalidInputError
        If ``max_rows`` is below 1.
    """
    if max_rows < 1:
        raise InvalidInputError(f"A {what} needs at least 1 row, got {max_rows}.")


def drawn_rows(n: int, max_rows: int, *, always: np.ndarray | None = None) -> np.ndarray:
    """Choose which of ``n`` rows to draw, at random but always the same; ``always`` are among them.

    Returns
    -------
    Their positions, ascending.
    """
    chosen = np.arange(n) if n <= max_rows else stream(0).permutation(n)[:max_rows]
    return np.union1d(chosen, np.array([], dtype=int) if always is None else always)


def sample_note(drawn: int, n: int) -> list[str]:
    """Say that only some rows are drawn, where that is so."""
    return [f"{drawn:,} of {n:,} rows, drawn at random"] if drawn < n else []


def scatter_of(points: int, *, webgl: bool) -> type[go.Scatter | go.Scattergl]:
    """Return the trace that draws so many points quickly."""
    return go.Scattergl if webgl and points > SVG_POINTS else go.Scatter


def shade(share: float, stops: tuple[str, str, str]) -> str:
    """Return the colour at a place between three colours, 0 to 1.

    Examples
    --------
    >>> shade(0.25, ("#000000", "#808080", "#ffffff"))
    '#404040'
    """
    low, middle, high = stops
    if share <= 0.5:
        return blended(low, middle, 2 * share)
    return blended(middle, high, 2 * share - 1)


def wrapped(text: str, length: int = LINE_LENGTH) -> str:
    """Break a user's text into escaped lines for an axis.

    Examples
    --------
    >>> wrapped("attribution to a < b", 14)
    'attribution to<br>a &lt; b'
    """
    return "<br>".join(escaped(line) for line in wrap(text, length))
