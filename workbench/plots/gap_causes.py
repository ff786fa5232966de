"""Why the gap: what each feature adds to it, and how well each tells the groups apart."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.gap_causes import GapCauses
from workbench.plots import words
from workbench.plots.gap_causes_words import digits_of, groups_of, scale_of
from workbench.plots.layout import (
    check_bars,
    cut,
    empty,
    hover,
    layout_bars,
    note,
    padded,
    shortened,
    span_of,
    title,
    whisker_style,
    write_lengths,
)
from workbench.plots.theme import DASHES, Palette, escaped, palette, template

HEIGHT = 460
# Features that are named beside their points.
LABELLED, NAME_LENGTH = 7, 18
# Names nearer than these shares of the axes would lie on each other.
NEAR_ACROSS, NEAR_UP = 0.2, 0.1
LEAST_SIZE, MORE_SIZE = 7.0, 16.0
ITSELF = " (the attribute itself)"


def pairs_of(result: GapCauses) -> list[str]:
    """Return the pairs of groups to choose from, that of the widest gap first."""
    names = list(result.pair_names)
    return [names.pop(result.widest), *names]


def waterfall(
    result: GapCauses, *, pair: str | int | None = None, max_features: int = 12, dark: bool = False
) -> go.Figure:
    """Draw how features carry the difference of two groups from 0 to the gap.

    Read from the top: each bar starts where the one above ends, and the last ends at the gap.
    Whiskers are 95 % intervals for the choice of rows and background. The attribute itself is
    hatched.

    Parameters
    ----------
    pair
        Name or position; by default the pair of the widest gap.
    max_features
        Bars for single features, those that add or take most first; the others are added up.

    Raises
    ------
    InvalidInputError
        If there is no such pair, or ``max_features`` is below 1.
    """
    at = result.pair_index(pair)
    check_bars(max_features)
    if not np.isfinite(result.gaps[at, 0]):
        return empty(f"There is nothing to share out: {result.reason(at)}.", dark=dark)
    colours, times = palette(dark=dark), scale_of(result)[0]
    itself = result.itself[result.pair_attributes[at]]
    shown, rest = cut(result.order(at), max_features)
    parts = times * result.contributions[at]
    lengths, half = parts[shown, 0], _half(parts)[shown]
    labels = [f"{result.names[c]}{ITSELF if itself[c] else ''}" for c in shown]
    marked = itself[shown]
    if len(rest):
        labels.append(f"{len(rest)} other features")
        lengths = np.append(lengths, parts[rest, 0].sum())
        # As if these errors were independent; the result holds no covariances.
        half = np.append(half, np.sqrt(np.square(_half(parts)[rest]).sum()))
        marked = np.append(marked, bool(itself[rest].any()))
    ends = np.cumsum(lengths)
    gap = times * float(result.gaps[at, 0])
    decimals = digits_of(result, at)
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_bar(
        x=lengths, base=ends - lengths, y=np.arange(len(labels)), width=0.72, orientation="h",
        marker={
            "color": [_ink(value, colours) for value in lengths], "line": {"width": 0},
            "pattern": {"shape": ["/" if own else "" for own in marked],
                        "fgcolor": colours.surface, "size": 6},
        },
        error_x=whisker_style(half, colours),
        hovertext=[
            hover(name, value, wide, decimals)
            for name, value, wide in zip(labels, lengths, half, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip
    for x in (0.0, gap):
        figure.add_vline(
            x=x, line={"color": colours.muted, "width": 1, "dash": DASHES[2]}, layer="below"
        )
    write_lengths(figure, lengths, ends, half, decimals)
    span = span_of(ends - lengths, ends, half, np.array([0.0, gap]))
    layout_bars(figure, [shortened(label) for label in labels], padded(span, 0.16))
    low, high = (words.signed(times * float(end), decimals) for end in result.gaps[at, 1:])
    ends_said = "" if result.reason(at) else f" ({low} to {high})"
    note(figure, f"gap {words.signed(gap, decimals)}{ends_said}", dark=dark)
    group, other = groups_of(result, at)
    title(figure, _axis(result), f"{group} less {other}", "whiskers: 95 %")
    return figure


def proxies(result: GapCauses, *, pair: str | int | None = None, dark: bool = False) -> go.Figure:
    """Draw for each feature how well it tells two groups apart, and what it adds to their gap.

    Features to the right stand in for the group; those far from the dotted line at 0 as well
    carry the gap. The larger a point, the more the model makes of the feature; the diamond is the
    attribute itself.

    Raises
    ------
    InvalidInputError
        If there is no such pair.
    """
    at = result.pair_index(pair)
    told, parts = result.told[at], scale_of(result)[0] * result.contributions[at]
    known = np.isfinite(told[:, 0]) & np.isfinite(parts[:, 0])
    if not known.any():
        return empty("Too few rows of a group to say how well features tell it.", dark=dark)
    colours, itself = palette(dark=dark), result.itself[result.pair_attributes[at]]
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    rows = np.flatnonzero(known)
    figure.add_scatter(
        x=told[rows, 0], y=parts[rows, 0], mode="markers", hoverinfo="text",
        hovertext=[_about(result, at, int(c)) for c in rows],
        marker={
            "size": _sizes(result)[rows], "opacity": 0.85,
            "symbol": ["diamond" if own else "circle" for own in itself[rows]],
            "color": [_ink(value, colours) for value in parts[rows, 0]],
            "line": {"width": 1, "color": colours.surface},
        },
        error_x=_ends(told[rows], colours), error_y=_ends(parts[rows], colours),
    )  # fmt: skip
    _name(figure, result, at, rows, colours)
    line = {"color": colours.muted, "width": 1, "dash": DASHES[2]}
    figure.add_hline(y=0, line=line, layer="below")
    figure.add_vline(x=0.5, line=line, layer="below")
    low = min(0.45, float(np.nanmin(told[rows])) - 0.03)
    figure.update_xaxes(
        range=[low, 1.06],
        tickvals=[0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        tickangle=0,
        title_text="how well it tells the groups<br>(AUC; 0.5 is guessing)",
    )
    figure.update_yaxes(title_text=escaped(f"adds to the gap, {_axis(result)}"), nticks=6)
    note(figure, "right and far from 0: stands in for the group", dark=dark)
    return figure


def _name(
    figure: go.Figure, result: GapCauses, pair: int, rows: Int[np.ndarray, " c"], colours: Palette
) -> None:
    """Write the names of the features that matter most beside their points."""
    told, parts = result.told[pair, :, 0], result.contributions[pair, :, 0]
    reach = np.abs(parts) / max(float(np.abs(parts).max()), 1e-300)
    # Well told features are named as well where they add little: that too is worth knowing.
    worth = np.where(np.isfinite(told), np.maximum(reach, 2 * (told - 0.5) - 0.2), -1.0)
    chosen = [int(c) for c in np.argsort(-worth, kind="stable") if c in rows][:LABELLED]
    times, sizes = scale_of(result)[0], _sizes(result)
    span = max(float(np.ptp(parts[rows])), 1e-300)
    for place, c in enumerate(chosen):
        left = told[c] > 0.75
        crowded = any(
            abs(told[c] - told[o]) < NEAR_ACROSS and abs(parts[c] - parts[o]) < NEAR_UP * span
            and parts[c] < parts[o]
            for o in chosen[:place] + chosen[place + 1 :]
        )  # fmt: skip
        figure.add_annotation(
            x=told[c], y=times * parts[c], text=escaped(shortened(result.names[c], NAME_LENGTH)),
            showarrow=False, xanchor="right" if left else "left",
            yanchor="top" if crowded else "bottom",
            xshift=(-1 if left else 1) * (sizes[c] / 2 + 2), yshift=-2 if crowded else 2,
            font={"size": 12, "color": colours.text},
        )  # fmt: skip


def _sizes(result: GapCauses) -> Float[np.ndarray, " d"]:
    """Diameters; the area grows with what the model makes of a feature."""
    effect = np.nan_to_num(result.effects[:, 0])
    sizes: np.ndarray = LEAST_SIZE + MORE_SIZE * np.sqrt(effect / max(effect.max(), 1e-300))
    return sizes


def _ends(values: Float[np.ndarray, "c 3"], colours: Palette) -> dict[str, object]:
    return {
        "type": "data", "symmetric": False, "array": values[:, 2] - values[:, 0],
        "arrayminus": values[:, 0] - values[:, 1], "color": colours.whisker, "thickness": 1,
        "width": 3,
    }  # fmt: skip


def _half(parts: Float[np.ndarray, "d 3"]) -> Float[np.ndarray, " d"]:
    """Half widths; 0 where no interval is known, and none is drawn."""
    half: np.ndarray = np.nan_to_num((parts[:, 2] - parts[:, 1]) / 2)
    return half


def _ink(value: float, colours: Palette) -> str:
    return colours.positive if value >= 0 else colours.negative


def _axis(result: GapCauses) -> str:
    if result.unit == "probability":
        return f"points of 100 for {result.output}"
    return f"{result.unit or 'mean'} of {result.output}"


def _about(result: GapCauses, pair: int, c: int) -> str:
    times, unit = scale_of(result)
    own, low, high = (times * float(part) for part in result.contributions[pair, c])
    digits = words.decimals_for(max(abs(own), abs(high - low) / 2)) if np.isfinite(low) else 2
    name = f"{result.names[c]}{ITSELF if result.itself[result.pair_attributes[pair], c] else ''}"
    lines = [
        f"<b>{escaped(name)}</b>",
        f"adds {words.signed(own, digits)} {escaped(unit)} ({words.signed(low, digits)} to "
        f"{words.signed(high, digits)})" if np.isfinite(low)
        else f"adds {words.signed(own, digits)} {escaped(unit)}",
        "tells the groups: {:.2f} ({:.2f} to {:.2f})".format(*result.told[pair, c]),
        f"moves predictions by {words.number(times * float(result.effects[c, 0]))} "
        f"{escaped(unit)} on average",
    ]  # fmt: skip
    return "<br>".join(lines)
