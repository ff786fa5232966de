"""The mean curves of the features that matter most, side by side on one scale."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from workbench.core.errors import InvalidInputError
from workbench.core.profiles import Profile, Profiles
from workbench.core.schema import listing
from workbench.plots import words
from workbench.plots.layout import empty, shortened
from workbench.plots.profile_drawing import HALF, add_singles, axis_of
from workbench.plots.theme import Palette, escaped, palette, template

# Panels, beside each other; the height of one with the gap below it, and of what is around all.
MOST, COLUMNS, PANEL, GAP, AROUND = 8, 2, 150, 52, 70
CURVES, ORDERS = ("none", "plain"), ("moves", "differs")
# Categories that are named below a panel, and how long names may be.
FEW, NAME_LENGTH, TICK_LENGTH = 3, 20, 12


def multiples(
    profiles: Profiles,
    *,
    output: str | int | None = None,
    curves: str = "none",
    order: str = "moves",
    most: int = MOST,
    dark: bool = False,
) -> go.Figure:
    """Draw small mean curves with their bands, the feature that moves the output most first.

    All have one scale. Bands hold the 95 % interval for the choice of rows and, of several models,
    their range. Each point carries its feature's position in the schema as ``customdata``.

    Parameters
    ----------
    curves
        ``plain`` draws single rows as well, which may need a much longer scale; or ``none``.
    order
        First what ``moves`` the output of the given model most, or what ``differs`` most between
        models.

    Raises
    ------
    InvalidInputError
        If there is no such output, or ``curves`` or ``order`` is none of these.
    """
    if curves not in CURVES:
        raise InvalidInputError(f"There are no curves {curves!r}; choose one of {listing(CURVES)}.")
    if order not in ORDERS:
        raise InvalidInputError(f"There is no order {order!r}; choose one of {listing(ORDERS)}.")
    which, colours = profiles.output_index(output), palette(dark=dark)
    ranked = profiles.ranking(which) if order == "moves" else profiles.widest(which)
    found = [(int(at), profiles.profile(int(at), which)) for at in ranked]
    shown = [(at, one) for at, one in found if len(one.grid)][:most]
    if not shown:
        return empty("No row has a value of any feature.", dark=dark)
    rows = -(-len(shown) // COLUMNS)
    figure = make_subplots(
        rows=rows, cols=min(COLUMNS, len(shown)), shared_yaxes="all", horizontal_spacing=0.04,
        vertical_spacing=GAP / PANEL / rows,
        subplot_titles=[
            f"<b>{escaped(shortened(one.feature.name, NAME_LENGTH))}</b>" for _, one in shown
        ],
    )  # fmt: skip
    figure.update_layout(template=template(dark=dark), height=AROUND + PANEL * rows)
    figure.update_annotations(font={"size": 12, "color": colours.text})
    for place, (at, one) in enumerate(shown):
        panel = _panel(one, at, curves, colours)
        cell = {"row": place // COLUMNS + 1, "col": place % COLUMNS + 1}
        for trace in panel.data:
            figure.add_trace(trace, **cell)
        _name_values(figure, one, cell)
    figure.update_yaxes(nticks=4)
    _name_scale(figure, words.quantity(profiles, which), colours)
    return figure


def _panel(found: Profile, at: int, curves: str, colours: Palette) -> go.Figure:
    """Draw one feature: single rows, intervals, and curve."""
    panel = go.Figure()
    axis = axis_of(found)
    if curves == "plain":
        add_singles(panel, axis, found.curves, colours.haze)
    half = HALF * np.nan_to_num(found.std_errors[0])
    low, high = (
        np.minimum(found.mean.min(0), found.mean[0] - half),
        np.maximum(found.mean.max(0), found.mean[0] + half),
    )
    _add_whiskers(panel, axis.x, low, high, colours.haze)
    for own, mode in ((axis.joined, "lines+markers"), (axis.apart, "markers")):
        if own.stop > own.start:
            panel.add_scatter(
                x=axis.x[own], y=found.mean[0, own], mode=mode, hoverinfo="text",
                customdata=[at] * (own.stop - own.start),
                hovertext=[
                    f"<b>{escaped(found.feature.name)}</b><br>{escaped(label)}<br>"
                    f"{words.number(float(mean))}"
                    for label, mean in zip(found.labels[own], found.mean[0, own], strict=True)
                ],
                line={"color": colours.positive, "width": 2},
                marker={"size": 5, "color": colours.positive},
            )  # fmt: skip
    return panel


def _name_values(figure: go.Figure, found: Profile, cell: dict[str, int]) -> None:
    """Write values below a panel; of many categories none, which a mouse finds."""
    if found.feature.kind == "categorical":
        n = len(found.grid)
        ticks = list(range(n)) if n <= FEW else []
        figure.update_xaxes(
            tickvals=ticks, showgrid=False,
            ticktext=[escaped(shortened(found.labels[t], TICK_LENGTH)) for t in ticks], **cell,
        )  # fmt: skip
    else:
        figure.update_xaxes(nticks=4, tickangle=0, **cell)


def _add_whiskers(
    figure: go.Figure, x: Float[np.ndarray, " g"], low: Float[np.ndarray, " g"],
    high: Float[np.ndarray, " g"], colour: str,
) -> None:  # fmt: skip
    """Draw intervals at the grid points as one broken line."""
    gap = np.full(len(x), np.nan)
    figure.add_scatter(
        x=np.column_stack([x, x, gap]).reshape(-1), y=np.column_stack([low, high, gap]).reshape(-1),
        mode="lines", hoverinfo="skip", line={"color": colour, "width": 4}, connectgaps=False,
    )  # fmt: skip


def _name_scale(figure: go.Figure, what: str, colours: Palette) -> None:
    """Say once, above all panels, what the scale of all of them is."""
    figure.update_layout(margin={"t": 56})
    figure.add_annotation(
        x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=24,
        text=escaped(f"mean {what}"), showarrow=False,
        font={"color": colours.muted, "size": 12},
    )  # fmt: skip
