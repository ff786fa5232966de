"""What is in a table, from numbers that are counted elsewhere."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.wording import counted, percent
from workbench.engines.performance.overview import FeatureOverview, Overview
from workbench.plots.layout import (
    FRAME_HEIGHT,
    empty,
    layout_bars,
    note,
    shortened,
    title,
)
from workbench.plots.theme import DASHES, escaped, palette, template

BAR_NAMES = 20
HEIGHT = 340
GROUP_HEIGHT = 16
LETTERS = 18


def class_balance(overview: Overview, *, dark: bool = False) -> go.Figure:
    """Draw how many rows each class has, in the order of the classes."""
    counts = overview.class_counts
    if not len(counts):
        return empty("This table has no classes to count.", dark=dark)
    texts = [f"{n:,} ({percent(n / overview.n_rows)})" for n in counts]
    figure = _bars(list(overview.class_names), counts.astype(float), texts, dark=dark)
    title(figure, "rows")
    return figure


def missingness(
    overview: Overview, *, max_features: int = BAR_NAMES, dark: bool = False
) -> go.Figure:
    """Draw the share of rows without a value, for the features where there are any."""
    gaps = sorted((f for f in overview.features if f.missing > 0), key=lambda f: -f.missing)
    if not gaps:
        return empty("No value is missing in this table.", dark=dark)
    shown = gaps[:max_features]
    names = [f.feature.name for f in shown]
    shares = np.array([f.missing for f in shown])
    texts = [percent(share) for share in shares]
    figure = _bars(names, 100 * shares, texts, dark=dark)
    title(figure, "rows without a value, %")
    left = len(gaps) - len(shown)
    complete = len(overview.features) - len(gaps)
    rest = [f"{left} more with less"] if left else []
    rest += [f"{complete} features are complete"] if complete > 1 else []
    if rest:
        note(figure, "; ".join(rest), dark=dark)
    return figure


def distribution(overview: Overview, feature: str, *, dark: bool = False) -> go.Figure:
    """Draw how a feature is spread, for each class on its own where there are up to six.

    Each class adds up to 100 %, so a rare class can be compared with a common one.

    Raises
    ------
    DataError
        If there is no such feature.
    """
    found = overview.of(feature)
    if not found.counts.sum():
        return empty("This feature has no values.", dark=dark)
    classes = overview.classes if len(found.counts) > 1 else ("all rows",)
    figure = go.Figure(layout={"template": template(dark=dark)})
    if found.labels:
        _categories(figure, found, classes, dark=dark)
    else:
        _histogram(figure, found, classes, dark=dark)
    if len(classes) > 1:
        figure.update_layout(
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12},
                    "traceorder": "normal"},
        )  # fmt: skip
    if found.missing:
        said = f"{percent(found.missing)} missing"
        figure.update_layout(margin={"b": 12})
        title(figure, _axis(found), said)
    return figure


def _axis(found: FeatureOverview) -> str:
    if found.labels:
        return "share of the class, %"
    unit = f" in {found.feature.unit}" if found.feature.unit else ""
    return f"{found.feature.name}{unit}"


def _shares(found: FeatureOverview) -> np.ndarray:
    total = np.maximum(1, found.counts.sum(1, keepdims=True))
    shares: np.ndarray = 100 * found.counts / total
    return shares


def _histogram(
    figure: go.Figure, found: FeatureOverview, classes: tuple[str, ...], *, dark: bool
) -> None:
    colours = palette(dark=dark)
    edges, shares = found.edges, _shares(found)
    shown = [found.feature.show(float(edge)) for edge in edges]
    for i, name in enumerate(classes):
        # A step at each edge: left and right end of every bin at its height, zero outside.
        figure.add_scatter(
            x=np.repeat(edges, 2),
            y=np.concatenate([[0.0], np.repeat(shares[i], 2), [0.0]]),
            mode="lines",
            name=escaped(shortened(name, LETTERS)),
            line={"color": colours.classes[i], "width": 1.8, "dash": DASHES[i]},
            fill="tozeroy" if len(classes) == 1 else None,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=(edges[1:] + edges[:-1]) / 2,
            y=shares[i],
            mode="markers",
            marker={"opacity": 0, "size": 14, "color": colours.classes[i]},
            showlegend=False,
            hovertext=[
                f"<b>{escaped(name)}</b><br>{escaped(shown[b])} to {escaped(shown[b + 1])}"
                f"<br>{counted(found.counts[i, b], 'row')}, {percent(shares[i, b] / 100)}"
                for b in range(len(edges) - 1)
            ],
            hoverinfo="text",
        )
    figure.update_layout(height=HEIGHT)
    title(figure, _axis(found))
    figure.update_xaxes(nticks=6)
    of = "class" if len(classes) > 1 else "table"
    figure.update_yaxes(title_text=f"share of the {of}, %", rangemode="tozero", nticks=6)


def _categories(
    figure: go.Figure, found: FeatureOverview, classes: tuple[str, ...], *, dark: bool
) -> None:
    colours = palette(dark=dark)
    shares, places = _shares(found), np.arange(len(found.labels))
    for i, name in enumerate(classes):
        figure.add_bar(
            x=shares[i],
            y=places,
            orientation="h",
            name=escaped(shortened(name, LETTERS)),
            marker={"color": colours.classes[i], "line": {"width": 0}},
            hovertext=[
                f"<b>{escaped(name)}</b><br>{escaped(label)}"
                f"<br>{counted(n, 'row')}, {percent(share / 100)}"
                for label, n, share in zip(found.labels, found.counts[i], shares[i], strict=True)
            ],
            hoverinfo="text",
        )
    each = max(26, 10 + GROUP_HEIGHT * len(classes))
    span = (0.0, 1.04 * float(shares.max()))
    layout_bars(figure, [shortened(label, 24) for label in found.labels], span, each)
    figure.update_layout(barmode="group", bargap=0.25, bargroupgap=0.05)
    title(figure, _axis(found))


def _bars(names: list[str], lengths: np.ndarray, texts: list[str], *, dark: bool) -> go.Figure:
    figure = go.Figure(layout={"template": template(dark=dark), "height": FRAME_HEIGHT})
    figure.add_bar(
        x=lengths,
        y=np.arange(len(names)),
        width=0.72,
        orientation="h",
        marker={"color": palette(dark=dark).size, "line": {"width": 0}},
        text=[f"\N{NO-BREAK SPACE}{text}" for text in texts],
        textposition="outside",
        textfont={"size": 12},
        cliponaxis=False,
        hovertext=[f"<b>{escaped(n)}</b><br>{t}" for n, t in zip(names, texts, strict=True)],
        hoverinfo="text",
    )
    span = (0.0, 1.6 * max(float(lengths.max()), 1e-12))
    layout_bars(figure, [shortened(name, 24) for name in names], span)
    return figure
