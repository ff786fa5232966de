"""One row on its way through the features of a network."""

from typing import Protocol

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.local_basis import LocalBasis
from workbench.plots.layout import note, shortened
from workbench.plots.local_basis import BUCKETS, GRAPH_HEIGHT, MOST_EDGES, WIDTHS, feature_name
from workbench.plots.theme import escaped, palette, template

SIGNS = {1: "raises", -1: "lowers"}


class Passed(Protocol):
    """What is drawn of a row."""

    @property
    def features(self) -> tuple[Float[np.ndarray, " _"], ...]:
        """Features of every layer, outputs last."""

    @property
    def attributions(self) -> tuple[Float[np.ndarray, "_ _"], ...]:
        """What each feature of a layer adds to those of the next."""

    @property
    def constants(self) -> tuple[Float[np.ndarray, " _"], ...]:
        """What is added to each feature of the next layer by none."""


def row_graph(result: LocalBasis, row: Passed, *, edges: int = 12, dark: bool = False) -> go.Figure:
    """Draw the strongest signed attributions of one row between the features of the layers.

    Blue raises the feature that a line leads to, vermilion lowers it; the width is the root of the
    share of the strongest of the section.

    Raises
    ------
    InvalidInputError
        If ``edges``, of each section, is below 1.
    """
    if edges < 1:
        raise InvalidInputError(f"A graph needs at least 1 edge, got {edges}.")
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": GRAPH_HEIGHT})
    drawn = [_strongest(signed, min(edges, MOST_EDGES)) for signed in row.attributions]
    members = _members(result, drawn)
    most = max(len(each) for each in members)
    places = [
        {int(j): y for j, y in zip(each, _heights(len(each), most), strict=True)}
        for each in members
    ]
    for at, pairs in enumerate(drawn):
        for sign, ink in ((1, colours.positive), (-1, colours.negative)):
            _lines(figure, row.attributions[at], pairs, at, places, sign, ink)
    for at, each in enumerate(places):
        _dots(figure, result, row, at, each, dark=dark)
    names = [escaped(shortened(name, 14)) for name in result.layer_names]
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[-0.25, len(names) - 0.45],
        showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(visible=False, range=[most - 0.3, -0.7])
    figure.update_layout(showlegend=False)
    note(figure, "blue raises, vermilion lowers", dark=dark)
    return figure


def _strongest(signed: Float[np.ndarray, "k m"], n: int) -> Int[np.ndarray, "e 2"]:
    order = np.argsort(-np.abs(signed), axis=None, kind="stable")[:n]
    order = order[signed.ravel()[order] != 0]
    found: np.ndarray = np.stack(np.unravel_index(order, signed.shape), 1).reshape(-1, 2)
    return found


def _members(result: LocalBasis, drawn: list[np.ndarray]) -> list[list[int]]:
    """Return the features of each layer that have an edge; all of the outputs."""
    last = result.n_sections
    found = []
    for at in range(last + 1):
        used = set(drawn[at][:, 1].tolist()) if at < last else set(range(len(result.output_names)))
        if at:
            used |= set(drawn[at - 1][:, 0].tolist())
        found.append(sorted(used))
    return found


def _heights(n: int, most: int) -> Float[np.ndarray, " n"]:
    return np.full(n, (most - 1) / 2) if n <= 1 else np.linspace(0, most - 1, n)


def _lines(
    figure: go.Figure, signed: Float[np.ndarray, "k m"], pairs: Int[np.ndarray, "e 2"], at: int,
    places: list[dict[int, float]], sign: int, ink: str,
) -> None:  # fmt: skip
    reach = float(np.abs(signed).max(initial=1e-300))
    values = signed[pairs[:, 0], pairs[:, 1]]
    share = np.sqrt(np.abs(values) / reach)
    bucket = np.minimum((share * BUCKETS).astype(int), BUCKETS - 1)
    for level in range(BUCKETS):
        chosen = pairs[(bucket == level) & (np.sign(values) == sign)].tolist()
        x = [point for _ in chosen for point in (at, at + 1, None)]
        y = [point for i, j in chosen for point in (places[at][j], places[at + 1][i], None)]
        width = WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * (level + 0.5) / BUCKETS
        figure.add_scatter(
            x=x, y=y, mode="lines", hoverinfo="skip", opacity=0.5, name=SIGNS[sign],
            line={"color": ink, "width": width},
        )  # fmt: skip


def _dots(
    figure: go.Figure, result: LocalBasis, row: Passed, at: int, places: dict[int, float], *,
    dark: bool,
) -> None:  # fmt: skip
    colours = palette(dark=dark)
    last = at == result.n_sections
    names = [result.output_names[j] if last else feature_name(result, at, j) for j in places]
    values = row.features[at][list(places)]
    about = [f"<b>{escaped(name)}</b><br>{value:+.4g}" for name, value in
             zip(names, values, strict=True)]  # fmt: skip
    if at:
        fixed = row.constants[at - 1][list(places)]
        about = [f"{text}<br>of it constant {c:+.4g}" for text, c in
                 zip(about, fixed, strict=True)]  # fmt: skip
    figure.add_scatter(
        x=np.full(len(places), at), y=list(places.values()),
        mode="markers+text" if last else "markers",
        text=[f"\N{NO-BREAK SPACE}{escaped(shortened(name, 14))}" for name in names],
        textposition="middle right", hovertext=about, hoverinfo="text", cliponaxis=False,
        marker={"size": 11, "line": {"color": colours.surface, "width": 1},
                "color": [colours.positive if v > 0 else colours.negative for v in values]},
    )  # fmt: skip


def row_sentence(result: LocalBasis, row: Passed, output: int) -> str:
    """Say which features of the last layer add most to one output."""
    adds, at = row.attributions[-1][output], result.n_sections - 1
    order = np.argsort(-np.abs(adds), kind="stable")[:3]
    parts = ", ".join(f"{feature_name(result, at, int(j))} {adds[j]:+.3g}" for j in order)
    total = float(row.features[-1][output])
    fixed = round(float(row.constants[-1][output]), 9) + 0.0  # of rounding no sign is left
    return (
        f"The score of {result.output_names[output]} is {total:+.3g} off its mean. Most comes from "
        f"{parts}; biases and means add {fixed:+.3g}."
    )
