"""How the output changes with two features at once: a map, and where the rows are on it."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.profiles import PairProfile, Profiles
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import LABEL_LENGTH, empty, note, shortened
from workbench.plots.on_paper import line_negative
from workbench.plots.profile_drawing import HEIGHT, figure_of
from workbench.plots.theme import Palette, escaped, palette

CELL_HEIGHT = 34
SURFACE_NAMES = {"mean": "mean", "effects": "effect on"}
SURFACES = tuple(SURFACE_NAMES)
# How far a cell without rows fades; lines of equal density, and rows for each cell that they need.
PALE, LINES, DENSE = 0.7, 5, 2


def pair(
    profiles: Profiles,
    *,
    output: str | int | None = None,
    surface: str = "mean",
    dark: bool = False,
) -> go.Figure:
    """Draw the output over the values of two features as a map.

    A pale cell with a dot has values that no row is near: what the map says there, no row was seen
    to have. Of two numbers, lines of equal height show where most rows are.

    Parameters
    ----------
    surface
        ``mean`` over rows, or the accumulated ``effects`` of both beyond those of each.

    Raises
    ------
    InvalidInputError
        If no pair was asked for, there is no such output, or ``surface`` is none of these.
    """
    if surface not in SURFACES:
        raise InvalidInputError(
            f"There is no surface {surface!r}; choose one of {listing(SURFACES)}."
        )
    if not len(profiles.pair):
        return empty("No pair of features was looked at: run again with a pair.", dark=dark)
    which = profiles.output_index(output)
    found, colours = profiles.pair_profile(which), palette(dark=dark)
    z = (found.mean if surface == "mean" else found.effects)[0]
    if not np.isfinite(z).any():
        return empty("Effects accumulate along an order, and a category has none.", dark=dark)
    x, y = (
        [of.show(float(v)) for v in grid]
        for of, grid in zip(found.features, (found.x, found.y), strict=True)
    )
    figure = figure_of(found.features[0], max(len(label) for label in x), dark=dark)
    figure.update_layout(height=HEIGHT + CELL_HEIGHT * max(0, len(y) - 10))
    largest = float(np.nanmax(np.abs(z))) or 1.0
    signs = [[0.0, colours.negative], [0.5, colours.surface], [1.0, colours.positive]]
    figure.add_heatmap(
        z=z.T, x=np.arange(len(x)), y=np.arange(len(y)), hoverinfo="text", xgap=1, ygap=1,
        text=[[_told(found, z, i, j, (x[i], y[j])) for i in range(len(x))] for j in range(len(y))],
        colorbar={"thickness": 12, "outlinewidth": 0, "nticks": 5},
        **(
            {"colorscale": colours.scale} if surface == "mean"
            else {"colorscale": signs, "zmin": -largest, "zmax": largest}
        ),
    )  # fmt: skip
    if surface != "mean":
        line_negative(figure, z.T, largest, colours)
    _name_cells(figure, found, (x, y), colours)
    _add_density(figure, found, float(np.nanmean(z)), colours)
    said = words.quantity(profiles, which)
    lines = "; lines: where rows are" if _has_density(found) else ""
    figure.update_layout(margin={"t": 48})
    note(
        figure,
        f"{escaped(shortened(f'{SURFACE_NAMES[surface]} {said}', LABEL_LENGTH))}<br>"
        f"dots: no row near{lines}",
        dark=dark,
    )
    return figure


def pair_sentence(profiles: Profiles, output: str | int | None = None) -> str:
    r"""Say between which values of a pair the mean output lies, and how much is due to both.

    What is beyond each alone is the share of the map's variance, all points alike, that is left
    of it without the means of its lines and columns.

    Raises
    ------
    InvalidInputError
        If no pair was asked for, or there is no such output.
    """
    which = profiles.output_index(output)
    found = profiles.pair_profile(which)
    first, second = found.features
    what = f"mean {words.quantity(profiles, which)} over {first.name} and {second.name}"
    if not found.counts.any():
        return f"No row has values of both {first.name} and {second.name}."
    mean = found.mean[0]
    seen = np.where(found.counts > 0, mean, np.nan)
    ends = []
    for place in (np.nanargmin(seen), np.nanargmax(seen)):
        i, j = np.unravel_index(int(place), seen.shape)
        value, x, y = float(seen[i, j]), float(found.x[i]), float(found.y[j])
        ends.append(f"{words.number(value)} ({first.show(x)} and {second.show(y)})")
    alone = mean.mean(0) + mean.mean(1, keepdims=True) - mean.mean()
    share = float(np.var(mean - alone) / np.var(mean)) if np.ptp(mean) > 0 else 0.0
    return (
        f"Where rows are, the {what} lies between {ends[0]} and {ends[1]}. "
        f"Beyond what each does alone is {percent(share)} of how it varies over the map."
    )


def _name_cells(
    figure: go.Figure, found: PairProfile, labels: tuple[list[str], list[str]], colours: Palette
) -> None:
    """Mark cells that no row is near, and name both axes and their values."""
    i, j = np.nonzero(found.counts == 0)
    figure.add_scatter(
        x=i, y=j, mode="markers", hoverinfo="skip",
        marker={"color": colours.others, "size": 5, "line": {"color": colours.surface, "width": 1}},
    )  # fmt: skip
    updates = (figure.update_xaxes, figure.update_yaxes)
    for update, named, of in zip(updates, labels, found.features, strict=True):
        update(
            tickvals=list(range(len(named))), showgrid=False,
            ticktext=[escaped(shortened(label, 18)) for label in named],
            title_text=escaped(shortened(of.name, LABEL_LENGTH)),
        )  # fmt: skip


def _has_density(found: PairProfile) -> bool:
    """Whether there are rows enough, and neighbouring cells are near each other, as of numbers."""
    return int(found.counts.sum()) >= DENSE * found.counts.size and all(
        feature.kind != "categorical" and np.isfinite(grid).sum() > 2
        for feature, grid in zip(found.features, (found.x, found.y), strict=True)
    )


def _add_density(figure: go.Figure, found: PairProfile, middle: float, colours: Palette) -> None:
    """Make cells pale that no row is near, and draw lines around where most rows are.

    Pale cells have a value of the map, so that maps beside each other can share its range.
    """
    figure.add_heatmap(
        z=np.where(found.counts == 0, middle, np.nan).T, hoverinfo="skip", showscale=False,
        x=np.arange(len(found.x)), y=np.arange(len(found.y)), xgap=1, ygap=1, opacity=PALE,
        colorscale=[[0, colours.surface], [1, colours.surface]],
    )  # fmt: skip
    if not _has_density(found):
        return
    known = np.isfinite(found.x), np.isfinite(found.y)
    figure.add_contour(
        z=found.counts[np.ix_(*known)].T, hoverinfo="skip", showscale=False, ncontours=LINES,
        x=np.flatnonzero(known[0]), y=np.flatnonzero(known[1]),
        contours={"coloring": "none"}, line={"color": colours.whisker, "width": 1},
    )  # fmt: skip


def _told(found: PairProfile, z: np.ndarray, i: int, j: int, labels: tuple[str, str]) -> str:
    """Write what a mouse finds in a cell of the map."""
    first, second = found.features
    value = "not defined" if np.isnan(z[i, j]) else words.number(float(z[i, j]))
    rows = counted(int(found.counts[i, j]), "row")
    return (
        f"<b>{escaped(first.name)} = {escaped(labels[0])}<br>{escaped(second.name)} = "
        f"{escaped(labels[1])}</b><br>{value}<br>{rows} nearest"
    )
