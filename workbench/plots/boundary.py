"""People around the decision: their scores, their ranges, and what differs from a neighbour."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Int

from workbench.core.boundary import NOBODY, WHO, BoundaryPeople
from workbench.core.errors import InvalidInputError
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots.boundary_words import person_sentence, points
from workbench.plots.layout import (
    check_bars,
    empty,
    folded,
    layout_bars,
    note,
    padded,
    shortened,
    title,
)
from workbench.plots.theme import DASHES, Palette, escaped, palette, template

LINE_HEIGHT, LEGEND_HEIGHT = 24, 24
# Groups with a colour of their own; the others share one.
COLOURED, NAME_LENGTH = 5, 26
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "cross")
OTHERS = "other groups"
BINS, HISTOGRAM = 20, 340
LABEL_LENGTH = 24


def strip(
    result: BoundaryPeople, *, by: str | None = None, max_people: int = 25, dark: bool = False
) -> go.Figure:
    """Draw the people looked at in full around the boundary, the closest first.

    A mark is the score by the model, in colour and shape of the person's group, hollow where the
    label says that the decision is wrong; the line is the range over equally good models, thick
    where some of them decide otherwise. The dashed line, or each person's small one where there
    are more than two classes, is where the decision tips.

    Parameters
    ----------
    by
        Protected attribute that colours; by default the first.

    Raises
    ------
    InvalidInputError
        If there is no such attribute, or ``max_people`` is below 1.
    """
    check_bars(max_people)
    attribute = attribute_index(result, by)
    shown, colours = result.chosen[:max_people], palette(dark=dark)
    if not len(shown):
        return empty(f"Nobody of these rows is {WHO[result.who].lower()}.", dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    _add_ranges(figure, result, shown, colours)
    _add_scores(figure, result, shown, attribute, colours)
    layout_bars(figure, [f"row {result.ids[i]}" for i in shown], _span(result, shown), LINE_HEIGHT)
    _add_boundary(figure, result, shown, colours)
    said = ["line: equally good models"] if result.has_ranges else ["equally good models not asked"]
    hollow = ["hollow: wrong by the label"] if result.wrong[shown].any() else []
    left = len(result.chosen) - len(shown)
    further = [f"{left} more are further away"] if left else []
    title(figure, f"points of 100 for {result.favourable}", *said, *hollow, *further)
    if attribute is not None:
        _show_legend(figure)
    return figure


def attribute_index(result: BoundaryPeople, by: str | None) -> int | None:
    """Return the position of a protected attribute; None where there is none to choose.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    if by is None:
        return 0 if result.attributes else None
    if by not in result.attributes:
        known = listing(result.attributes) if result.attributes else "there is none"
        raise InvalidInputError(f"There are no groups by {by!r}; choose one of {known}.")
    return result.attributes.index(by)


def _span(result: BoundaryPeople, shown: Int[np.ndarray, " m"]) -> tuple[float, float]:
    drawn = np.concatenate([
        part[shown] for part in (result.scores, result.boundaries, result.low, result.high)
    ])  # fmt: skip
    low, high = np.nanmin(drawn), np.nanmax(drawn)
    low, high = padded((100 * float(low), 100 * max(float(high), float(low) + 0.001)), 0.06)
    return low, high


def _add_ranges(
    figure: go.Figure, result: BoundaryPeople, shown: Int[np.ndarray, " m"], colours: Palette
) -> None:
    """Draw all ranges as two lines with gaps: one thick, where some decide otherwise, one thin."""
    tips = result.straddles[shown]
    for which, ink, width in ((~tips, colours.others, 2), (tips, colours.size, 5)):
        places = np.flatnonzero(which & np.isfinite(result.low[shown]))
        x = np.full(3 * len(places), np.nan)
        x[0::3], x[1::3] = 100 * result.low[shown[places]], 100 * result.high[shown[places]]
        figure.add_scatter(
            x=x, y=np.repeat(places, 3), mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": ink, "width": width}, opacity=0.55,
        )  # fmt: skip


def _add_scores(
    figure: go.Figure,
    result: BoundaryPeople,
    shown: Int[np.ndarray, " m"],
    attribute: int | None,
    colours: Palette,
) -> None:
    names = [result.group_of(int(i), attribute or 0) for i in shown]
    kept = [] if attribute is None else _commonest(names)
    groups = [name if name in kept else OTHERS for name in names]
    order = [*kept, *([OTHERS] if OTHERS in groups else [])]
    for at, group in enumerate(order):
        places = np.array([place for place, own in enumerate(groups) if own == group])
        wrong = result.wrong[shown[places]]
        ink = colours.others if group == OTHERS and kept else colours.classes[at % len(SYMBOLS)]
        shape = SYMBOLS[at % len(SYMBOLS)]
        figure.add_scatter(
            x=100 * result.scores[shown[places]],
            y=places,
            mode="markers",
            name=escaped(shortened(group, NAME_LENGTH)),
            marker={
                "size": 11,
                "color": ink,
                "symbol": [f"{shape}-open" if own else shape for own in wrong],
                "line": {"color": ink, "width": 2},
            },
            customdata=result.ids[shown[places]],
            hovertext=[_about(result, int(i)) for i in shown[places]],
            hoverinfo="text",
        )


def _commonest(names: list[str]) -> list[str]:
    """Return the groups with a colour of their own, the commonest first."""
    found = sorted(set(names), key=lambda name: (-names.count(name), names.index(name)))
    return found if len(found) <= COLOURED + 1 else found[:COLOURED]


def _about(result: BoundaryPeople, person: int) -> str:
    said = person_sentence(result, int(result.ids[person]))
    groups = [f"{name}: {result.group_of(person, a)}" for a, name in enumerate(result.attributes)]
    head, _, rest = said.partition(": ")
    lines = (folded(part) for part in (*rest.split("; "), *groups))
    return "<br>".join([f"<b>{escaped(head)}</b>", *lines])


def _add_boundary(
    figure: go.Figure, result: BoundaryPeople, shown: Int[np.ndarray, " m"], colours: Palette
) -> None:
    line = {"color": colours.text, "width": 1.5, "dash": DASHES[1]}
    if result.is_binary:
        figure.add_vline(x=50, line=line)
        return
    x = np.repeat(100 * result.boundaries[shown], 3)
    x[2::3] = np.nan
    y = np.repeat(np.arange(len(shown), dtype=np.float64), 3)
    y[0::3] -= 0.35
    y[1::3] += 0.35
    figure.add_scatter(
        x=x, y=y, mode="lines", hoverinfo="skip", showlegend=False, line={**line, "dash": "solid"}
    )


def _show_legend(figure: go.Figure) -> None:
    figure.update_layout(
        showlegend=True,
        legend={
            "orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left",
            "itemclick": False, "itemdoubleclick": False, "bgcolor": "rgba(0,0,0,0)",
        },
        margin={"t": 40 + LEGEND_HEIGHT * ((len(figure.data) - 1) // 3)},
    )  # fmt: skip


def scores(result: BoundaryPeople, *, dark: bool = False) -> go.Figure:
    """Draw how many people have each score; the darker part is decided otherwise by some model."""
    colours = palette(dark=dark)
    edges = np.linspace(0, 1, BINS + 1)
    inside = np.clip(np.digitize(result.scores, edges) - 1, 0, BINS - 1)
    tips = result.straddles
    parts = (
        ("some model decides otherwise", tips, colours.size, "/"),
        ("all decide alike" if result.has_ranges else "people", ~tips, colours.others, ""),
    )
    figure = go.Figure(layout={"template": template(dark=dark), "height": HISTOGRAM})
    for name, which, ink, pattern in parts if result.has_ranges else parts[1:]:
        counts = np.bincount(inside[which], minlength=BINS)
        everybody = np.bincount(inside, minlength=BINS)
        figure.add_bar(
            x=100 * (edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=0.92 * 100 / BINS,
            name=name,
            marker={"color": ink, "line": {"width": 0}, "pattern": {"shape": pattern}},
            hovertext=[
                f"<b>{100 * low:.0f} to {100 * high:.0f} of 100</b><br>"
                f"{counted(int(count), 'row')} of {int(total):,}: {name}"
                for low, high, count, total in zip(
                    edges[:-1], edges[1:], counts, everybody, strict=True
                )
            ],
            hoverinfo="text",
        )
    figure.update_layout(barmode="stack")
    if result.is_binary:
        figure.add_vline(x=50, line={"color": colours.text, "width": 1.5, "dash": DASHES[1]})
    figure.update_xaxes(range=[0, 100])
    figure.update_yaxes(title_text="people", rangemode="tozero")
    title(figure, f"points of 100 for {result.favourable}")
    if result.has_ranges:
        _show_legend(figure)
    return figure


def person(
    result: BoundaryPeople, *, row: int | None = None, max_features: int = 12, dark: bool = False
) -> go.Figure:
    """Draw what sets a person apart from the most similar one who is decided otherwise.

    Parameters
    ----------
    row
        Number of the person's row in the file; by default the closest to the boundary.

    Raises
    ------
    InvalidInputError
        If that row was not looked at in full, or ``max_features`` is below 1.
    """
    check_bars(max_features)
    if not len(result.chosen):
        return empty(f"Nobody of these rows is {WHO[result.who].lower()}.", dark=dark)
    place = result.place_of(row)
    own = int(result.chosen[place])
    if result.neighbour_ids[place] == NOBODY:
        return empty("Nobody in the table is decided otherwise.", dark=dark)
    parts = result.contributions[place]
    order = [int(j) for j in np.argsort(-parts, kind="stable") if result.differs[place, j]]
    if not parts.any():
        return empty("Nothing that counts differs, and yet they are decided otherwise.", dark=dark)
    shown, colours = order[:max_features], palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    labels = [_change(result, place, j) for j in shown]
    counts = [parts[j] > 0 for j in shown]
    figure.add_bar(
        x=parts[shown],
        y=np.arange(len(shown)),
        width=0.62,
        orientation="h",
        marker={"color": colours.size, "line": {"width": 0}},
        hovertext=[
            f"<b>{folded(label)}</b><br>{parts[j]:.2f} of the distance of "
            f"{result.distances[place]:.2f}"
            for label, j in zip(labels, shown, strict=True)
        ],
        hoverinfo="text",
    )
    figure.add_scatter(
        x=parts[shown], y=np.arange(len(shown)), mode="text", cliponaxis=False, hoverinfo="skip",
        textposition="middle right", textfont={"size": 12, "color": colours.text},
        text=[
            f"\N{NO-BREAK SPACE}{parts[j]:.2f}" if does else "\N{NO-BREAK SPACE}not counted"
            for j, does in zip(shown, counts, strict=True)
        ],
    )  # fmt: skip
    room = max(float(parts[shown].max()), 0.1)
    layout_bars(
        figure, [shortened(result.names[j], LABEL_LENGTH) for j in shown], (0.0, 1.5 * room)
    )
    ratio = (
        [f"{percent(float(result.distances[place] / result.typical[place]))} of what is typical"]
        if result.typical[place] else []
    )  # fmt: skip
    title(
        figure, "standard deviations apart", *ratio,
        f"row {result.ids[own]} against row {result.neighbour_ids[place]}",
    )  # fmt: skip
    if left := len(order) - len(shown):
        note(figure, f"{left} more features differ", dark=dark)
    return figure


def _change(result: BoundaryPeople, place: int, j: int) -> str:
    feature = result.schema.features[j]
    own, other = (
        feature.show(float(part[place, j])) for part in (result.data, result.neighbour_data)
    )
    return f"{feature.name}: {own} → {other}"


def side_by_side(
    result: BoundaryPeople, row: int | None = None
) -> list[tuple[str, str, str, bool]]:
    """List feature, the person's value, the neighbour's, and whether they differ; score first.

    Raises
    ------
    InvalidInputError
        If that row was not looked at in full.
    """
    place = result.place_of(row)
    own = int(result.chosen[place])
    score, other = float(result.scores[own]), float(result.neighbour_scores[place])
    lines = [(
        f"points of 100 for {result.favourable}", points(score),
        "" if np.isnan(other) else points(other), True,
    )]  # fmt: skip
    order = np.argsort(-result.contributions[place], kind="stable")
    differing = [int(j) for j in order if result.differs[place, j]]
    alike = [j for j in range(len(result.names)) if not result.differs[place, j]]
    for j in (*differing, *alike):
        feature = result.schema.features[j]
        lines.append((
            feature.name, feature.show(float(result.data[place, j])),
            feature.show(float(result.neighbour_data[place, j])), bool(result.differs[place, j]),
        ))  # fmt: skip
    return lines
