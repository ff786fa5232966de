"""Pairs of features as a map: how much they do together, in one model or over several."""

from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.interaction_scores import TOP
from workbench.core.results import InteractionScores
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots.layout import (
    check_bars,
    empty,
    narrow_title,
    note,
    shortened,
    title,
    write_cells,
)
from workbench.plots.on_paper import line_negative
from workbench.plots.scored_sets import By, ScoredSets, scored_sets
from workbench.plots.theme import Palette, blended, escaped, ink_on, palette, template

Shown = Literal["reference", "min", "max", "top"]
SHOWN: tuple[Shown, ...] = get_args(Shown)
CELL_HEIGHT, LETTERS = 34, 18
# Names beside many features are smaller, so that they stand apart in a narrow window.
MANY_HEIGHT, MANY_LETTERS, MANY_SIZE = 24, 16, 9
# Features up to which the cells hold numbers.
NUMBERS = 12


def heatmap(
    scores: InteractionScores,
    *,
    output: str | int | None = None,
    by: By = "mixed-difference",
    show: Shown = "reference",
    max_features: int = 24,
    dark: bool = False,
) -> go.Figure:
    """Draw the score of each pair as a map of features by features.

    Features stand in the order of their strongest pair. Pairs that were not scored are blank.

    Parameters
    ----------
    by
        ``mixed-difference`` (share of the variance) or ``loss`` (score in the loss).
    show
        ``reference``: the given model; ``min``, ``max``: the least and the greatest of all models;
        ``top``: the share of models in which a pair is among the five strongest.
    max_features
        Features, those with the strongest pairs first.

    Raises
    ------
    InvalidInputError
        If there is no such output, score or number, or ``max_features`` is below 1.
    """
    if show not in SHOWN:
        raise InvalidInputError(f"A map cannot show {show!r}; choose one of {listing(SHOWN)}.")
    check_bars(max_features)
    sets = scored_sets(scores, output, by=by)
    if not len(sets):
        return empty("No pair of features was scored.", dark=dark)
    colours, values = palette(dark=dark), _values(sets, show)
    order = _order(sets)
    kept = order[:max_features]
    cells, places = _cells(sets, values, kept)
    signed = by == "loss" and show != "top"
    top = float(np.nanmax(np.abs(cells), initial=0.0)) or 1.0
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_heatmap(
        z=cells, zmin=-top if signed else 0.0, zmax=top, colorscale=_scale(colours, signed=signed),
        showscale=len(kept) > NUMBERS, xgap=2, ygap=2, hoverongaps=False, hoverinfo="skip",
        # Above the map: beside it, a narrow window would leave the cells no room.
        colorbar={"orientation": "h", "x": 0.5, "y": 1.0, "yanchor": "bottom", "thickness": 10,
                  "outlinewidth": 0, "nticks": 5, "len": 0.9, "tickfont": {"color": colours.muted}},
    )  # fmt: skip
    if len(kept) <= NUMBERS:
        _write_numbers(figure, cells, top, sets, show, colours)
    elif signed:
        line_negative(figure, cells, top, colours)
    _add_targets(figure, places, sets)
    many = len(kept) > NUMBERS
    names = [
        escaped(shortened(sets.result.names[i], MANY_LETTERS if many else LETTERS)) for i in kept
    ]
    ticks = {"tickvals": list(range(len(kept))), "ticktext": names, "showgrid": False, "ticks": ""}
    if many:
        ticks["tickfont"] = {"size": MANY_SIZE}
    height = (MANY_HEIGHT if many else CELL_HEIGHT) * len(kept)
    figure.update_layout(height=max(320, 170 + height), margin={"t": 60 if many else 34})
    figure.update_xaxes(**ticks, tickangle=-90 if len(kept) > 4 else 0)
    figure.update_yaxes(**ticks, autorange="reversed", ticklabelstandoff=6)
    (narrow_title if many else title)(figure, *_about(sets, show))
    if len(order) > len(kept):
        left = counted(len(order) - len(kept), "more feature")
        note(figure, f"{left} with weaker pairs", dark=dark)
    return figure


def shows_of(scores: InteractionScores) -> list[Shown]:
    """Return what a map can show: over models only where there are several."""
    return list(SHOWN) if len(scores.mixed) > 1 else [SHOWN[0]]


def _values(sets: ScoredSets, show: Shown) -> Float[np.ndarray, " s"]:
    if show == "top":
        return 100 * sets.cloud().in_top
    if show == "reference":
        return sets.own
    values: np.ndarray = sets.values.min(0) if show == "min" else sets.values.max(0)
    return values


def _order(sets: ScoredSets) -> Int[np.ndarray, " d"]:
    """Order the features that have a scored pair by their strongest one in any model."""
    strongest = np.full(len(sets.result.names), -1.0)
    size = np.abs(sets.values).max(0)
    for at, place in enumerate(sets.places):
        pair = sets.result.sets[place, :2]
        strongest[pair] = np.maximum(strongest[pair], size[at])
    order: np.ndarray = np.argsort(-strongest, kind="stable")
    return order[strongest[order] >= 0]


def _cells(
    sets: ScoredSets, values: Float[np.ndarray, " s"], kept: Int[np.ndarray, " f"]
) -> tuple[Float[np.ndarray, "f f"], Int[np.ndarray, "f f"]]:
    """Return the values as a symmetric matrix, and which set each cell is of; -1 where none."""
    cells = np.full((len(kept), len(kept)), np.nan)
    places = np.full(cells.shape, -1, dtype=np.int64)
    at_feature = {int(feature): at for at, feature in enumerate(kept)}
    for at, place in enumerate(sets.places):
        i, j = (at_feature.get(int(f), -1) for f in sets.result.sets[place, :2])
        if i >= 0 and j >= 0:
            cells[i, j] = cells[j, i] = values[at]
            places[i, j] = places[j, i] = at
    return cells, places


def _scale(colours: Palette, *, signed: bool) -> list[list[float | str]]:
    if not signed:
        return [[0.0, colours.grid], [1.0, colours.size]]
    return [[0.0, colours.negative], [0.5, colours.grid], [1.0, colours.positive]]


def _write_numbers(
    figure: go.Figure, cells: Float[np.ndarray, "f f"], top: float, sets: ScoredSets, show: Shown,
    colours: Palette,
) -> None:  # fmt: skip
    written = []
    for i, j in np.argwhere(np.isfinite(cells)).tolist():
        value = float(cells[i, j])
        ink = colours.size
        if sets.by == "loss" and show != "top":
            ink = colours.positive if value > 0 else colours.negative
        ground = blended(colours.grid, ink, min(1.0, abs(value) / top))
        written.append((j, i, _brief(value, top), ink_on(ground)))
    write_cells(figure, written)


def _brief(value: float, top: float) -> str:
    """Write a value with as many decimals as the largest one needs for two digits."""
    decimals = max(0, int(np.ceil(-np.log10(top))) + 1) if top < 10 else 0
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _add_targets(figure: go.Figure, places: Int[np.ndarray, "f f"], sets: ScoredSets) -> None:
    """Lay points that cannot be seen over the cells: cells themselves cannot be clicked."""
    known = np.argwhere(places >= 0)
    if not len(known):
        return
    at = places[known[:, 0], known[:, 1]]
    shares = sets.cloud().in_top
    several = sets.n_models > 1
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=known[:, 1], y=known[:, 0], mode="markers", hoverinfo="text", selected=unseen,
        unselected=unseen, marker={"size": 26, "opacity": 0, "symbol": "square"},
        customdata=sets.places[at],
        hovertext=[
            sets.told(one, *([_in_top(float(shares[one]))] if several else [])) for one in at
        ],
    )  # fmt: skip


def _in_top(share: float) -> str:
    return f"among the {TOP} strongest in {percent(share)} of the models"


def _about(sets: ScoredSets, show: Shown) -> tuple[str, ...]:
    """Say what the cells hold."""
    models = counted(sets.n_models, "model")
    if show == "top":
        return (f"% of {models} in which the pair", f"is among the {TOP} strongest")
    measured = sets.measured if sets.by == "loss" else f"% {sets.measured.partition(' ')[2]}"
    over = {"reference": "this model", "min": f"least of {models}", "max": f"most of {models}"}
    return (measured, over[show])
