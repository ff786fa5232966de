"""How the output changes with a feature or a pair: curves, effects, a map, and in words."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from workbench.core.errors import InvalidInputError
from workbench.core.profiles import PairProfile, Profile, Profiles
from workbench.core.schema import Feature, listing
from workbench.core.wording import counted
from workbench.numerics.row_groups import group_rows
from workbench.plots import words
from workbench.plots.layout import LABEL_LENGTH, empty, note, shortened
from workbench.plots.theme import DASHES, Palette, escaped, palette, template

HEIGHT, CELL_HEIGHT, LABEL_LINES = 440, 34, 160
# How single curves are drawn, and what a map of a pair shows.
CURVES = ("plain", "centred", "grouped", "none")
SURFACES = ("mean", "effects")
MOST_GROUPS, FEWEST_GROUPED = 4, 8
HALF = 1.96
# A value that a smaller share of the rows is near is not told as an end.
SELDOM = 0.005
# Where a value that is missing stands: right of the numbers, by a share of their range.
ASIDE = 0.08
TICKS = 5


@dataclass(frozen=True)
class _Axis:
    """Where the grid points of a feature stand; what is a category or missing has no line."""

    x: Float[np.ndarray, " g"]
    joined: slice
    apart: slice


def profile(
    profiles: Profiles,
    feature: str | None = None,
    *,
    output: str | int | None = None,
    curves: str = "plain",
    dark: bool = False,
) -> go.Figure:
    """Draw the mean curve of a feature over rows, and the curves of single rows behind it.

    The band is a 95 % interval for the choice of rows; with several models it holds their range
    as well. Single curves that are not parallel say that the feature works together with others.

    Parameters
    ----------
    feature
        By default the one whose mean curve spreads widest.
    curves
        ``plain``; ``centred`` at the first value, without intervals; ``grouped`` by shape; or
        ``none``.

    Raises
    ------
    InvalidInputError
        If there is no such feature or output, or ``curves`` is none of these.
    """
    if curves not in CURVES:
        raise InvalidInputError(f"There are no curves {curves!r}; choose one of {listing(CURVES)}.")
    which = profiles.output_index(output)
    found, colours = profiles.profile(feature, which), palette(dark=dark)
    if not len(found.grid):
        return empty(f"No row has a value of {found.feature.name}.", dark=dark)
    figure = _figure(found.feature, _most_letters(found), dark=dark)
    axis = _axis(found)
    start = curves in {"centred", "grouped"}
    singles = found.curves - found.curves[:, :1] if start else found.curves
    remark = f"mean of {counted(profiles.n_rows, 'row')}"
    if curves == "grouped" and len(singles) >= FEWEST_GROUPED:
        remark = _add_groups(figure, found, axis, singles, colours)
    elif curves != "none":
        _add_singles(figure, axis, singles, colours.haze)
        remark += f"; grey: {counted(len(singles), 'single row')}"
    mean = found.mean - found.mean[:, :1] if start else found.mean
    half = np.zeros(len(found.grid)) if start else HALF * np.nan_to_num(found.std_errors[0])
    low, high = mean.min(0), mean.max(0)
    _add_band(
        figure, axis, np.minimum(low, mean[0] - half), np.maximum(high, mean[0] + half), colours
    )
    _add_mean(figure, found, axis, mean[0], half, colours)
    what = words.quantity(profiles, which)
    _name_axes(figure, found, f"change of {what}" if start else what, axis)
    note(figure, escaped(remark), dark=dark)
    return figure


def effects(
    profiles: Profiles,
    feature: str | None = None,
    *,
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw the accumulated local effects of a number, and its mean curve moved to the same mean.

    The band is a 95 % interval for the choice of rows; with several models it holds their range
    as well. Where the dashed mean curve parts from the effects, it rests on rows that hardly occur.

    Raises
    ------
    InvalidInputError
        If there is no such feature or output.
    """
    which = profiles.output_index(output)
    feature = feature or next(iter(with_order(profiles, which)), None)
    found, colours = profiles.profile(feature, which), palette(dark=dark)
    if not found.accumulates:
        return empty(
            f"Effects accumulate along an order, and {found.feature.name} has none: see its "
            "profile.", dark=dark,
        )  # fmt: skip
    figure, axis = _figure(found.feature, 0, dark=dark), _axis(found)
    own = np.isfinite(found.effects[0])
    axis = _Axis(axis.x[own], slice(0, int(own.sum())), slice(0, 0))
    values = found.effects[:, own]
    half = HALF * np.nan_to_num(found.effect_errors[0, own])
    low, high = (
        np.minimum(values.min(0), values[0] - half),
        np.maximum(values.max(0), values[0] + half),
    )
    _add_band(figure, axis, low, high, colours)
    mean = found.mean[0, own] - np.average(found.mean[0, own], weights=found.counts[own])
    figure.add_scatter(
        x=axis.x, y=mean, mode="lines", hoverinfo="skip",
        line={"color": colours.negative, "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    shown = found._replace(grid=found.grid[own], counts=found.counts[own])
    _add_mean(figure, shown, axis, values[0], half, colours)
    _name_axes(figure, shown, f"effect on {words.quantity(profiles, which)}", axis)
    note(figure, "dashed: mean curve", dark=dark)
    return figure


def pair(
    profiles: Profiles,
    *,
    output: str | int | None = None,
    surface: str = "mean",
    dark: bool = False,
) -> go.Figure:
    """Draw the output over the values of two features as a map.

    A dot marks values that no row is near: what the map says there, no row was seen to have.

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
    figure = _figure(found.features[0], max(len(label) for label in x), dark=dark)
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
    _name_cells(figure, found, (x, y), colours)
    said = words.quantity(profiles, which)
    note(
        figure,
        escaped(f"{'mean' if surface == 'mean' else 'effect on'} {said}; dots: no row near"),
        dark=dark,
    )
    return figure


def with_order(profiles: Profiles, output: str | int | None = None) -> list[str]:
    """Name the features that effects accumulate along, the widest spread first."""
    names = [profiles.names[at] for at in profiles.ranking(output)]
    return [name for name in names if profiles.profile(name).accumulates]


def speechless(profiles: Profiles) -> set[str]:
    """Return the views that have nothing to show: no pair, no feature with an order."""
    none = set() if len(profiles.pair) else {"pair"}
    return none if with_order(profiles) else none | {"effects"}


def profile_sentence(profiles: Profiles, output: str | int | None = None) -> str:
    """Say with which features the mean output changes most, and between which values.

    Values that hardly any row has are not named: the model knows little of them.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    which = profiles.output_index(output)
    what = words.quantity(profiles, which)
    over = f"Over {counted(profiles.n_rows, 'row')} of {profiles.provenance.table}"
    if not (profiles.spreads(which) > 0).any():
        return f"{over}, the mean {what} changes with none of the features looked at."
    names = [profiles.names[at] for at in profiles.ranking(which)]
    first = profiles.profile(names[0], which)
    enough = min(SELDOM * first.counts.sum(), first.counts.max())
    often = np.flatnonzero(first.counts >= enough)
    low, high = (int(often[place(first.mean[0][often])]) for place in (np.argmin, np.argmax))
    ends = " to ".join(
        f"{words.number(float(first.mean[0, at]))} ({first.labels[at]})" for at in (low, high)
    )
    then = f" Then come {' and '.join(names[1:3])}." if len(names) > 1 else ""
    return f"{over}, the mean {what} changes most with {names[0]}: from {ends}.{then}"


def _figure(feature: Feature, letters: int, *, dark: bool) -> go.Figure:
    """Start a figure, with room below for long names of categories."""
    room = min(LABEL_LINES, 5 * letters) if feature.kind == "categorical" else 0
    return go.Figure(layout={"template": template(dark=dark), "height": HEIGHT + room})


def _most_letters(found: Profile) -> int:
    """Return the length of the longest label."""
    return max(len(label) for label in found.labels)


def _axis(found: Profile) -> _Axis:
    """Place categories side by side, numbers where they are, and what is missing beside them."""
    g = len(found.grid)
    if found.feature.kind == "categorical":
        return _Axis(np.arange(g, dtype=np.float64), slice(0, 0), slice(0, g))
    known = np.isfinite(found.grid)
    stop = int(known.sum())
    x = found.grid.copy()
    if stop < g:
        low, high = (float(x[0]), float(x[stop - 1])) if stop else (0.0, 0.0)
        x[stop:] = high + ASIDE * ((high - low) or 1.0)
    return _Axis(x, slice(0, stop), slice(stop, g))


def _add_singles(
    figure: go.Figure,
    axis: _Axis,
    curves: Float[np.ndarray, "i g"],
    colour: str,
    dash: str = "solid",
) -> None:
    """Draw single curves as one line with gaps; of categories as well, to follow a row."""
    if not len(curves):
        return
    own = axis.joined if axis.joined.stop else axis.apart
    x = np.append(axis.x[own], np.nan)
    y = np.column_stack([curves[:, own], np.full(len(curves), np.nan)])
    figure.add_scatter(
        x=np.tile(x, len(curves)), y=y.reshape(-1), mode="lines", hoverinfo="skip",
        line={"color": colour, "width": 1, "dash": dash}, connectgaps=False,
    )  # fmt: skip


def _add_groups(
    figure: go.Figure,
    found: Profile,
    axis: _Axis,
    curves: Float[np.ndarray, "i g"],
    colours: Palette,
) -> str:
    """Draw curves in groups of like shape, each with its mean, and say how far they are apart."""
    groups = group_rows(curves, MOST_GROUPS)
    own = axis.joined if axis.joined.stop else axis.apart
    for group, size in enumerate(groups.sizes):
        members = curves[groups.labels == group]
        colour, dash = colours.classes[1 + group], DASHES[1 + group]  # the first is the mean's
        _add_singles(figure, axis, members, colours.haze)
        figure.add_scatter(
            x=axis.x[own], y=members.mean(0)[own], mode="lines", hoverinfo="text",
            line={"color": colour, "width": 2, "dash": dash},
            hovertext=[
                f"<b>group of {counted(int(size), 'row')}</b><br>{escaped(label)}"
                for label in found.labels[own]
            ],
        )  # fmt: skip
    n = len(groups.sizes)
    return f"{counted(n, 'group')} of single rows; silhouette {groups.silhouette:.2f}"


def _add_band(
    figure: go.Figure, axis: _Axis, low: Float[np.ndarray, " g"], high: Float[np.ndarray, " g"],
    colours: Palette,
) -> None:  # fmt: skip
    """Tint between two lines; of points that stand apart draw whiskers."""
    x, own = axis.x[axis.joined], axis.joined
    if len(x):
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]), y=np.concatenate([high[own], low[own][::-1]]),
            mode="lines", line={"width": 0}, fill="toself", fillcolor=colours.haze,
            hoverinfo="skip",
        )  # fmt: skip
    for at in range(axis.apart.start, axis.apart.stop):
        figure.add_scatter(
            x=[axis.x[at]] * 2, y=[low[at], high[at]], mode="lines", hoverinfo="skip",
            line={"color": colours.whisker, "width": 1.5},
        )  # fmt: skip


def _add_mean(
    figure: go.Figure, found: Profile, axis: _Axis, mean: Float[np.ndarray, " g"],
    half: Float[np.ndarray, " g"], colours: Palette,
) -> None:  # fmt: skip
    """Draw the curve of the given model, with what a mouse finds there."""
    decimals = words.decimals_for(float(np.abs(mean).max())) + 1
    told = [
        f"<b>{escaped(label)}</b><br>{value:,.{decimals}f}"
        + (f" ± {wide:,.{decimals}f}" if wide else "")
        + f"<br>{counted(int(rows), 'row')} nearest"
        for label, value, wide, rows in zip(found.labels, mean, half, found.counts, strict=True)
    ]
    for own, mode in ((axis.joined, "lines+markers"), (axis.apart, "markers")):
        if own.stop > own.start:
            figure.add_scatter(
                x=axis.x[own], y=mean[own], mode=mode, hoverinfo="text", hovertext=told[own],
                line={"color": colours.positive, "width": 2.5},
                marker={"size": 6 if mode != "markers" else 9, "color": colours.positive},
            )  # fmt: skip


def _name_axes(figure: go.Figure, found: Profile, what: str, axis: _Axis) -> None:
    """Name both axes; a category and what is missing are named where they stand."""
    unit = f" in {found.feature.unit}" if found.feature.unit else ""
    figure.update_xaxes(title_text=escaped(shortened(f"{found.feature.name}{unit}", LABEL_LENGTH)))
    figure.update_yaxes(title_text=escaped(shortened(what, LABEL_LENGTH)), nticks=6)
    if axis.apart.stop == axis.apart.start:
        return
    ticks, named = list(axis.x[axis.apart]), found.labels[axis.apart]
    if axis.joined.stop:
        low, high = axis.x[0], axis.x[axis.joined.stop - 1]
        numbers = np.linspace(low, high, TICKS)[: TICKS if low < high else 1]
        # The last number would run into the name beside it.
        ticks = [*numbers[:-1], *ticks] if len(numbers) > 1 else [*numbers, *ticks]
        named = [*(words.number(float(tick)) for tick in ticks[: -len(named)]), *named]
    figure.update_xaxes(tickvals=ticks, ticktext=[escaped(shortened(name, 24)) for name in named])


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


def _told(found: PairProfile, z: np.ndarray, i: int, j: int, labels: tuple[str, str]) -> str:
    """Write what a mouse finds in a cell of the map."""
    first, second = found.features
    value = "not defined" if np.isnan(z[i, j]) else words.number(float(z[i, j]))
    rows = counted(int(found.counts[i, j]), "row")
    return (
        f"<b>{escaped(first.name)} = {escaped(labels[0])}<br>{escaped(second.name)} = "
        f"{escaped(labels[1])}</b><br>{value}<br>{rows} nearest"
    )
