"""Features as circles and what they do together as lines between them."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.interaction_scores import REFERENCE
from workbench.core.results import InteractionScores
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.interactions import (
    HEIGHT,
    LINE_WIDTHS,
    NODE_SIZES,
    circle_of,
    name_nodes,
)
from workbench.plots.layout import empty, note, title
from workbench.plots.scored_sets import By, ScoredSets, scored_sets
from workbench.plots.theme import Palette, escaped, palette, template

HALO_OPACITY = 0.22


def network(
    scores: InteractionScores,
    *,
    output: str | int | None = None,
    by: By = "mixed-difference",
    max_pairs: int = 20,
    dark: bool = False,
) -> go.Figure:
    """Draw features as circles and the pairs that matter as lines between them.

    The area of a circle is all that a feature has part in, the width of a line the score of a pair,
    over several models the median, with a pale line as wide as the greatest behind it. Lines that
    weaken are dashed.

    Parameters
    ----------
    by
        ``mixed-difference``: pairs above the practical floor; ``loss``: pairs whose interval is on
        one side of 0.
    max_pairs
        Lines, strongest first.

    Raises
    ------
    InvalidInputError
        If there is no such output, no score in the loss, or ``max_pairs`` is below 1.
    """
    if max_pairs < 1:
        raise InvalidInputError(f"A network needs at least 1 pair, got {max_pairs}.")
    sets = scored_sets(scores, output, by=by)
    middle = np.median(sets.values, 0) if len(sets) else np.zeros(0)
    lines = _lines(sets, middle)
    if not len(lines):
        return empty("No pair of features does enough together to be drawn.", dark=dark)
    colours, kept = palette(dark=dark), lines[:max_pairs]
    features = np.unique(scores.sets[sets.places[kept], :2])
    x, y = circle_of(len(features))
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    _draw_lines(
        figure, sets, kept[::-1], middle, _ends(sets, kept[::-1], features), (x, y), colours
    )
    _draw_nodes(figure, sets, features, (x, y), colours)
    axis = {"showgrid": False, "showticklabels": False, "ticks": ""}
    figure.update_xaxes(**axis, range=[-2.1, 2.1])
    figure.update_yaxes(**axis, range=[-1.4, 1.4], scaleanchor="x")
    several = sets.n_models > 1
    halo = [f"halo: most of {counted(sets.n_models, 'model')}"] if several else []
    width = "lines: median" if several else "lines: pairs"
    title(figure, sets.measured, width, *halo, "circles: all a feature does", *_dashes(sets, kept))
    if remark := _left_out(scores, lines, kept, features):
        note(figure, remark, dark=dark)
    return figure


def _lines(sets: ScoredSets, middle: Float[np.ndarray, " s"]) -> Int[np.ndarray, " e"]:
    """Return the pairs that are drawn, the strongest first."""
    if sets.floor is None:
        half = sets.half if sets.n_models == 1 else np.minimum(sets.half, np.abs(middle))
        drawn = np.flatnonzero(np.abs(middle) > half)
    else:
        drawn = np.flatnonzero(middle > sets.floor)
    found: np.ndarray = drawn[np.argsort(-np.abs(middle[drawn]), kind="stable")]
    return found


def _ends(
    sets: ScoredSets, kept: Int[np.ndarray, " e"], features: Int[np.ndarray, " f"]
) -> Int[np.ndarray, "e 2"]:
    """Return where on the circle both features of each line are."""
    ends: np.ndarray = np.searchsorted(features, sets.result.sets[sets.places[kept], :2])
    return ends


def _draw_lines(
    figure: go.Figure, sets: ScoredSets, kept: Int[np.ndarray, " e"],
    middle: Float[np.ndarray, " s"], ends: Int[np.ndarray, "e 2"],
    circle: tuple[np.ndarray, np.ndarray], colours: Palette,
) -> None:  # fmt: skip
    """Draw each pair, the range over the models behind it, and a point that answers the mouse."""
    x, y = circle
    most = np.abs(sets.values[:, kept]).max()
    thin, thick = LINE_WIDTHS
    for at, pair in zip(kept, ends, strict=True):
        colour = sets.colour(int(at), colours)
        widths = [float(np.abs(sets.values[:, at]).max()), abs(float(middle[at]))]
        for value, opacity in zip(widths, (HALO_OPACITY, 0.85), strict=True):
            if opacity == HALO_OPACITY and sets.n_models == 1:
                continue
            dashed = sets.directions[at] < 0 and opacity != HALO_OPACITY
            figure.add_scatter(
                x=x[pair], y=y[pair], mode="lines", hoverinfo="skip", opacity=opacity,
                line={"color": colour, "width": thin + (thick - thin) * value / most,
                      "dash": "dash" if dashed else "solid"},
            )  # fmt: skip
    figure.add_scatter(
        x=x[ends].mean(1), y=y[ends].mean(1), mode="markers", hoverinfo="text",
        customdata=sets.places[kept], marker={"size": 16, "opacity": 0},
        selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}},
        hovertext=[sets.told(int(at), *_median(sets, float(middle[at]))) for at in kept],
    )  # fmt: skip


def _median(sets: ScoredSets, value: float) -> list[str]:
    return [f"median {escaped(sets.show(value))}"] if sets.n_models > 1 else []


def _draw_nodes(
    figure: go.Figure, sets: ScoredSets, features: Int[np.ndarray, " f"],
    circle: tuple[np.ndarray, np.ndarray], colours: Palette,
) -> None:  # fmt: skip
    """Draw features by what they have part in, or by what shuffling them costs."""
    (x, y), result = circle, sets.result
    if sets.by == "loss":
        assert result.loss_effects is not None  # noqa: S101 - they come with the scores
        effects = np.abs(result.loss_effects[REFERENCE, features])
        said = [f"shuffled alone, the loss rises by {words.number(float(v))}" for v in effects]
    else:
        variance = float(result.variances[REFERENCE, sets.which]) or 1.0
        effects = result.totals[REFERENCE, features, sets.which] / variance
        said = [f"part in {percent(float(v))} of the variance" for v in effects]
    small, large = NODE_SIZES
    most = max(float(effects.max()), np.finfo(float).tiny)
    names = [result.names[i] for i in features]
    figure.add_scatter(
        x=x, y=y, mode="markers", hoverinfo="text",
        marker={"size": small + (large - small) * np.sqrt(effects / most), "opacity": 1,
                "color": colours.size, "line": {"color": colours.surface, "width": 2}},
        hovertext=[
            f"<b>{escaped(name)}</b><br>{escaped(text)}"
            for name, text in zip(names, said, strict=True)
        ],
    )  # fmt: skip
    name_nodes(figure, circle, names)


def _dashes(sets: ScoredSets, kept: np.ndarray) -> list[str]:
    """Say what dashed lines are, where there are any."""
    if not (sets.directions[kept] < 0).any():
        return []
    return ["dashed: less loss together" if sets.by == "loss" else "dashed: weaken each other"]


def _left_out(
    scores: InteractionScores, lines: np.ndarray, kept: np.ndarray, features: np.ndarray
) -> str:
    """Say what is not drawn."""
    said = []
    if len(lines) > len(kept):
        said.append(f"{counted(len(lines) - len(kept), 'weaker pair')}")
    if rest := len(scores.names) - len(features):
        said.append(f"{counted(rest, 'feature')} without a line")
    return "not drawn: " + ", ".join(said) if said else ""
