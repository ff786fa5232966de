"""How the training of an explainer went, and how far off it is by feature."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.explainer import Explainer
from workbench.core.wording import counted, percent
from workbench.plots.layout import empty, layout_bars, padded, shortened, title, write_lengths
from workbench.plots.theme import palette, template
from workbench.plots.words import decimals_for


def training(explainer: Explainer, *, dark: bool = False) -> go.Figure:
    """Draw the validation loss after each pass over the rows, on a logarithmic axis."""
    losses = explainer.history
    if not len(losses):
        return empty(dark=dark)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": 320})
    figure.add_scatter(
        x=np.arange(1, len(losses) + 1), y=losses, mode="lines", showlegend=False,
        line={"color": colours.size, "width": 2},
        hovertemplate="pass %{x}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
    best = int(np.argmin(losses))
    figure.add_scatter(
        x=[best + 1], y=[losses[best]], mode="markers", showlegend=False,
        marker={"color": colours.positive, "size": 9},
        hovertemplate="kept: pass %{x}, %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        xaxis_title="pass over the rows", yaxis={"type": "log", "title": "validation loss"}
    )
    return figure


def errors(
    explainer: Explainer, *, output: str | None = None, max_features: int = 15, dark: bool = False
) -> go.Figure:
    """Draw the root mean square error of each feature's values on held-out rows, largest first."""
    names = explainer.output_names
    which = explainer.schema.favourable_output if output is None else names.index(output)
    sizes = explainer.errors[:, which].astype(float)
    order = np.argsort(-sizes, kind="stable")[:max_features]
    lengths, zeros = sizes[order], np.zeros(len(order))
    figure = go.Figure(layout={"template": template(dark=dark)})
    figure.add_bar(
        x=lengths, y=np.arange(len(order)), orientation="h", width=0.72, hoverinfo="skip",
        marker={"color": palette(dark=dark).size, "line": {"width": 0}},
    )  # fmt: skip
    write_lengths(figure, lengths, lengths, zeros, decimals_for(float(lengths.max())), sign=False)
    labels = [shortened(explainer.schema.names[i]) for i in order]
    layout_bars(figure, labels, (0.0, padded((0.0, float(lengths.max()) or 1.0), 0.15)[1]))
    about = f"root mean square error, {explainer.unit or 'value'} of {names[which]}"
    title(figure, about, f"{explainer.certificate.n_rows:,} held-out rows")
    return figure


def explainer_sentence(explainer: Explainer) -> str:
    """Say how far off an explainer is, and what to use where that is too far."""
    c = explainer.certificate
    said = (
        f"On {counted(c.n_rows, 'row')} that it never saw, its error is {percent(c.relative)} of "
        "the size of the values"
    )
    if c.is_large:
        return (
            f"{said}: too much to rely on. Use an estimator (kernel, leverage or permutation) "
            "instead, or train on more rows."
        )
    return f"{said}. Rows that it cannot be trusted with are found and estimated instead."
