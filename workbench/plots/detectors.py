"""Detectors of interactions side by side: ranks, agreement, cost, and in words."""

from collections import Counter

import numpy as np
import plotly.graph_objects as go

from workbench.core.detectors import NOWHERE, Detectors
from workbench.core.errors import InvalidInputError
from workbench.core.schema import listing
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import empty, layout_bars, note, shortened, stacked, title, write_cells
from workbench.plots.theme import Palette, blended, escaped, ink_on, palette, template

CELL_HEIGHT, FRAME, COST_HEIGHT = 38, 250, 52
FEATURE_LETTERS = 20
# Of the matrix of agreement: letters of a line of a name, and the size of its numbers.
LINE_LETTERS, RANK_SIZE, AGREED_SIZE = 12, 10, 12
# Ways to hold two detectors against each other.
MEASURES = ("ranks", "top")
TOP = 5
# Detectors that are named when they do not say what most say.
NAMED = 2
NO_PAIRS = "There are no pairs to look at."


def ranks(
    detectors: Detectors,
    *,
    output: str | int | None = None,
    max_pairs: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw the rank of each pair by each detector; colour is its strength.

    Pairs come by their middle rank. A colour is full where a pair is as strong as the strongest of
    its detector; a dash stands for what a detector does not know, and a dot where it found nothing.

    Raises
    ------
    InvalidInputError
        If there is no such output, or ``max_pairs`` is below 1.
    """
    if max_pairs < 1:
        raise InvalidInputError(f"A figure of ranks needs at least 1 pair, got {max_pairs}.")
    which = detectors.output_index(output)
    if not len(detectors.pairs):
        return empty(NO_PAIRS, dark=dark)
    colours = palette(dark=dark)
    chosen = detectors.order(which)[:max_pairs]
    shares = detectors.relative(which)[:, chosen].T  # (rows, c)
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_heatmap(
        z=np.nan_to_num(shares), zmin=0, zmax=1, showscale=False, xgap=2, ygap=2,
        colorscale=[[0.0, colours.grid], [1.0, colours.size]], hoverinfo="text",
        hovertext=[
            [_told(detectors, c, int(pair), which) for c in range(len(detectors.detectors))]
            for pair in chosen
        ],
    )  # fmt: skip
    places = detectors.ranks(which)[:, chosen].T
    cells = []
    for i, c in np.ndindex(*shares.shape):
        share = float(np.nan_to_num(shares[i, c]))
        known, found = np.isfinite(places[i, c]), share > 0
        text = f"{places[i, c]:.0f}" if known and found else "·" if known else "\N{EN DASH}"
        cells.append((c, i, text, ink_on(blended(colours.grid, colours.size, share))))
    write_cells(figure, cells, RANK_SIZE)
    # A feature on each line, so that the columns have room on a narrow screen.
    names = ["<br>".join(_feature(detectors, int(i)) for i in detectors.pairs[at]) for at in chosen]
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, showgrid=False, autorange="reversed",
        ticks="", ticklabelstandoff=6,
    )  # fmt: skip
    _name_columns(figure, detectors)
    figure.update_layout(height=FRAME + CELL_HEIGHT * len(chosen), margin={"t": 34})
    note(figure, "rank; colour: share of the detector's strongest", dark=dark)
    return figure


def agreement(
    detectors: Detectors,
    *,
    output: str | int | None = None,
    measure: str = "ranks",
    dark: bool = False,
) -> go.Figure:
    """Draw how far each two detectors agree, over the pairs that both know.

    Parameters
    ----------
    measure
        ``ranks``, Spearman's correlation of strengths; or ``top``, the share of the five strongest
        pairs that both have.

    Raises
    ------
    InvalidInputError
        If there is no such output or measure.
    """
    if measure not in MEASURES:
        raise InvalidInputError(
            f"There is no measure {measure!r} of agreement; choose one of {listing(MEASURES)}."
        )
    which, colours = detectors.output_index(output), palette(dark=dark)
    found = detectors.correlations(which) if measure == "ranks" else detectors.overlaps(TOP, which)
    c, titles = len(found), [escaped(name) for name in detectors.titles]
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_heatmap(
        z=np.nan_to_num(found), zmin=-1, zmax=1, showscale=False, xgap=2, ygap=2, hoverinfo="text",
        colorscale=[[0.0, colours.negative], [0.5, colours.grid], [1.0, colours.positive]],
        hovertext=[
            [f"{titles[i]}<br>{titles[j]}<br>{_agreed(found[i, j], measure)}" for j in range(c)]
            for i in range(c)
        ],
    )  # fmt: skip
    cells = []
    for i, j in np.ndindex(c, c):
        value = float(found[i, j])
        text = "\N{EN DASH}" if np.isnan(value) else _brief(value)
        cells.append((j, i, text, ink_on(_ground(value, colours))))
    write_cells(figure, cells, AGREED_SIZE)
    figure.update_yaxes(
        tickvals=list(range(c)), ticktext=stacked(_names(detectors), LINE_LETTERS),
        showgrid=False, ticks="", autorange="reversed", ticklabelstandoff=6,
    )  # fmt: skip
    _name_columns(figure, detectors)
    figure.update_layout(height=FRAME + CELL_HEIGHT * c, margin={"t": 34})
    said = {"ranks": "correlation of ranks", "top": f"share of the {TOP} strongest in common"}
    note(figure, said[measure], dark=dark)
    return figure


def cost(detectors: Detectors, *, dark: bool = False) -> go.Figure:
    """Draw how long each detector took, and write how often it asked the network.

    Those that come out of one run each have the whole of it.
    """
    colours = palette(dark=dark)
    places = np.arange(len(detectors.detectors))
    most = max(float(detectors.seconds.max()), 1e-3)
    said = [_passes(detectors, int(c)) for c in places]
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_bar(
        x=detectors.seconds, y=places, orientation="h", width=0.42, hoverinfo="text",
        marker={"color": colours.size, "line": {"width": 0}},
        hovertext=[
            f"<b>{escaped(name)}</b><br>{words.number(float(seconds))} s<br>{text}"
            for name, seconds, text in zip(
                detectors.titles, detectors.seconds, said, strict=True
            )
        ],
    )  # fmt: skip
    figure.add_scatter(
        x=np.zeros(len(places)), y=places - 0.37, mode="text", textposition="middle right",
        textfont={"size": 12, "color": colours.muted}, text=said, cliponaxis=False,
        hoverinfo="skip",
    )  # fmt: skip
    layout_bars(figure, _short(detectors), (0.0, 1.08 * most), COST_HEIGHT)
    # The line above a bar says what it asked, which needs more air than a bar alone.
    figure.update_yaxes(range=[len(places) - 0.5, -0.75])
    title(figure, "seconds, and rows through the network", "runs in common count for each")
    note(figure, "back: rows that slopes went back for", dark=dark)
    return figure


def detectors_sentence(detectors: Detectors, output: str | int | None = None) -> str:
    """Say whether all detectors name the same pair as the strongest, and if not who names what.

    Raises
    ------
    InvalidInputError
        If there is no such output.
    """
    firsts, names = detectors.firsts(output), detectors.pair_names
    told = [int(c) for c in np.flatnonzero(firsts != NOWHERE)]
    silent = [detectors.titles[c] for c in np.flatnonzero(firsts == NOWHERE)]
    none = f" Nothing is found by {listing(silent, 20)}." if silent else ""
    if not told:
        return "No detector finds features that the model uses together."
    commonest = Counter(int(firsts[c]) for c in told).most_common(1)[0][0]
    others = [c for c in told if firsts[c] != commonest]
    if len(told) == 1:
        return f"{detectors.titles[told[0]]} names {names[commonest]} first.{none}"
    if not others:
        return f"All {len(told)} detectors name {names[commonest]} first.{none}"
    # Those of one opinion are named together.
    opinions: dict[int, list[str]] = {}
    for c in others:
        opinions.setdefault(int(firsts[c]), []).append(detectors.titles[c])
    said = [
        f"{' and '.join(by)} {'names' if len(by) == 1 else 'name'} {names[pair]}"
        for pair, by in list(opinions.items())[:NAMED]
    ]
    left = len(others) - sum(len(by) for by in list(opinions.values())[:NAMED])
    more = f", and {counted(left, 'other')} {'names' if left == 1 else 'name'} yet other pairs"
    agreed = len(told) - len(others)
    start = (
        f"{agreed} of {len(told)} name {names[commonest]} first" if agreed > 1
        else f"each of {len(told)} names another pair first"
    )  # fmt: skip
    if agreed == 1:
        return f"They disagree: {start}.{none}"
    return f"They disagree: {start}; {', '.join(said)}{more if left else ''}.{none}"


def _feature(detectors: Detectors, place: int) -> str:
    return escaped(shortened(detectors.names[place], FEATURE_LETTERS))


def _told(detectors: Detectors, c: int, pair: int, which: int) -> str:
    """Write what a mouse finds in a cell of ranks."""
    value = float(detectors.strengths[c, pair, which])
    head = f"<b>{escaped(detectors.pair_names[pair])}</b><br>{escaped(detectors.titles[c])}"
    if np.isnan(value):
        return f"{head}<br>not known"
    unit = f" {escaped(detectors.units[c])}" if detectors.units[c] else ""
    error = float(detectors.std_errors[c, pair, which])
    noise = "" if np.isnan(error) else f" ± {words.number(1.96 * error)}"
    sign = float(detectors.signed[c, pair, which])
    effect = "" if np.isnan(sign) else f"<br>with sign {words.signed(sign, 4)}"
    share = percent(float(detectors.relative(which)[c, pair]))
    return f"{head}<br>{words.number(value)}{noise}{unit}<br>{share} of its strongest{effect}"


def _agreed(value: float, measure: str) -> str:
    if np.isnan(value):
        return "not defined"
    return f"correlation {value:.2f}" if measure == "ranks" else f"{percent(value)} in common"


def _ground(value: float, colours: Palette) -> str:
    """Colour of a cell of agreement."""
    value = 0.0 if np.isnan(value) else value
    full = colours.positive if value >= 0 else colours.negative
    return blended(colours.grid, full, min(1.0, abs(value)))


def _brief(value: float) -> str:
    """Write a correlation without the zero before its point, which a narrow cell has no room for.

    Examples
    --------
    >>> _brief(0.634), _brief(1.0)
    ('.63', '1')
    """
    text = words.signed(value, 2).removeprefix("+")
    return text.replace("0.", ".", 1) if abs(value) < 0.995 else text.removesuffix(".00")


def _names(detectors: Detectors) -> list[str]:
    """Name detectors in a few letters, without the names of their papers."""
    return [name.partition(" (")[0] for name in detectors.titles]


def _short(detectors: Detectors) -> list[str]:
    return [escaped(name) for name in _names(detectors)]


def _name_columns(figure: go.Figure, detectors: Detectors) -> None:
    names = _short(detectors)
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=names, showgrid=False, ticks="", tickangle=-90
    )


def _passes(detectors: Detectors, c: int) -> str:
    """Say how often a detector asked the network, and how often slopes went back."""
    asked, back = int(detectors.evaluations[c]), int(detectors.gradients[c])
    said = [counted(asked, "row")] if asked else []
    said += [f"{back:,} back"] if back else []
    return ", ".join(said) or "no rows"
