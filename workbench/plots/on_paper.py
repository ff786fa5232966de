"""What a figure shows on paper alone, where colours may be greys: which cells are negative."""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float

from workbench.plots.theme import Palette

# Reports make shapes of this name visible when they are printed.
ON_PAPER = "on paper"
# Cells weaker than this share of the strongest colour are hardly coloured: their sign is no matter.
PALE, DEEP = 0.05, 0.5
# How far from the middle of a cell a line ends.
END = 0.35


def line_negative(
    figure: go.Figure, cells: Float[np.ndarray, "y x"], limit: float, colours: Palette
) -> None:
    """Draw a line through each cell of a map that is below 0, hidden but on paper.

    Both ends of a scale around 0 are equally dark, so in grey nothing else tells them apart.

    Parameters
    ----------
    cells
        At the whole numbers of the axes ``x`` and ``y``; NaN where there is nothing.
    limit
        Size at which the colour is full.
    """
    share = -np.nan_to_num(cells) / limit
    for lined, ink in (
        ((share > PALE) & (share <= DEEP), colours.text), (share > DEEP, colours.surface),
    ):  # fmt: skip
        path = "".join(f"M{a - END:.2f},{y}H{b + END:.2f}" for y, a, b in _runs(lined))
        if path:
            figure.add_shape(
                type="path", path=path, xref="x", yref="y", name=ON_PAPER, visible=False,
                line={"color": ink, "width": 1},
            )  # fmt: skip


def _runs(lined: Bool[np.ndarray, "y x"]) -> Iterator[tuple[int, int, int]]:
    """Yield the line, and the first and last place, of each run of cells beside each other."""
    for y, line in enumerate(lined):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
        for start, end in edges.reshape(-1, 2).tolist():
            yield y, start, end - 1
