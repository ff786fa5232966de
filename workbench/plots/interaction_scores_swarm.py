"""What pairs of features do together in each of several models, a dot for each model."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from workbench.core.interaction_scores import REFERENCE, TOP
from workbench.core.results import InteractionScores
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import check_bars, empty, layout_bars, padded, title
from workbench.plots.scored_sets import ALL_ALIKE, By, ScoredSets, scored_sets
from workbench.plots.theme import Palette, escaped, palette, template

LANE, DOT, MOST_SVG, TOP_MARGIN = 46, 7.0, 3000, 76
# Width in pixels at which dots do not touch, half the height that they have, and places tried.
WIDTH, ROOM, TRIED = 560.0, 19.0, 64
ONE_MODEL = "One model has no cloud: look at equally good models to see how far they differ."


def swarm(
    scores: InteractionScores,
    *,
    output: str | int | None = None,
    by: By = "mixed-difference",
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw the score of each pair in each model as a dot; the star is the given model.

    Dots that would lie on each other move apart, the further the more of them there are. Colour is
    by how much the loss of a model is above that of the given one. At the right stands in how many
    models a pair is among the five strongest.

    Parameters
    ----------
    by
        ``mixed-difference`` (share of the variance) or ``loss`` (score in the loss).
    max_features
        Pairs, those strongest in the given model first.

    Raises
    ------
    InvalidInputError
        If there is no such output, no score in the loss, or ``max_features`` is below 1.
    """
    check_bars(max_features)
    sets = scored_sets(scores, output, by=by)
    if sets.n_models < 2 or not len(sets):
        return empty(ONE_MODEL, dark=dark)
    colours, shown = palette(dark=dark), np.arange(min(max_features, len(sets)))
    values = sets.values[:, shown]
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    span = padded((low, high), 0.04) if high > low else (0.0, 1.0)
    figure = go.Figure(layout={"template": template(dark=dark)})
    _add_dots(figure, sets, shown, span, colours)
    _add_stars(figure, sets, shown, colours)
    room = 0.2 * (span[1] - span[0])
    _write_shares(figure, sets, shown, span[1] + room / 2, colours)
    layout_bars(figure, [""] * len(shown), (span[0], span[1] + room), LANE)
    labels = [sets.label(int(at)) for at in shown]
    figure.update_yaxes(range=[len(shown) - 0.4, -0.9], ticktext=labels)
    figure.update_layout(margin={"t": TOP_MARGIN}, height=figure.layout.height + TOP_MARGIN)
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1}, layer="below")
    if sets.floor is not None:
        figure.add_vline(x=sets.floor, line={"color": colours.muted, "width": 1, "dash": "dot"})
        figure.update_xaxes(ticksuffix=" %")
    rest = [f"{counted(len(sets) - len(shown), 'more pair')}"] if len(sets) > len(shown) else []
    models = f"dots: {sets.n_models:,} models"
    title(figure, sets.measured, models, "star: this model", *rest)
    return figure


def spread(
    along: Float[np.ndarray, " m"], size: float = DOT, room: float = ROOM
) -> Float[np.ndarray, " m"]:
    """Return how far each dot moves off its line, so that dots do not touch where there is room.

    A dot tries the places of van der Corput's sequence over a height that grows with the number of
    dots near it, and takes the first that is free. Where not all find one so, each takes the free
    place closest to others; and where there is none, the one furthest from others.

    Parameters
    ----------
    along
        Places on the line, in the unit of ``size``, as is ``room``.

    References
    ----------
    van der Corput (1935), Verteilungsfunktionen.
    """
    tries = room * _corput(TRIED)
    offsets, fits = _placed(along, tries, size, close=False)
    return offsets if fits else _placed(along, tries, size, close=True)[0]


def _placed(
    along: Float[np.ndarray, " m"], tries: Float[np.ndarray, " t"], size: float, *, close: bool
) -> tuple[Float[np.ndarray, " m"], bool]:
    """Place dots one after another from the left; also returns whether all found a free place."""
    offsets, fits = np.zeros(len(along)), True
    done: list[int] = []
    for dot in np.argsort(along, kind="stable"):
        near = np.array([d for d in done if abs(along[d] - along[dot]) < size], dtype=np.int64)
        done.append(int(dot))
        if not len(near):
            continue
        apart = np.hypot(along[near] - along[dot], tries[:, None] - offsets[near]).min(1)
        free = np.flatnonzero(apart >= size)
        if not len(free):
            offsets[dot], fits = tries[apart.argmax()], False
            continue
        crowd = int((np.abs(along - along[dot]) < size).sum())
        within = free[np.abs(tries[free]) <= size * crowd / 2]
        best = free[apart[free].argmin()] if close else (*within, *free)[0]
        offsets[dot] = tries[best]
    return offsets, fits


def _corput(n: int) -> Float[np.ndarray, " n"]:
    """Return the first numbers of van der Corput's sequence in base 2, from -1 to 1, 0 first."""
    bits = np.arange(1, n + 1)[:, None] >> np.arange(16) & 1
    unit: np.ndarray = (bits * 0.5 ** np.arange(1, 17)).sum(1)
    return 2 * unit - 1


def _add_dots(
    figure: go.Figure, sets: ScoredSets, shown: np.ndarray, span: tuple[float, float],
    colours: Palette,
) -> None:  # fmt: skip
    """Draw the models beside the given one, of all pairs in one trace."""
    values = np.delete(sets.values[:, shown], REFERENCE, 0)
    excess = np.delete(sets.result.excess, REFERENCE)
    scale = WIDTH / (span[1] - span[0])
    offsets = np.stack([spread(column * scale) for column in values.T], 1) / LANE
    m = len(values)
    draw = go.Scattergl if values.size > MOST_SVG else go.Scatter
    figure.add_trace(draw(
        x=values.reshape(-1), y=(np.arange(len(shown)) + offsets).reshape(-1), mode="markers",
        hoverinfo="text", customdata=np.tile(sets.places[shown], m), unselected=ALL_ALIKE,
        hovertext=[
            f"<b>{escaped(sets.name(at))}</b><br>{escaped(sets.show(float(values[model, column])))}"
            f"<br>excess loss {words.number(float(excess[model]))}"
            for model in range(m) for column, at in enumerate(shown)
        ],
        marker={
            "size": DOT, "color": np.repeat(excess, len(shown)), "colorscale": colours.scale,
            "line": {"width": 0.6, "color": colours.surface},
            "colorbar": {
                "title": {"text": "excess loss", "side": "top",
                          "font": {"color": colours.muted, "size": 12}},
                "tickfont": {"color": colours.muted}, "thickness": 8, "outlinewidth": 0,
                "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
                "len": 0.45, "nticks": 3,
            },
        },
    ))  # fmt: skip


def _add_stars(figure: go.Figure, sets: ScoredSets, shown: np.ndarray, colours: Palette) -> None:
    figure.add_scatter(
        x=sets.own[shown], y=np.arange(len(shown)), mode="markers", hoverinfo="text",
        hovertext=[sets.told(at, "this model") for at in shown], customdata=sets.places[shown],
        unselected=ALL_ALIKE,
        marker={"symbol": "star", "size": 14, "color": colours.negative,
                "line": {"width": 1.2, "color": colours.surface}},
    )  # fmt: skip


def _write_shares(
    figure: go.Figure, sets: ScoredSets, shown: np.ndarray, x: float, colours: Palette
) -> None:
    """Write in how many models each pair is among the strongest, in a column of its own."""
    shares = sets.cloud().in_top
    figure.add_scatter(
        x=np.full(len(shown) + 1, x), y=[-0.65, *range(len(shown))], mode="text",
        hoverinfo="skip", cliponaxis=False, textfont={"size": 12, "color": colours.muted},
        text=[f"in top {TOP}", *(escaped(percent(float(shares[at]))) for at in shown)],
    )  # fmt: skip
