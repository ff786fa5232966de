"""What an update would change: against tolerance, row by row, between models, and by group."""

import numpy as np
import plotly.graph_objects as go
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from workbench.core.churn import Churn
from workbench.core.rashomon import explorer_words
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.engines.rashomon.realised import realised
from workbench.plots import words
from workbench.plots.churn_groups import groups_of
from workbench.plots.layout import (
    check_bars,
    empty,
    layout_bars,
    note,
    shortened,
    title,
    whisker_style,
)
from workbench.plots.rows import wrapped
from workbench.plots.theme import Palette, escaped, palette, template

HEIGHT, PAIRS, LETTERS = 420, 60, 40
NO_MODELS = "No prospective model is within this tolerance, so nothing is known of an update."
NO_UPDATE = "There is no update to hold this against: give the model that replaced this one."
EFFECTS = ("breaks", "fixes", "neutral")


def tolerances(churn: Churn, *, tolerance: float | None = None, dark: bool = False) -> go.Figure:
    """Draw expected, smoothed and worst churn against the tolerance, and the bound on all.

    The ground is grey where a tolerance cannot be told from 0, below two paired standard errors.

    Parameters
    ----------
    tolerance
        One that was chosen, marked by a line.
    """
    frame = churn.to_frame()
    if not frame["models"].any():
        return empty(NO_MODELS, dark=dark)
    colours, x = palette(dark=dark), frame["tolerance"].to_numpy()
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    known = frame[frame["models"] > 0]
    along = known["tolerance"].to_numpy()
    figure.add_scatter(
        x=np.concatenate([along, along[::-1]]),
        y=np.concatenate([known["high"], known["low"][::-1]]),
        mode="lines", line={"width": 0}, fill="toself", fillcolor=colours.haze, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip
    lines = (
        ("worst", "worst case", colours.negative, "solid"),
        ("expected", "expected (95 %)", colours.positive, "solid"),
        ("smoothed", f"smoothed over ± {churn.gamma:g}", colours.size, "dash"),
        ("bound", "bound", colours.muted, "dot"),
    )
    for column, name, colour, dash in lines:
        if known[column].notna().any():
            figure.add_scatter(
                x=along, y=known[column], name=name, mode="lines+markers", hoverinfo="text",
                line={"color": colour, "width": 2, "dash": dash}, marker={"size": 6},
                hovertext=[
                    f"<b>{name}: {percent(value)}</b><br>tolerance {words.number(at)}<br>"
                    f"{counted(models, 'model')}"
                    for value, at, models in zip(
                        known[column], along, known["models"], strict=True
                    )
                ],
            )  # fmt: skip
    noise = 2 * float(known["noise"].iloc[-1])
    if noise > x[0]:
        figure.add_vrect(
            x0=float(x[0]), x1=min(noise, float(x[-1])), fillcolor=colours.haze, line_width=0,
            layer="below",
        )  # fmt: skip
    if tolerance is not None:
        figure.add_vline(x=tolerance, line={"color": colours.muted, "width": 1, "dash": "dash"})
    about = f"excess {churn.loss_name} allowed; grey: below two standard errors of it"
    figure.update_xaxes(title_text=wrapped(about, LETTERS), nticks=6, rangemode="tozero")
    figure.update_yaxes(
        title_text="share of rows that change", rangemode="tozero", tickformat=".0%", nticks=6
    )
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"}
    )
    return figure


def rows(
    churn: Churn, *, tolerance: float | None = None, max_rows: int = 20, dark: bool = False
) -> go.Figure:
    """Draw the rows that are most likely to be decided otherwise, with 95 % intervals over models.

    Colour says what a change would do; where there is a real update, a diamond marks the rows
    that it changed.

    Raises
    ------
    InvalidInputError
        If no row is asked for.
    """
    check_bars(max_rows)
    found = churn.flips(tolerance)
    if not len(churn):
        return empty(dark=dark)
    if np.isnan(found.value).any():
        return empty(NO_MODELS, dark=dark)
    order = np.lexsort((churn.base_margins, -found.value))[:max_rows]
    order = order[found.value[order] > 0]
    if not len(order):
        return empty("No prospective model decides any row otherwise.", dark=dark)
    colours = palette(dark=dark)
    shares, low, high = (part[order] for part in found)
    figure = go.Figure(layout={"template": template(dark=dark)})
    for effect, colour in _colours(colours).items():
        own = np.flatnonzero(_would(churn)[order] == effect)
        if len(own):
            figure.add_bar(
                x=shares[own], y=own, orientation="h", width=0.7, name=effect, hoverinfo="text",
                marker={"color": colour, "line": {"width": 0}},
                error_x=whisker_style((high - shares)[own], colours)
                | {"symmetric": False, "arrayminus": (shares - low)[own]},
                hovertext=[_row_told(churn, int(order[i]), shares[i], low[i], high[i])
                           for i in own],
            )  # fmt: skip
    if churn.update_decisions is not None:
        changed = np.flatnonzero((churn.update_decisions != churn.base)[order])
        figure.add_scatter(
            x=np.zeros(len(changed)), y=changed, mode="markers", name="changed by the update",
            marker={"symbol": "diamond", "size": 9, "color": colours.text}, cliponaxis=False,
            hoverinfo="skip",
        )  # fmt: skip
    layout_bars(figure, [_row_name(churn, int(i)) for i in order], (0.0, 1.02))
    title(figure, "share of models that change the row", f"{_models(churn, tolerance)}, 95 %")
    figure.update_xaxes(tickformat=".0%")
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"}
    )
    return figure


def pairs(churn: Churn, *, tolerance: float | None = None, dark: bool = False) -> go.Figure:
    """Draw the share of rows that each two models decide differently, the given one first.

    Other models are in the order of a tree in which those that decide alike are neighbours; of
    more than sixty, the first sixty.
    """
    matrix = churn.pairwise(tolerance)
    if not len(matrix):
        return empty(NO_MODELS, dark=dark)
    drawn = min(PAIRS, len(matrix))
    own, matrix = churn.churn(tolerance)[:drawn], matrix[:drawn, :drawn]
    order = _alike_together(matrix)
    whole = np.zeros((drawn + 1, drawn + 1))
    whole[1:, 1:] = matrix[np.ix_(order, order)]
    whole[0, 1:] = whole[1:, 0] = own[order]
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT + 60})
    names = ["the given model", *(f"model {i + 1}" for i in order)]
    figure.add_heatmap(
        z=whole, zmin=0, colorscale=[[0, colours.surface], [1, colours.negative]],
        colorbar={"tickformat": ".0%", "thickness": 12}, hoverinfo="text",
        hovertext=[[f"{percent(value)} of the rows<br>{a}<br>{b}"
                    for b, value in zip(names, line, strict=True)]
                   for a, line in zip(names, whole, strict=True)],
    )  # fmt: skip
    figure.update_xaxes(visible=True, showticklabels=False, showgrid=False, constrain="domain")
    figure.update_yaxes(
        autorange="reversed", showgrid=False, tickvals=[0], ticktext=["given"], scaleanchor="x",
        constrain="domain",
    )  # fmt: skip
    left = f"the first {drawn:,} of {len(churn.pairwise(tolerance)):,} models" if (
        drawn < len(churn.churn(tolerance))
    ) else counted(drawn, "model")  # fmt: skip
    title(figure, f"{left} and the given one", "models that decide alike stand together")
    return figure


def groups(
    churn: Churn, *, by: str | None = None, tolerance: float | None = None, dark: bool = False
) -> go.Figure:
    """Draw for groups of rows how many decisions change: what breaks, what is fixed.

    Whiskers are 95 % intervals of the whole over the rows of the group.

    Raises
    ------
    InvalidInputError
        If nothing makes groups, or not by this.
    """
    found, colours = groups_of(churn, by, tolerance=tolerance), palette(dark=dark)
    if not len(found.names):
        return empty("No groups to compare: every group has one row.", dark=dark)
    if np.isnan(found.churn[:, 0]).all():
        return empty(NO_MODELS, dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "barmode": "stack"})
    at = np.arange(len(found.names))
    if churn.classifies:
        parts = {name: getattr(found, name) for name in EFFECTS if getattr(found, name).any()}
    else:
        parts = {"moves": found.churn[:, 0]}
    for name, values in parts.items():
        figure.add_bar(
            x=values, y=at, orientation="h", width=0.66, name=name, hoverinfo="text",
            marker={"color": _colours(colours)[name], "line": {"width": 0}},
            hovertext=[f"<b>{escaped(group)}</b><br>{name}: {percent(v)} of {counted(n, 'row')}"
                       for group, v, n in zip(found.names, values, found.sizes, strict=True)],
        )  # fmt: skip
    value, low, high = found.churn.T
    figure.add_scatter(
        x=value, y=at, mode="markers", marker={"size": 1, "color": colours.whisker},
        error_x=whisker_style(high - value, colours)
        | {"symmetric": False, "arrayminus": value - low},
        hovertext=[f"<b>{escaped(name)}</b><br>{percent(v)}<br>95 %: {percent(a)} to {percent(b)}"
                   for name, v, a, b in zip(found.names, value, low, high, strict=True)],
        hoverinfo="text", showlegend=False,
    )  # fmt: skip
    labels = [
        shortened(f"{name} ({n:,})") for name, n in zip(found.names, found.sizes, strict=True)
    ]
    layout_bars(figure, labels, (0.0, 1.05 * max(float(np.nanmax(high)), 0.01)))
    title(figure, f"decisions that change, by {found.by}", _models(churn, tolerance))
    figure.update_xaxes(tickformat=".0%")
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"}
    )
    return figure


def update(churn: Churn, *, tolerance: float | None = None, dark: bool = False) -> go.Figure:
    """Draw how often a real update changed rows against how likely that was foreseen to be.

    A point above the diagonal changed more often than prospective models did.
    """
    if churn.update_decisions is None:
        return empty(NO_UPDATE, dark=dark)
    if np.isnan(churn.flips(tolerance).value).any():
        return empty(NO_MODELS, dark=dark)
    found, colours = realised(churn, tolerance), palette(dark=dark)
    foreseen, observed, low, high = found.bins.T
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip",
        line={"color": colours.muted, "width": 1, "dash": "dot"},
    )  # fmt: skip
    figure.add_scatter(
        x=foreseen, y=observed, mode="markers+lines", hoverinfo="text",
        marker={"color": colours.positive, "size": 8},
        line={"color": colours.positive, "width": 1.5},
        error_y=whisker_style(high - observed, colours)
        | {"symmetric": False, "arrayminus": observed - low},
        hovertext=[
            f"{percent(o)} of {counted(n, 'row')} changed, foreseen {percent(f)}"
            f"<br>95 %: {percent(a)} to {percent(b)}"
            for f, o, a, b, n in zip(foreseen, observed, low, high, found.bin_rows, strict=True)
        ],
    )  # fmt: skip
    top = 1.05 * max(0.1, float(np.nanmax(foreseen)), float(np.nanmax(high)))
    figure.update_xaxes(
        range=[-0.02 * top, top], tickformat=".0%", nticks=6,
        title_text="share of models that change a row<br>dotted: as foreseen",
    )  # fmt: skip
    figure.update_yaxes(
        range=[-0.02 * top, top], tickformat=".0%", nticks=6, title_text="changed by the update"
    )
    area, least, most = found.area
    if not np.isnan(area):
        note(figure, f"AUC {area:.2f} ({least:.2f} to {most:.2f})", dark=dark)
    return figure


def _alike_together(distances: np.ndarray) -> np.ndarray:
    """Order models so that those that decide alike are neighbours: a tree of mean distances."""
    if len(distances) < 3:
        return np.arange(len(distances))
    tree = hierarchy.linkage(squareform(distances), "average", optimal_ordering=True)
    return hierarchy.leaves_list(tree)


def _colours(colours: Palette) -> dict[str, str]:
    return {
        "breaks": colours.negative, "fixes": colours.positive, "neutral": colours.others,
        "either": colours.size, "moves": colours.size,
    }  # fmt: skip


def _would(churn: Churn) -> np.ndarray:
    """Say for each row what a changed decision would be.

    Of two classes it is known; of more, a wrong decision may become right or stay wrong.
    """
    if not churn.classifies:
        return np.full(len(churn), "moves")
    wrong = "fixes" if len(churn.output_names) == 2 else "either"
    return np.where(churn.base == churn.truth, "breaks", wrong)


def _row_name(churn: Churn, i: int) -> str:
    said = churn.output_names[churn.base[i]] if churn.classifies else (
        words.number(float(churn.predictions[i, 0]))
    )  # fmt: skip
    return shortened(f"row {churn.ids[i]}: {said}", 30)


def _row_told(churn: Churn, i: int, share: float, low: float, high: float) -> str:
    lines = [f"<b>{escaped(_row_name(churn, i))}</b>", f"{percent(share)} of models change it",
             f"95 %: {percent(low)} to {percent(high)}"]  # fmt: skip
    if churn.classifies:
        lines.append(f"true: {escaped(churn.output_names[int(churn.truth[i])])}")
    return "<br>".join(lines)


def _models(churn: Churn, tolerance: float | None) -> str:
    """Name how many models there are, and who found them."""
    count = int(churn.admitted(tolerance).sum())
    names = listing([explorer_words(key) for key in churn.explorers], 2)
    return f"{counted(count, 'model')} by {names}"
