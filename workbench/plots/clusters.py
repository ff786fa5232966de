"""Rows grouped by their explanations, and what the groups have in common."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.results import Attribution
from workbench.core.schema import listing
from workbench.core.wording import percent
from workbench.numerics.group_rule import Rule, group_rule
from workbench.numerics.row_groups import group_rows, principal_plane
from workbench.plots import words
from workbench.plots.layout import NO_ROWS, check_bars, empty, hover, shortened, title
from workbench.plots.rows import (
    SYMBOLS,
    check_rows,
    drawn_rows,
    lanes_of,
    sample_note,
    scatter_of,
    wrapped,
)
from workbench.plots.theme import Palette, blended, escaped, ink_on, palette, template

if TYPE_CHECKING:
    import pandas as pd

Colour = Literal["cluster", "prediction"]
COLOURS: tuple[Colour, ...] = ("cluster", "prediction")
LETTERS = "ABCDEFGH"
MAP_HEIGHT = 320
LANE = 24
GAP = 110
LABEL = 22
# Rows that are clustered; more change nothing that a reader could see.
MOST_ROWS = 5000
# Rousseeuw's reading of the silhouette.
HARDLY, WEAK, FAIR = 0.25, 0.5, 0.7
TOO_FEW = "Clusters need at least 3 rows: choose more and run again."


@dataclass(frozen=True)
class Clusters:
    """Groups of rows with similar explanations, the largest first.

    Attributes
    ----------
    rows
        Positions of the rows that were grouped: all, or a sample of many.
    labels
        Group of each of these rows; ``names`` says what it is called.
    silhouette
        How clearly the groups are apart, up to 1.
    places, shares
        Each row on the two main directions of the attributions, and their shares of the variance.
    profiles
        Mean attribution per group and feature.
    predictions
        Mean prediction per group.
    rules
        Per group, one line on raw features that tells it from the others.
    """

    features: tuple[str, ...]
    rows: np.ndarray
    labels: np.ndarray
    silhouette: float
    places: np.ndarray
    shares: np.ndarray
    profiles: np.ndarray
    predictions: np.ndarray
    rules: tuple[Rule, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """A letter for each group."""
        return tuple(LETTERS[: len(self.profiles)])

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each group."""
        return np.bincount(self.labels, minlength=len(self.profiles))

    @property
    def strength(self) -> str:
        """The silhouette in words."""
        if self.silhouette < HARDLY:
            return "hardly apart"
        if self.silhouette < WEAK:
            return "weakly apart"
        return "fairly apart" if self.silhouette < FAIR else "clearly apart"

    def to_frame(self) -> "pd.DataFrame":
        """One line per group.

        Columns: ``cluster``, ``rows``, ``rule``, ``purity`` (share of the rows that fit the rule
        which are of the group), ``coverage`` (share of the group that fits), ``prediction`` (mean),
        and the mean attribution to each feature under the feature's name, after ``→``.
        """
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        frame = pd.DataFrame({
            "cluster": self.names,
            "rows": self.sizes,
            "rule": [rule.text for rule in self.rules],
            "purity": [rule.purity for rule in self.rules],
            "coverage": [rule.coverage for rule in self.rules],
            "prediction": self.predictions,
        })
        profile = pd.DataFrame(self.profiles, columns=[f"→ {name}" for name in self.features])
        return pd.concat([frame, profile], axis=1)


def clusters_of(attribution: Attribution, output: str | int | None = None) -> Clusters:
    """Group rows by their attributions and describe each group by raw features.

    The attributions stay in their unit, so features that move the output more decide more. The
    number of groups, 2 to 8, has the best silhouette. Of more than 5,000 rows a sample is grouped,
    always the same.

    Raises
    ------
    InvalidInputError
        If there is no such output, or no row.
    """
    which = attribution.output_index(output)
    if not len(attribution):
        raise InvalidInputError(NO_ROWS)
    rows = drawn_rows(len(attribution), MOST_ROWS)
    points = attribution.values[rows][:, :, which]
    found = group_rows(points)
    places, shares = principal_plane(points)
    data = attribution.data[rows]
    groups = range(len(found.sizes))
    members = [found.labels == group for group in groups]
    return Clusters(
        features=attribution.names,
        rows=rows,
        labels=found.labels,
        silhouette=found.silhouette,
        places=places,
        shares=shares,
        profiles=np.array([points[member].mean(0) for member in members]),
        predictions=np.array([
            attribution.predictions[rows[member], which].mean() for member in members
        ]),
        rules=tuple(group_rule(member, data, attribution.schema.features) for member in members),
    )  # fmt: skip


def clusters(
    attribution: Attribution,
    *,
    output: str | int | None = None,
    colour: Colour = "cluster",
    found: Clusters | None = None,
    max_features: int = 10,
    max_rows: int = 2000,
    webgl: bool = True,
    dark: bool = False,
) -> go.Figure:
    """Draw a map of the rows by their explanations, and below the mean attributions of each group.

    The axes of the map are the two main directions of the attributions; rows close together are
    decided alike. What tells the groups apart is in the table (``clusters_of``).

    Parameters
    ----------
    colour
        ``cluster`` or ``prediction``; symbols always tell the clusters.
    found
        The clusters of this output, where they are known already.
    max_features
        Lines of the profile; further features are added up in the last.
    max_rows
        Above it, as many rows drawn at random (always the same) are shown on the map.
    webgl
        Whether more than 1,500 points are drawn by WebGL; a page that allows no generated code
        cannot use it.

    Raises
    ------
    InvalidInputError
        If there is no such output or colour, or ``max_features`` or ``max_rows`` is below 1.
    """
    which = attribution.output_index(output)
    check_bars(max_features)
    check_rows(max_rows, "map of clusters")
    if colour not in COLOURS:
        raise InvalidInputError(f"There is no colour {colour!r}; choose one of {listing(COLOURS)}.")
    n = len(attribution)
    if n < 3:
        return empty(TOO_FEW if n else NO_ROWS, dark=dark)
    found = clusters_of(attribution, which) if found is None else found
    shown = drawn_rows(len(found.rows), max_rows)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    _add_map(figure, attribution, found, shown, which, colour, webgl=webgl, colours=colours)
    n_lanes = _add_profiles(figure, attribution, found, which, max_features, colours)
    _layout(figure, found, n_lanes, colours)
    first = percent(float(found.shares[0]))
    said = [*sample_note(len(shown), n)] or [f"{n:,} rows"]
    title(
        figure, f"first main direction ({first} of variance)",
        f"{said[0]}; silhouette {words.number(found.silhouette)}: {found.strength}",
    )  # fmt: skip
    figure.update_layout(xaxis2_title_text=wrapped(
        f"mean attribution to {words.quantity(attribution, which)}", 44))  # fmt: skip
    return figure


def _inks(colours: Palette) -> list[str]:
    return [*colours.classes, colours.size, colours.text]


def _add_map(
    figure: go.Figure, attribution: Attribution, found: Clusters, shown: np.ndarray, which: int,
    colour: Colour, *, webgl: bool, colours: Palette,
) -> None:  # fmt: skip
    draw = scatter_of(len(shown), webgl=webgl)
    predictions = attribution.predictions[found.rows, which]
    low, high = float(predictions.min()), float(predictions.max())
    for group, name in enumerate(found.names):
        chosen = shown[found.labels[shown] == group]
        style: dict[str, object] = {"color": _inks(colours)[group]}
        if colour == "prediction":
            style = {
                "color": predictions[chosen], "colorscale": colours.scale, "cmin": low,
                "cmax": high if high > low else low + 1, "showscale": group == 0,
                "colorbar": _colour_bar(low, high, colours),
            }  # fmt: skip
        figure.add_trace(
            draw(
                x=found.places[chosen, 0],
                y=found.places[chosen, 1],
                mode="markers",
                name=f"{name} · {found.sizes[group]:,}",
                showlegend=True,
                marker={"size": 7, "opacity": 0.75, "symbol": SYMBOLS[group], **style},
                hovertext=[_text(attribution, found, int(i), which) for i in chosen],
                hoverinfo="text",
            )
        )
        centre = found.places[found.labels == group].mean(0)
        figure.add_annotation(
            x=centre[0], y=centre[1], text=f"<b>{name}</b>", showarrow=False,
            font={"size": 15, "color": colours.text}, bgcolor=colours.surface, opacity=0.85,
        )  # fmt: skip


def _text(attribution: Attribution, found: Clusters, place: int, which: int) -> str:
    row = int(found.rows[place])
    values = attribution.values[row, :, which]
    most = np.argsort(-np.abs(values), kind="stable")[:3]
    decimals = words.decimals_for(float(np.abs(values).max()))
    lines = [
        f"{escaped(words.feature_is(attribution, row, int(i)))}: "
        f"{words.signed(float(values[i]), decimals)}"
        for i in most
    ]
    said = escaped(words.amount(attribution, float(attribution.predictions[row, which])))
    head = f"<b>row {attribution.ids[row]}, cluster {found.names[found.labels[place]]}</b>"
    return "<br>".join([head, f"prediction {said}", *lines])


def _colour_bar(low: float, high: float, colours: Palette) -> dict[str, object]:
    return {
        "title": {"text": "prediction", "side": "right",
                  "font": {"color": colours.muted, "size": 12}},
        "tickvals": [low, high if high > low else low + 1], "ticktext": ["low", "high"],
        "tickfont": {"color": colours.muted}, "thickness": 10, "outlinewidth": 0, "len": 0.45,
        "y": 1, "yanchor": "top",
    }  # fmt: skip


def _add_profiles(
    figure: go.Figure, attribution: Attribution, found: Clusters, which: int, max_features: int,
    colours: Palette,
) -> int:  # fmt: skip
    """Add mean attributions as cells, a column per group; return the number of lines."""
    lanes = lanes_of(attribution[found.rows], which, max_features)
    z = np.array([lanes.values[found.labels == g].mean(0) for g in range(len(found.names))]).T
    limit = float(np.abs(z).max()) or 1.0
    decimals = words.decimals_for(limit)
    figure.add_heatmap(
        z=z, x=np.arange(z.shape[1]), y=np.arange(z.shape[0]), xaxis="x2", yaxis="y2",
        zmin=-limit, zmax=limit, showscale=False, xgap=2, ygap=2,
        colorscale=[[0, colours.negative], [0.5, colours.surface], [1, colours.positive]],
        hovertext=[
            [hover(f"{lane}, cluster {name}", value, None, decimals)
             for name, value in zip(found.names, line, strict=True)]
            for lane, line in zip(lanes.names, z, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip
    # All at once: plotly checks every annotation again when one is added.
    figure.update_layout(
        annotations=[
            *figure.layout.annotations,
            *(_number(group, lane, value, limit, decimals, colours)
              for (lane, group), value in np.ndenumerate(z)),
        ]
    )  # fmt: skip
    figure.update_layout(
        yaxis2={"tickvals": list(range(len(lanes.names))), "showgrid": False, "ticks": "",
                "ticktext": [escaped(shortened(name, LABEL)) for name in lanes.names],
                "range": [len(lanes.names) - 0.5, -0.5], "ticklabelstandoff": 6},
        xaxis2={"tickvals": list(range(len(found.names))), "showgrid": False, "ticks": "",
                "ticktext": [f"<b>{name}</b>" for name in found.names]},
    )  # fmt: skip
    return len(lanes.names)


def _number(
    group: int, lane: int, value: float, limit: float, decimals: int, colours: Palette
) -> dict[str, object]:
    """Write a number on its cell in whichever ink stands out."""
    ink = colours.positive if value > 0 else colours.negative
    ground = blended(colours.surface, ink, min(1.0, abs(value) / limit))
    return {
        "x": group, "y": lane, "xref": "x2", "yref": "y2", "showarrow": False,
        "text": words.signed(value, max(0, decimals - 1)),
        "font": {"size": 12, "color": ink_on(ground)},
    }  # fmt: skip


def _layout(figure: go.Figure, found: Clusters, n_lanes: int, colours: Palette) -> None:
    inner = MAP_HEIGHT + GAP + LANE * n_lanes
    second = percent(float(found.shares[1]))
    figure.update_layout(
        height=inner + 120,
        showlegend=True,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "font": {"size": 12}},
        margin={"t": 32 + 22 * -(-len(found.names) // 4)},
        xaxis={"domain": [0, 1], "anchor": "y", "nticks": 6},
        yaxis={"domain": [1 - MAP_HEIGHT / inner, 1], "nticks": 6,
               "title": {"text": f"second ({second})"}},
        xaxis2={"domain": [0, 1], "anchor": "y2",
                "title": {"font": {"size": 13, "color": colours.muted}}},
        yaxis2={"domain": [0, LANE * n_lanes / inner], "anchor": "x2"},
    )  # fmt: skip
