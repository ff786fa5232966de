"""How the output changes with a feature: curves, effects, and in words."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.profiles import Profile, Profiles
from workbench.core.schema import listing
from workbench.core.wording import counted
from workbench.plots import words
from workbench.plots.layout import empty, note
from workbench.plots.profile_drawing import (
    HALF,
    Axis,
    add_band,
    add_counts,
    add_mean,
    add_singles,
    axis_of,
    figure_of,
    most_letters,
    name_axes,
)
from workbench.plots.profile_groups import (
    FEWEST_GROUPED,
    NO_GROUPS,
    CurveGroups,
    curve_groups,
)
from workbench.plots.theme import DASHES, Palette, escaped, palette

# How single curves are drawn, and whether effects have the mean curve beside them.
CURVES = ("plain", "centred", "grouped", "models", "none")
BESIDE = ("dashed", "none")
# A value that a smaller share of the rows is near is not told as an end.
SELDOM = 0.005


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
        ``plain``; ``centred`` at the first value; ``grouped`` by shape; in their place the mean
        curves of the other ``models``; or ``none``.

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
    figure = figure_of(found.feature, most_letters(found), dark=dark)
    axis = axis_of(found)
    start = curves in {"centred", "grouped"}
    singles = found.curves - found.curves[:, :1] if start else found.curves
    remark = f"mean of {counted(profiles.n_rows, 'row')}"
    if curves == "models":
        add_singles(figure, axis, found.mean[1:], colours.haze)
        remark += f"; grey: {counted(profiles.n_models - 1, 'equally good model')}"
    elif curves != "none":
        add_singles(figure, axis, singles, colours.haze)
        remark += f"; grey: {counted(len(singles), 'single row')}"
    groups = curve_groups(profiles, feature, which) if curves == "grouped" else NO_GROUPS
    if len(groups.groups) > 1:
        _add_groups(figure, found, axis, groups, colours)
        remark = (
            f"{counted(len(groups.groups), 'group')} of single rows; silhouette "
            f"{groups.silhouette:.2f}"
        )
    mean = found.mean - found.mean[:, :1] if start else found.mean
    half = _half(found, singles, profiles.n_rows, start=start)
    low, high = mean.min(0), mean.max(0)
    add_band(
        figure, axis, np.minimum(low, mean[0] - half), np.maximum(high, mean[0] + half), colours
    )
    add_mean(figure, found, axis, mean[0], half, colours)
    what = words.quantity(profiles, which)
    name_axes(figure, found, f"change of {what}" if start else what, axis)
    add_counts(figure, found.counts, axis, colours)
    note(figure, escaped(remark), dark=dark)
    return figure


def _half(
    found: Profile, singles: Float[np.ndarray, "i g"], n_rows: int, *, start: bool
) -> Float[np.ndarray, " g"]:
    """Return half the width of the interval for the choice of rows.

    Of a mean that starts at 0, the rows' variance is that of the drawn curves.
    """
    if not start:
        return HALF * np.nan_to_num(found.std_errors[0])
    if len(singles) < FEWEST_GROUPED:
        return np.zeros(len(found.grid))
    return HALF * singles.std(0, ddof=1) / np.sqrt(n_rows)


def _add_groups(
    figure: go.Figure, found: Profile, axis: Axis, groups: CurveGroups, colours: Palette
) -> None:
    """Draw each group's mean curve, named where it ends."""
    own = axis.joined if axis.joined.stop else axis.apart
    for place, group in enumerate(groups.groups, 1):  # the first colour is the mean's
        figure.add_scatter(
            x=axis.x[own], y=group.curve[own], mode="lines", hoverinfo="text",
            line={"color": colours.classes[place], "width": 2, "dash": DASHES[place]},
            hovertext=[
                f"<b>{group.name}: {counted(group.size, 'row')}</b><br>{escaped(label)}"
                for label in found.labels[own]
            ],
        )  # fmt: skip
        figure.add_scatter(
            x=axis.x[own][-1:], y=group.curve[own][-1:], mode="text", text=[f" {group.name}"],
            textposition="middle right", cliponaxis=False, hoverinfo="skip",
            textfont={"color": colours.classes[place], "size": 14},
        )  # fmt: skip


def effects(
    profiles: Profiles,
    feature: str | None = None,
    *,
    output: str | int | None = None,
    mean: str = "dashed",
    dark: bool = False,
) -> go.Figure:
    """Draw the accumulated local effects of a number, and its mean curve moved to the same mean.

    The band is a 95 % interval for the choice of rows; with several models it holds their range
    as well. Where the dashed mean curve parts from the effects, it rests on rows that hardly occur.

    Parameters
    ----------
    mean
        ``dashed``, or ``none`` for the effects alone.

    Raises
    ------
    InvalidInputError
        If there is no such feature or output, or ``mean`` is none of these.
    """
    if mean not in BESIDE:
        raise InvalidInputError(
            f"The mean curve cannot be {mean!r}; choose one of {listing(BESIDE)}."
        )
    which = profiles.output_index(output)
    feature = feature or next(iter(with_order(profiles, which)), None)
    found, colours = profiles.profile(feature, which), palette(dark=dark)
    if not found.accumulates:
        return empty(
            f"Effects accumulate along an order, and {found.feature.name} has none: see its "
            "profile.", dark=dark,
        )  # fmt: skip
    figure, axis = figure_of(found.feature, 0, dark=dark), axis_of(found)
    own = np.isfinite(found.effects[0])
    axis = Axis(axis.x[own], slice(0, int(own.sum())), slice(0, 0))
    values = found.effects[:, own]
    half = HALF * np.nan_to_num(found.effect_errors[0, own])
    low, high = (
        np.minimum(values.min(0), values[0] - half),
        np.maximum(values.max(0), values[0] + half),
    )
    add_band(figure, axis, low, high, colours)
    if mean == "dashed":
        curve = found.mean[0, own] - np.average(found.mean[0, own], weights=found.counts[own])
        figure.add_scatter(
            x=axis.x, y=curve, mode="lines", hoverinfo="skip",
            line={"color": colours.negative, "width": 1.5, "dash": "dash"},
        )  # fmt: skip
        note(figure, "dashed: mean curve", dark=dark)
    shown = found._replace(grid=found.grid[own], counts=found.counts[own])
    add_mean(figure, shown, axis, values[0], half, colours)
    name_axes(figure, shown, f"effect on {words.quantity(profiles, which)}", axis)
    add_counts(figure, shown.counts, axis, colours)
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
    low, high = (_told(first, at) for at in _ends(first))
    then = f" Then come {' and '.join(names[1:3])}." if len(names) > 1 else ""
    return f"{over}, the mean {what} changes most with {names[0]}: from {low} to {high}.{then}"


def feature_sentence(
    profiles: Profiles, feature: str | None = None, output: str | int | None = None
) -> str:
    """Say between which values the mean output lies, and how far single rows move.

    Raises
    ------
    InvalidInputError
        If there is no such feature or output.
    """
    which = profiles.output_index(output)
    found = profiles.profile(feature, which)
    if not found.counts.any():
        return f"No row has a value of {found.feature.name}."
    often = _often(found)
    low, high = (_told(found, at) for at in _ends(found))
    said = f"Over the values of {found.feature.name} that rows have, the mean "
    said += f"{words.quantity(profiles, which)} lies between {low} and {high}."
    if len(found.curves) < FEWEST_GROUPED:
        return said
    near, far = np.quantile(np.ptp(found.curves[:, often], axis=1), (0.25, 0.75))
    return (
        f"{said} From its lowest to its highest, half of the single rows move by "
        f"{words.number(float(near))} to {words.number(float(far))}."
    )


def _often(found: Profile) -> Int[np.ndarray, " e"]:
    """Return the grid points that enough rows are near to speak of."""
    return np.flatnonzero(found.counts >= min(SELDOM * found.counts.sum(), found.counts.max()))


def _ends(found: Profile) -> tuple[int, int]:
    """Return where the mean curve is lowest and highest, of values that occur."""
    often = _often(found)
    mean = found.mean[0][often]
    return int(often[mean.argmin()]), int(often[mean.argmax()])


def _told(found: Profile, at: int) -> str:
    return f"{words.number(float(found.mean[0, at]))} ({found.labels[at]})"
