"""A row and what became of it: effects before and after, and scenarios side by side."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.results import Attribution, Counterfactuals
from workbench.plots import words
from workbench.plots.layout import (
    CONDITION_LENGTH,
    check_bars,
    condition,
    cut,
    hover,
    layout_bars,
    layout_stacked,
    narrow_title,
    padded,
    shortened,
    span_of,
    title,
    whisker_style,
)
from workbench.plots.theme import blended, escaped, palette, template

LINE = 38
FAINT = 0.38
NAMED = 3
MOST = 6
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")


def effects_before_and_after(
    before: Attribution,
    after: Attribution,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw each feature's effect in a scenario above its effect in the original row, faint.

    Whiskers are 95 % intervals of the scenario's effects, as far as they are known.

    Parameters
    ----------
    before, after
        One row each, explained alike.

    Raises
    ------
    InvalidInputError
        If the two do not belong together, or there is no such output.
    """
    check_bars(max_features)
    _check_pair(before, after)
    which = after.output_index(output)
    old, new = before.values[0, :, which], after.values[0, :, which]
    order = np.argsort(-np.maximum(np.abs(old), np.abs(new)), kind="stable")
    shown, rest = cut(order, max_features)
    labels = [_label(before, after, int(j)) for j in shown]
    names = [_changed_name(before, after, int(j)) for j in shown]
    old_shown, new_shown = old[shown], new[shown]
    half = after.uncertainty()[0, shown, which]
    if len(rest):
        names.append(f"{len(rest)} other features")
        labels.append(escaped(names[-1]))
        old_shown = np.append(old_shown, old[rest].sum())
        new_shown = np.append(new_shown, new[rest].sum())
        half = np.append(half, np.sqrt(np.square(after.uncertainty()[0, rest, which]).sum()))
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    decimals = words.decimals_for(float(np.abs(np.concatenate([old_shown, new_shown])).max()))
    sources = " and ".join(after.sources_of_error)
    places = np.arange(len(labels))
    for values, offset, width, share, what in (
        (new_shown, -0.16, 0.42, 1.0, "scenario"), (old_shown, 0.22, 0.24, FAINT, "original"),
    ):  # fmt: skip
        solid = what == "scenario"
        figure.add_bar(
            x=values,
            y=places + offset,
            width=width,
            orientation="h",
            name=what,
            marker={"color": _shades(values, share, dark=dark), "line": {"width": 0}},
            error_x=whisker_style(half, colours) if solid and sources else None,
            hovertext=[
                f"{what}: {hover(name, value, wide if solid and sources else None, decimals)}"
                for name, value, wide in zip(names, values, half, strict=True)
            ],
            hoverinfo="text",
        )
    wide = half if sources else np.zeros_like(half)
    _write(figure, new_shown, new_shown + wide, places - 0.16, decimals)
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1})
    zero = np.zeros(1)
    span = span_of(old_shown, new_shown, half, zero)
    low, high = padded(span, 0.06)
    layout_stacked(figure, labels, (low, high + 0.2 * (high - low)), LINE)
    figure.update_layout(barmode="overlay", margin={"t": 32})
    told = [f"whiskers: 95 %, {sources}"] if sources else []
    narrow_title(figure, f"effect on {words.quantity(after, which)}", "faint: original row", *told)
    return figure


def _check_pair(before: Attribution, after: Attribution) -> None:
    fits = before.names == after.names and before.unit == after.unit
    if len(before) != 1 or len(after) != 1 or not fits:
        raise InvalidInputError(
            "A row and its scenario are one row each, of the same features and unit; explain both "
            "with the same method and settings."
        )


def _shades(values: np.ndarray, share: float, *, dark: bool) -> list[str]:
    colours = palette(dark=dark)
    ink = [colours.positive if value >= 0 else colours.negative for value in values]
    return [blended(colours.surface, colour, share) for colour in ink]


def _write(
    figure: go.Figure, values: np.ndarray, ends: np.ndarray, y: np.ndarray, decimals: int
) -> None:
    """Write each number right of everything that is drawn on its line."""
    figure.add_scatter(
        x=np.maximum(ends, 0),
        y=y,
        mode="text",
        text=[
            f"\N{NO-BREAK SPACE}{words.signed(float(v), decimals)}\N{NO-BREAK SPACE}"
            for v in values
        ],
        textposition="middle right",
        textfont={"size": 12},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _changed_name(before: Attribution, after: Attribution, j: int) -> str:
    feature = after.schema.features[j]
    old, new = (feature.show(float(part.data[0, j])) for part in (before, after))
    return f"{feature.name} = {new}" if old == new else f"{feature.name}: {old} → {new}"


def _label(before: Attribution, after: Attribution, j: int) -> str:
    """Write a feature and its value, or both values, on a line each where one would be long."""
    feature = after.schema.features[j]
    old, new = (feature.show(float(part.data[0, j])) for part in (before, after))
    if old == new:
        return condition(_changed_name(before, after, j))
    whole = f"{old} → {new}"
    short = len(whole) <= CONDITION_LENGTH
    values = [whole] if short else [f"{shortened(old, CONDITION_LENGTH - 2)} →", new]
    return "<br>".join(
        escaped(shortened(part, CONDITION_LENGTH)) for part in (feature.name, *values)
    )


def change_sentence(
    before: Attribution, after: Attribution, output: str | int | None = None
) -> str:
    """Say what was changed and what became of the prediction; plain text.

    Raises
    ------
    InvalidInputError
        If the two do not belong together, or there is no such output.
    """
    _check_pair(before, after)
    which = after.output_index(output)
    names = [
        f"{feature.name} = {feature.show(float(new))} instead of {feature.show(float(old))}"
        for feature, old, new in zip(
            after.schema.features, before.data[0], after.data[0], strict=True
        )
        if old != new and not (np.isnan(old) and np.isnan(new))
    ]
    what = words.quantity(after, which)
    old, new = float(before.predictions[0, which]), float(after.predictions[0, which])
    was, is_ = words.amount(before, old), words.amount(after, new)
    if not names:
        return f"Row {before.ids[0]} as it is: the {what} is {was}. Change a value to see what if."
    said = ", ".join(names[:NAMED])
    if len(names) > NAMED:
        said += f" and {len(names) - NAMED} more changes"
    if was == is_:
        return f"With {said}, the {what} stays at {is_}."
    verb = "rises" if new > old else "falls"
    return f"With {said}, the {what} {verb} from {was} to {is_}."


def counterfactual_sentence(found: Counterfactuals, row: int) -> str:
    """Say how many counterfactuals of a row were found, or how close the search came."""
    which = f"Row {found.ids[row]}"
    wish, own = found.wishes[row], found.of(row)
    if found.fulfilled[row]:
        return f"{which}: the model already says {wish}."
    if not len(own):
        names = found.output_names if found.schema.classes else (found.output_names[0],)
        nearest = ", ".join(
            f"{name} {words.number(float(value))}"
            for name, value in zip(names, found.reached[row], strict=True)
        )
        return (
            f"{which}: no change was found, of what may be changed and within the values that "
            f"occur, for which the model says {wish}; the closest answer was {nearest}."
        )
    n = int(found.changed[own[0]].sum())
    changes = "1 change" if n == 1 else f"{n} changes"
    return f"{which}: {changes} would be enough for the model to say {wish}."


def scenario_predictions(
    attributions: Sequence[Attribution],
    names: Sequence[str],
    *,
    output: str | int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw the prediction of each scenario, the original row first.

    Raises
    ------
    InvalidInputError
        If there is none, or another number of names.
    """
    _check_named(attributions, names)
    which = attributions[0].output_index(output)
    values = np.array([float(one.predictions[0, which]) for one in attributions])
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_bar(
        x=values,
        y=np.arange(len(values)),
        width=0.6,
        orientation="h",
        marker={"color": _series(len(values), dark=dark), "line": {"width": 0}},
        hovertext=[
            f"<b>{escaped(name)}</b><br>{escaped(words.amount(one, float(value)))}"
            for name, one, value in zip(names, attributions, values, strict=True)
        ],
        hoverinfo="text",
    )
    figure.add_scatter(
        x=np.maximum(values, 0),
        y=np.arange(len(values)),
        mode="text",
        text=[
            f"\N{NO-BREAK SPACE}{escaped(words.amount(one, float(value)))}"
            for one, value in zip(attributions, values, strict=True)
        ],
        textposition="middle right",
        textfont={"size": 12, "color": colours.text},
        cliponaxis=False,
        hoverinfo="skip",
    )
    low, high = span_of(np.zeros(1), values, np.zeros(1), np.zeros(1))
    layout_bars(figure, [shortened(name) for name in names], (low, high + 0.2 * (high - low)))
    title(figure, words.quantity(attributions[0], which))
    return figure


def scenario_effects(
    attributions: Sequence[Attribution],
    names: Sequence[str],
    *,
    output: str | int | None = None,
    max_features: int = 8,
    dark: bool = False,
) -> go.Figure:
    """Draw the effects of the features that move any scenario most, a mark per scenario.

    Raises
    ------
    InvalidInputError
        If there is none, or another number of names.
    """
    _check_named(attributions, names)
    check_bars(max_features)
    which = attributions[0].output_index(output)
    values = np.stack([one.values[0, :, which] for one in attributions])  # (s, d)
    order = np.argsort(-np.abs(values).max(0), kind="stable")[:max_features]
    features = [attributions[0].names[j] for j in order]
    decimals = words.decimals_for(float(np.abs(values).max()))
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    for i, (name, colour) in enumerate(zip(names, _series(len(names), dark=dark), strict=True)):
        original = i == 0
        figure.add_scatter(
            x=values[i, order],
            y=np.arange(len(order)),
            mode="markers",
            name=escaped(shortened(name)),
            marker={
                "color": colour, "size": 11, "opacity": 0.9,
                "symbol": "circle-open" if original else SYMBOLS[(i - 1) % len(SYMBOLS)],
                "line": {"width": 2 if original else 0, "color": colour},
            },
            hovertext=[
                f"{escaped(name)}<br>{hover(feature, value, None, decimals)}"
                for feature, value in zip(features, values[i, order], strict=True)
            ],
            hoverinfo="text",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1}, layer="below")
    span = span_of(values[:, order].min(0), values[:, order].max(0), np.zeros(1), np.zeros(1))
    layout_bars(figure, [shortened(feature) for feature in features], padded(span, 0.08))
    figure.update_yaxes(showgrid=True)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        margin={"t": 56},
    )
    title(figure, f"effect on {words.quantity(attributions[0], which)}")
    return figure


def _check_named(attributions: Sequence[Attribution], names: Sequence[str]) -> None:
    if not attributions or len(attributions) != len(names):
        raise InvalidInputError(
            f"A comparison needs a name for each scenario and at least one, got "
            f"{len(attributions)} and {len(names)} names."
        )
    for one in attributions[1:]:
        _check_pair(attributions[0], one)


def _series(n: int, *, dark: bool) -> list[str]:
    """One colour per scenario: the original is muted."""
    colours = palette(dark=dark)
    return [colours.others, *(colours.classes[i % len(colours.classes)] for i in range(n - 1))]
