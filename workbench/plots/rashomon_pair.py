"""Two equally good models about one row: what each says as one feature moves."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.core.errors import InvalidInputError
from workbench.core.schema import Feature
from workbench.plots import words
from workbench.plots.layout import LABEL_LENGTH, shortened, title
from workbench.plots.rows import SYMBOLS, wrapped
from workbench.plots.theme import DASHES, escaped, palette, template

HEIGHT, UP_LETTERS = 360, 40


def pair_curves(
    feature: Feature,
    values: np.ndarray,
    outputs: Sequence[np.ndarray],
    *,
    names: Sequence[str],
    own: float,
    what: str,
    threshold: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw what models say of a row as one feature takes other values.

    Parameters
    ----------
    values
        Of the feature: codes of categories, or ascending numbers.
    outputs
        Of each model, one for each value.
    own
        The row's own value, which is marked; NaN where it is missing.
    what
        What the outputs are, for the axis.
    threshold
        Where the decision changes.

    Raises
    ------
    InvalidInputError
        If models, names and values do not go together.
    """
    if len(outputs) != len(names) or any(len(part) != len(values) for part in outputs):
        raise InvalidInputError(
            f"Curves of {len(names)} models over {len(values)} values need as many outputs."
        )
    colours, is_category = palette(dark=dark), feature.kind == "categorical"
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    x = np.arange(len(values)) if is_category else values
    inks = colours.classes[2:]  # those of two results side by side
    for i, (name, said) in enumerate(zip(names, outputs, strict=True)):
        figure.add_scatter(
            x=x, y=said, mode="markers" if is_category else "lines", name=escaped(name),
            hoverinfo="text", marker={"size": 10, "symbol": SYMBOLS[i], "color": inks[i]},
            line={"color": inks[i], "width": 2, "dash": DASHES[i]},
            hovertext=[
                f"<b>{escaped(name)}</b><br>{escaped(feature.name)} = "
                f"{escaped(feature.show(float(value)))}<br>{words.number(float(output))}"
                for value, output in zip(values, said, strict=True)
            ],
        )  # fmt: skip
    if threshold is not None:
        figure.add_hline(y=threshold, line={"color": colours.text, "width": 1.2, "dash": "dash"})
    if not np.isnan(own):
        place = float(np.flatnonzero(values == own)[0]) if is_category else own
        figure.add_vline(x=place, line={"color": colours.muted, "width": 1.5, "dash": "dot"})
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
    )
    figure.update_yaxes(title_text=wrapped(what, UP_LETTERS), nticks=6)
    figure.update_xaxes(nticks=6, tickangle=0)
    if is_category:
        labels = [escaped(shortened(feature.show(float(value)), LABEL_LENGTH // 2))
                  for value in values]  # fmt: skip
        figure.update_xaxes(
            tickvals=list(x), ticktext=labels, tickangle=-30, range=[-0.6, len(x) - 0.4]
        )
    unit = f" in {feature.unit}" if feature.unit and not is_category else ""
    title(figure, f"{feature.name}{unit}", "dotted: the row's own value")
    return figure
