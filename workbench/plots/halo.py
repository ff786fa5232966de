"""Halos: by how much the loss rises around a model when features are scaled together."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float
from plotly.subplots import make_subplots

from workbench.core.errors import InvalidInputError
from workbench.core.halo import DIRECTIONS, Halo
from workbench.core.schema import listing
from workbench.core.wording import counted, joined
from workbench.plots.layout import empty, note, shortened
from workbench.plots.theme import Palette, escaped, palette, template
from workbench.plots.words import MINUS, decimals_for, number, signed

HEIGHT, CELL_HEIGHT, SPHERE_HEIGHT = 520, 210, 560
COLUMNS, MOST_CELLS = 3, 12
# Two lines of names above a cell of the matrix.
TITLE_HEIGHT = 46
NAME_LENGTH, CELL_LENGTH, SPACE_LENGTH = 24, 13, 16
HALF = 1.96
RINGS = (0.2, 0.4, 0.6, 0.8)
# Multiples of the tolerance beyond which a model is drawn at the rim, so that the region stays
# large enough to be read.
RIM = 2.5
MARGIN = 1.12
MESH = 25
NOTHING = "No joint model is known: the loss does not rise that far in any direction."


def halo(result: Halo, pair: str | None = None, *, dark: bool = False) -> go.Figure:
    """Draw the joint models of a pair around the given one.

    The direction of a point says how the tolerance is shared out and which way each feature is
    scaled; its distance from the centre is the excess loss in multiples of the tolerance. Inside
    the tinted circle models are as good; others are hollow. Where the features do nothing
    together, points lie on the circle. A joint model that is better than the given one is drawn
    at the centre.

    Parameters
    ----------
    pair
        Names joined by " and "; by default the first.

    Raises
    ------
    InvalidInputError
        If the result is not about pairs, or not about this one.
    """
    if result.order != 2:
        return empty("These are halos of three features: see the sphere.", dark=dark)
    place, colours = place_of(result, pair), palette(dark=dark)
    if not result.known[place].any():
        return empty(NOTHING, dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    rim = _rim(result, place)
    for radius in (*RINGS, *range(2, ceil(rim) + 1)):
        if radius <= rim:
            _add_ring(figure, radius, colours.grid)
    _add_region(figure, colours)
    _add_curve(figure, result, place, colours)
    x, y = (escaped(shortened(name, NAME_LENGTH)) for name in result.set_names[place])
    ticks = list(range(-int(rim), int(rim) + 1))
    style = {
        "range": [-rim * MARGIN, rim * MARGIN], "tickvals": ticks, "showgrid": False,
        "ticktext": [str(abs(tick)) for tick in ticks], "zeroline": True,
        "zerolinecolor": colours.grid, "zerolinewidth": 1.5,
    }  # fmt: skip
    figure.update_xaxes(
        **style, constrain="domain",
        title_text=f"mask of {x}: down ← → up<br>distance: excess loss in tolerances",
    )  # fmt: skip
    figure.update_yaxes(**style, scaleanchor="x", title_text=f"mask of {y}: down ← → up")
    note(figure, _remark(result, place), dark=dark)
    return figure


def matrix(result: Halo, *, dark: bool = False) -> go.Figure:
    """Draw the halos of up to twelve pairs beside each other, each like ``halo``.

    Points carry the position of their pair, so that a click can choose it.
    """
    if result.order != 2:
        return empty("These are halos of three features: see the sphere.", dark=dark)
    colours, shown = palette(dark=dark), range(min(MOST_CELLS, len(result.sets)))
    columns = min(COLUMNS, len(shown))
    lines = ceil(len(shown) / columns)
    height = TITLE_HEIGHT + CELL_HEIGHT * lines
    figure = make_subplots(
        rows=lines, cols=columns, vertical_spacing=TITLE_HEIGHT / height, horizontal_spacing=0.04,
        subplot_titles=[_cell_title(result, place) for place in shown],
    )  # fmt: skip
    figure.update_layout(template=template(dark=dark), height=height, margin={"t": TITLE_HEIGHT})
    figure.update_annotations(font={"size": 11, "color": colours.text})
    for place in shown:
        at = {"row": 1 + place // columns, "col": 1 + place % columns}
        rim = _rim(result, place)
        _add_region(figure, colours, **at)
        _add_curve(figure, result, place, colours, small=True, **at)
        axis = "x" if place == 0 else f"x{place + 1}"
        style = {
            "range": [-rim * MARGIN, rim * MARGIN], "showgrid": False, "showticklabels": False,
            "zeroline": True, "zerolinecolor": colours.grid,
        }  # fmt: skip
        figure.update_xaxes(**style, **at, constrain="domain")
        figure.update_yaxes(**style, **at, scaleanchor=axis, constrain="domain")
    return figure


def sphere(result: Halo, triple: str | None = None, *, dark: bool = False) -> go.Figure:
    """Draw the joint models of three features around the given one, against the tolerance.

    Directions and distances are those of ``halo``, in space: the translucent sphere is where
    models are as good. Colours say how much the features do together in the loss.

    Parameters
    ----------
    triple
        Names joined by " and "; by default the first.

    Raises
    ------
    InvalidInputError
        If the result is not about this triple.
    """
    if result.order != 3:
        return empty("These are halos of pairs: run again with order 3.", dark=dark)
    place, colours = place_of(result, triple), palette(dark=dark)
    known = result.known[place] & np.isfinite(result.excess[place])
    if not known.any():
        return empty(NOTHING, dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": SPHERE_HEIGHT})
    around, up = np.meshgrid(np.linspace(0, 2 * np.pi, MESH), np.linspace(0, np.pi, MESH))
    figure.add_surface(
        x=np.cos(around) * np.sin(up), y=np.sin(around) * np.sin(up), z=np.cos(up), opacity=0.18,
        showscale=False, hoverinfo="skip",
        colorscale=[[0, colours.size], [1, colours.size]],
    )  # fmt: skip
    x, y, z = (_radii(result, place)[:, None] * result.directions)[known].T
    told = _told(result, place)
    scores, members = result.scores[place, known], result.members[place, known]
    largest = float(np.abs(scores).max()) or 1.0
    figure.add_scatter3d(
        x=x, y=y, z=z, mode="markers", hoverinfo="text",
        hovertext=[told[at] for at in np.flatnonzero(known)],
        marker={
            "size": 5, "color": scores, "cmin": -largest, "cmax": largest,
            "symbol": ["circle" if member else "circle-open" for member in members],
            "colorscale": [[0, colours.negative], [0.5, colours.muted], [1, colours.positive]],
            "colorbar": {
                "thickness": 12, "outlinewidth": 0, "nticks": 5, "len": 0.8, "orientation": "h",
                "y": 0, "yanchor": "top",
                "title": {"text": "score in the loss", "side": "bottom", "font": {"size": 12}},
            },
        },
    )  # fmt: skip
    figure.add_scatter3d(
        x=[0], y=[0], z=[0], mode="markers", hoverinfo="text",
        hovertext=[_centre(result, place)],
        marker={"size": 5, "color": colours.text, "symbol": "diamond"},
    )  # fmt: skip
    rim = _rim(result, place)
    style = {
        "range": [-rim * MARGIN, rim * MARGIN], "gridcolor": colours.grid, "showbackground": False,
        "zerolinecolor": colours.muted, "tickfont": {"color": colours.muted, "size": 10},
        "nticks": 5,
    }  # fmt: skip
    axes = {
        f"{axis}axis": {
            **style,
            "title": {
                "text": f"{escaped(shortened(name, SPACE_LENGTH))}<br>{MINUS} down, + up",
                "font": {"size": 11, "color": colours.muted},
            },
        }
        for axis, name in zip("xyz", result.set_names[place], strict=True)
    }
    figure.update_layout(
        scene={
            **axes, "aspectmode": "cube", "bgcolor": "rgba(0,0,0,0)",
            "camera": {"eye": {"x": 1.9, "y": 1.5, "z": 1.1}},
        },
        margin={"t": 44},
    )  # fmt: skip
    note(figure, f"{_remark(result, place)}<br>distance: excess loss in tolerances", dark=dark)
    return figure


def choices_of(result: Halo) -> list[str]:
    """Return the sets by the name under which a view takes them."""
    return [" and ".join(names) for names in result.set_names]


def place_of(result: Halo, chosen: str | None) -> int:
    """Return the position of a set by its name; the first where none is given.

    Raises
    ------
    InvalidInputError
        If there is no such set.
    """
    choices = choices_of(result)
    if chosen is None:
        return 0
    if chosen not in choices:
        raise InvalidInputError(
            f"There is no halo of {chosen!r}; choose one of {listing(choices, 12)}."
        )
    return choices.index(chosen)


def views(result: Halo) -> set[str]:
    """Return the views that a result has: a sphere for triples, else circles."""
    if result.order == 3:
        return {"sphere"}
    return {"halo", "matrix"} if len(result.sets) > 1 else {"halo"}


def halo_sentence(result: Halo, place: int = 0) -> str:
    """Say how many joint models of a set are as good, and what they need it for together."""
    known, good = int(result.known[place].sum()), int(result.members[place].sum())
    names, model = joined(result.set_names[place]), result.provenance.model
    if not known:
        return f"No copy of {model} scales {names} so far that the tolerance is used up."
    own, low, high = result.spread(place)
    digits = decimals_for(max(abs(low), abs(high), abs(own)))
    said = (
        f"Of {counted(known, 'joint model')} that scale {names} of {model} and share out the "
        f"tolerance between them, {good} {'is' if good == 1 else 'are'} as good as it"
    )
    if not good:
        return f"{said}: these features cannot be weighed otherwise at once."
    ends = f"{signed(low, digits)} to {signed(high, digits)} {result.loss_unit}".rstrip()
    return (
        f"{said}; over these the score of the features in the loss runs from {ends}, and in the "
        f"given model it is {signed(own, digits)}."
    )


def ends_sentence(result: Halo, place: int = 0) -> str:
    """Say in which directions scaling a set at once costs most and least; empty if none known."""
    known = np.flatnonzero(result.known[place])
    if not len(known):
        return ""
    excess = result.excess[place, known] / result.tolerance
    most, least = int(known[excess.argmax()]), int(known[excess.argmin()])
    return (
        f"Scaling {'both' if result.order == 2 else 'all three'} at once costs most with "
        f"{_ways(result, place, most)} ({number(float(excess.max()))} times the tolerance) and "
        f"least with {_ways(result, place, least)} ({number(float(excess.min()))}); 1 would be the "
        "sum of what each costs alone."
    )


def _ways(result: Halo, place: int, model: int) -> str:
    return joined([
        f"{name} {DIRECTIONS[int(sign > 0)]}"
        for name, sign in zip(result.set_names[place], result.signs[model], strict=True)
    ])


def _radii(result: Halo, place: int) -> Float[np.ndarray, " v"]:
    """Return distances from the centre, in tolerances, between 0 and the rim; NaN where unknown."""
    radii: np.ndarray = np.clip(result.excess[place] / result.tolerance, 0.0, RIM)
    return radii


def _rim(result: Halo, place: int) -> float:
    """Return how far a drawing has to reach."""
    radii = _radii(result, place)
    return max(1.2, float(np.nanmax(radii))) if np.isfinite(radii).any() else 1.2


def _add_ring(figure: go.Figure, radius: float, colour: str) -> None:
    around = np.linspace(0, 2 * np.pi, 181)
    figure.add_scatter(
        x=radius * np.cos(around), y=radius * np.sin(around), mode="lines", hoverinfo="skip",
        line={"color": colour, "width": 1},
    )  # fmt: skip


def _add_region(figure: go.Figure, colours: Palette, **at: int) -> None:
    """Tint the circle in which models are as good."""
    around = np.linspace(0, 2 * np.pi, 181)
    figure.add_scatter(
        x=np.cos(around), y=np.sin(around), mode="lines", hoverinfo="skip", fill="toself",
        fillcolor=colours.haze, line={"color": colours.muted, "width": 1.5, "dash": "dash"}, **at,
    )  # fmt: skip


def _add_curve(
    figure: go.Figure, result: Halo, place: int, colours: Palette, *, small: bool = False,
    **at: int,
) -> None:  # fmt: skip
    """Draw the joint models in the order of their angle, as a closed curve, and the given one."""
    points = _radii(result, place)[:, None] * result.directions
    known = result.known[place]
    x, y = np.where(known[:, None], points, np.nan).T
    told, cells = _told(result, place), np.full(len(x), place)
    figure.add_scatter(
        x=np.append(x, x[:1]), y=np.append(y, y[:1]), mode="lines", hoverinfo="skip",
        line={"color": colours.positive, "width": 1.5}, connectgaps=False, **at,
    )  # fmt: skip
    beyond = result.excess[place] > RIM * result.tolerance
    good = result.members[place]
    size = 6 if small else 9
    kinds: Sequence[tuple[Bool[np.ndarray, " v"], dict[str, object]]] = (
        (good, {"symbol": "circle", "color": colours.positive, "line": {"width": 0}}),
        (known & ~good & ~beyond, {"symbol": "circle-open", "color": colours.negative}),
        (known & beyond, {"symbol": "triangle-up-open", "color": colours.negative}),
    )
    for chosen, style in kinds:
        figure.add_scatter(
            x=x[chosen], y=y[chosen], mode="markers", hoverinfo="text",
            hovertext=[told[v] for v in np.flatnonzero(chosen)], customdata=cells[chosen],
            marker={"size": size, **style}, **at,
        )  # fmt: skip
    figure.add_scatter(
        x=[0], y=[0], mode="markers", hoverinfo="text", hovertext=[_centre(result, place)],
        customdata=[place],
        marker={"symbol": "star", "size": size + 3, "color": colours.text}, **at,
    )  # fmt: skip


def _told(result: Halo, place: int) -> list[str]:
    """Return what a mouse finds at each joint model."""
    digits = _digits(result, place)
    told = []
    for model in range(len(result.shares)):
        masks = [
            f"<b>{escaped(name)} times {number(float(mask))}</b>"
            for name, mask in zip(result.set_names[place], result.masks[place, model], strict=True)
        ]
        above = result.excess[place, model] / result.tolerance
        wide = HALF * result.excess_std_errors[place, model] / result.tolerance
        score, error = result.scores[place, model], result.scores_std_errors[place, model]
        told.append(
            "<br>".join([
                *masks,
                f"excess loss {above:.2f} ± {wide:.2f} tolerances".replace("-", MINUS),
                "as good" if result.members[place, model] else "not as good",
                f"score in the loss {signed(score, digits)} ± {HALF * error:.{digits}f}",
            ])
        )
    return told


def _centre(result: Halo, place: int) -> str:
    digits = _digits(result, place)
    score = signed(float(result.reference_scores[place]), digits)
    wide = HALF * float(result.reference_scores_std_errors[place])
    return f"<b>the given model</b><br>score in the loss {score} ± {wide:.{digits}f}"


def _digits(result: Halo, place: int) -> int:
    scores = np.append(result.scores[place], result.reference_scores[place])
    return decimals_for(float(np.nanmax(np.abs(scores)))) + 1


def _remark(result: Halo, place: int) -> str:
    known = int(result.known[place].sum())
    said = f"{int(result.members[place].sum())} of {known} as good"
    if (result.excess[place, result.known[place]] > RIM * result.tolerance).any():
        said += f"; triangles: beyond {RIM}"
    return said


def _cell_title(result: Halo, place: int) -> str:
    first, second = (escaped(shortened(name, CELL_LENGTH)) for name in result.set_names[place])
    return f"{first} →<br>{second} ↑"
