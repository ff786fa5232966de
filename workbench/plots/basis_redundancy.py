"""What of a network is not used: dimensions without effect, and units that switch together."""

from typing import NamedTuple

import networkx as nx
import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from workbench.core.errors import InvalidInputError
from workbench.core.local_basis import LocalBasis
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots.layout import empty, layout_bars, shortened, title
from workbench.plots.theme import blended, escaped, ink_on, palette, template

# Of the rows on which either of two units is on, and of those on which either is off: the share
# on which both are, from which they are as good as one. Rare units are not alike by being off.
TOGETHER = 0.95
MOST_UNITS, MOST_GROUPS = 100, 3
HEIGHT = 420
NO_UNITS = "Which units switch together is known of ReLUs after a linear layer, and there is none."
PARTS = ("needed", "features that are not needed", "ignored by what follows", "never varies")


class Switching(NamedTuple):
    """Units of a layer by their numbers, from 1: never on, always on, and groups as good as one."""

    never: tuple[int, ...]
    always: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]


def dimensions(result: LocalBasis, layer: int) -> tuple[int, int, int, int]:
    """Count the dimensions of a layer, one for each unit, by what they are good for.

    Returns
    -------
    Those needed, those of features that can be left out, those that vary without effect on what
    follows, and those that do not vary on the training rows.
    """
    kept, needed = int(result.sizes[0, layer]), int(result.nodes_required[0, layer])
    return needed, kept - needed, int(result.ignored[layer]), int(result.unvisited[layer])


def switching_layers(result: LocalBasis) -> dict[str, int]:
    """Return the layers whose units are known to be on or off, by name."""
    return {
        name: at
        for at, name in enumerate(result.layer_names[:-1])
        if at and not np.isnan(result.together(at)).any()
    }


def switching(result: LocalBasis, layer: int) -> Switching:
    """Find units that are never or always on, and those that nearly always switch together."""
    both = result.together(layer)
    on = both.diagonal()
    either = on[:, None] + on[None, :] - both
    varies = (on > 0) & (on < 1)
    same = (both >= TOGETHER * either) & (1 - either >= TOGETHER * (1 - both))
    pairs = np.argwhere(np.triu(same, 1) & varies[:, None] & varies[None, :])
    found = nx.connected_components(nx.Graph(pairs.tolist()))
    return Switching(
        tuple((np.flatnonzero(on <= 0) + 1).tolist()),
        tuple((np.flatnonzero(on >= 1) + 1).tolist()),
        tuple(sorted(tuple(sorted(int(i) + 1 for i in members)) for members in found)),
    )


def used(result: LocalBasis, *, dark: bool = False) -> go.Figure:
    """Draw for every layer what its dimensions are good for."""
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    names = result.layer_names[:-1]
    counts = np.array([dimensions(result, at) for at in range(len(names))])
    faint = blended(colours.positive, colours.surface, 0.35)
    inks = (colours.positive, faint, colours.others, colours.grid)
    for part, ink, values in zip(PARTS, inks, counts.T, strict=True):
        figure.add_bar(
            x=values, y=np.arange(len(names)), orientation="h", name=part,
            marker={"color": ink, "line": {"color": colours.surface, "width": 1}},
            text=[f"{n:,}" if n else "" for n in values], textposition="inside",
            insidetextanchor="middle", textangle=0, textfont={"color": ink_on(ink)},
            hovertext=[f"<b>{escaped(name)}</b><br>{part}: {n:,} of {total:,}"
                       for name, n, total in zip(names, values, counts.sum(1), strict=True)],
            hoverinfo="text",
        )  # fmt: skip
    layout_bars(figure, [shortened(name, 14) for name in names], (0, 1.02 * counts.sum(1).max()))
    figure.update_layout(
        barmode="stack", showlegend=True, height=170 + 34 * len(names),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )  # fmt: skip
    title(figure, "dimensions, one for each unit")
    return figure


def alike(result: LocalBasis, *, units: str | None = None, dark: bool = False) -> go.Figure:
    """Draw on which share of the training rows each two units are both on or both off.

    Units that switch alike stand together; of a wide layer, those that are most like another.

    Parameters
    ----------
    units
        Of which layer; by default the first that has ReLUs.

    Raises
    ------
    InvalidInputError
        If its units are not known to be on or off.
    """
    known = switching_layers(result)
    if units is None and not known:
        return empty(NO_UNITS, dark=dark)
    if units is not None and units not in known:
        raise InvalidInputError(
            f"Which units of layer {units!r} switch together is not known; choose one of "
            f"{listing(known)}." if known else NO_UNITS
        )  # fmt: skip
    name = units or next(iter(known))
    found, on = result.alike(known[name]), result.together(known[name]).diagonal()
    order = _neighbours(found)
    drawn = found[np.ix_(order, order)]
    np.fill_diagonal(drawn, np.nan)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    figure.add_heatmap(
        z=drawn, zmin=0, zmax=1, hoverinfo="text", hoverongaps=False, colorscale=colours.scale,
        colorbar={"tickformat": ".0%", "thickness": 8, "outlinewidth": 0, "nticks": 5, "len": 0.9},
        hovertext=[[f"units {i + 1} and {j + 1}: alike on {percent(found[i, j])} of rows<br>"
                    f"on: {percent(on[i])} and {percent(on[j])}" for j in order] for i in order],
    )  # fmt: skip
    plain = {"showgrid": False, "showticklabels": False, "ticks": "", "constrain": "domain"}
    figure.update_xaxes(**plain)
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constraintoward="top", **plain)
    figure.update_layout(margin={"l": 8, "r": 8})
    shown = "units" if len(order) == len(found) else f"{len(order)} of {len(found):,} units"
    title(figure, f"{shown} of {name}", "share of rows: both on or both off")
    return figure


def _neighbours(alike: Float[np.ndarray, "d d"]) -> np.ndarray:
    """Order units so that those that switch alike stand together, at most so many."""
    others = alike - 2 * np.eye(len(alike))
    chosen = np.sort(np.argsort(-others.max(1), kind="stable")[:MOST_UNITS])
    if len(chosen) < 3:
        return chosen
    apart = np.clip(1 - alike[np.ix_(chosen, chosen)], 0, None)
    np.fill_diagonal(apart, 0)
    tree = hierarchy.linkage(squareform(apart, checks=False), "average")
    ordered: np.ndarray = chosen[hierarchy.leaves_list(tree)]
    return ordered


def redundancy_sentence(result: LocalBasis) -> str:
    """Say how much of the network is not used, and which units do the same."""
    needed, spare, ignored, still = np.sum(
        [dimensions(result, at) for at in range(result.n_sections)], 0
    ).tolist()
    total = needed + spare + ignored + still
    said = (
        f"Of {total:,} dimensions, one for each input column and unit, the network needs "
        f"{needed:,}, ignores {ignored:,} and never sees {still:,} vary."
    )
    known = switching_layers(result)
    return f"{said} {_switching_sentence(result, known)}" if known else said


def _switching_sentence(result: LocalBasis, known: dict[str, int]) -> str:
    found = {name: switching(result, at) for name, at in known.items()}
    total = sum(int(result.widths[at]) for at in known.values())
    never, always = (sum(len(each[i]) for each in found.values()) for i in (0, 1))
    groups = [f"units {', '.join(map(str, members))} of {name}"
              for name, each in found.items() for members in each.groups]  # fmt: skip
    said = (
        f"The training rows never switch on {never:,} of {counted(total, 'ReLU')} and never "
        f"switch off {always:,};"
    )
    if not groups:
        return f"{said} no two others switch together."
    shown = "; ".join(groups[:MOST_GROUPS])
    if len(groups) > MOST_GROUPS:
        shown = f"{shown}; {len(groups) - MOST_GROUPS:,} more"
    are = "group of others is" if len(groups) == 1 else "groups of others are each"
    return (
        f"{said} {len(groups):,} {are} as good as one, on and off together but for at most "
        f"{percent(1 - TOGETHER)} of the rows on which either is ({shown})."
    )
