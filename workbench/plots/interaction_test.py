"""What pairs do together, against what networks do without any interaction in the data."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.interaction_scores import FLOOR
from workbench.core.interaction_test import BEYOND, VERDICTS, InteractionTest
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import check_bars, layout_bars, note, shortened, title
from workbench.plots.scale_curves import log_ticks
from workbench.plots.theme import DASHES, Palette, escaped, palette, template

# Shares below which an axis does not go.
LEAST = 1e-5
NAMED = 3
BAND_WIDTH = 11
NAME_LENGTH = 20
ROW_HEIGHT, MOST_TICKS = 34, 4


def pairs(result: InteractionTest, *, max_pairs: int = 15, dark: bool = False) -> go.Figure:
    """Draw for each pair the grey band of networks without interactions, and what others have.

    Dots are networks that were trained on the real labels, blue where the pair is in the data and
    grey where it is not, or where that is open; the star is the given model, in the colour of a
    warning where it has a pair above the practical floor for which neither holds. Pairs in the
    data stand first.

    Raises
    ------
    InvalidInputError
        If ``max_pairs`` is below 1.
    """
    check_bars(max_pairs)
    colours, order = palette(dark=dark), result.order[:max_pairs]
    figure = go.Figure(layout={"template": template(dark=dark)})
    _add_bands(figure, result, order, colours)
    _add_networks(figure, result, order, colours)
    _add_given(figure, result, order, colours)
    drawn = [result.observed[:, order], result.given[order], result.band_high[order]]
    low = max(LEAST, min(FLOOR / 2, *(float(part.min()) for part in (*drawn, result.band_low))))
    high = min(3.0, 1.5 * max(2 * FLOOR, *(float(part.max()) for part in drawn)))
    ticks = _ticks(low, high)
    figure.add_vline(x=FLOOR, line={"color": colours.muted, "width": 1, "dash": DASHES[2]})
    labels = [_label(result, int(i)) for i in order]
    layout_bars(figure, labels, (0, 1), ROW_HEIGHT)
    figure.update_yaxes(ticktext=labels)
    figure.update_xaxes(
        type="log", range=[np.log10(low), np.log10(high)], tickvals=ticks,
        ticktext=[f"{100 * tick:g}" for tick in ticks],
    )  # fmt: skip
    title(figure, "% of the variance", "dotted: of no importance below")
    note(figure, "grey: without interactions; star: the model", dark=dark)
    return figure


def _add_bands(
    figure: go.Figure, result: InteractionTest, order: Int[np.ndarray, " s"], colours: Palette
) -> None:
    for place, i in enumerate(order):
        ends = _seen(np.array([result.band_low[i], result.band_high[i]]))
        figure.add_scatter(
            x=ends, y=[place, place], mode="lines", hoverinfo="skip",
            line={"color": colours.haze, "width": BAND_WIDTH},
        )  # fmt: skip


def _add_networks(
    figure: go.Figure, result: InteractionTest, order: Int[np.ndarray, " s"], colours: Palette
) -> None:
    a = len(result.observed)
    figure.add_scatter(
        x=_seen(result.observed[:, order].T.ravel()),
        y=np.repeat(np.arange(len(order)), a),
        mode="markers",
        marker={
            "size": 8,
            "opacity": 0.75,
            "color": np.repeat(
                [colours.positive if result.in_data[i] else colours.others for i in order], a
            ),
        },
        hovertext=np.repeat([_about(result, int(i)) for i in order], a),
        hoverinfo="text",
    )


def _add_given(
    figure: go.Figure, result: InteractionTest, order: Int[np.ndarray, " s"], colours: Palette
) -> None:
    said = result.verdicts
    ink = {"data": colours.positive, "open": colours.others, "none": colours.others}
    figure.add_scatter(
        x=_seen(result.given[order]),
        y=np.arange(len(order)),
        mode="markers",
        marker={
            "size": 13,
            "symbol": "star",
            "color": [ink.get(said[i], colours.negative) for i in order],
            "line": {"color": colours.text, "width": 1},
        },
        hovertext=[_about(result, int(i)) for i in order],
        hoverinfo="text",
    )


def _seen(shares: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Shares as a logarithmic axis can show them."""
    return np.maximum(shares, LEAST)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers for the axis; powers of ten alone where more would touch each other."""
    ticks = log_ticks(low, high)
    powers = [tick for tick in ticks if float(np.log10(tick)).is_integer()]
    return powers if len(ticks) > MOST_TICKS and len(powers) > 1 else ticks


def _label(result: InteractionTest, i: int) -> str:
    """Name the features of a pair below each other, so that a narrow window has room to draw."""
    names = (escaped(shortened(result.names[j], NAME_LENGTH)) for j in result.pairs[i])
    return "<br>and ".join(names)


def _about(result: InteractionTest, i: int) -> str:
    low, high = result.band_low[i], result.band_high[i]
    return "<br>".join((
        f"<b>{escaped(result.pair_names[i])}</b>",
        f"{VERDICTS[result.verdicts[i]]} (q {words.number(float(result.q[i]))})",
        f"trained on the real labels: {percent(float(result.typical[i]))}",
        f"without interactions: {percent(float(result.typical_without[i]))}, "
        f"90 %: {percent(float(low))} to {percent(float(high))}",
        f"this model: {percent(float(result.given[i]))}",
    ))


def interaction_test_sentence(result: InteractionTest) -> str:
    """Say which pairs are in the data, and what of the model's is not."""
    return " ".join(part for part in (_found(result), model_sentence(result)) if part)


def _found(result: InteractionTest) -> str:
    n, single = int(result.in_data.sum()), result.n_possible == 1
    if not n:
        start = "The single pair is not" if single else f"None of {result.n_possible:,} pairs is"
        if unsettled := result.verdicts.count("open"):
            them = "it" if single else counted(unsettled, "pair")
            return (
                f"{start} surely in the data; of {them} that is not settled: networks on the real "
                "labels have more than others, by no more than chance may bring."
            )
        return (
            f"{start} shown to be in the data: networks have as much when they are trained on "
            "labels without interactions."
        )
    start = f"{n} of {result.n_possible:,} pairs {'is' if n == 1 else 'are'}"
    named = "; ".join(
        f"{result.pair_names[i]} ({percent(float(result.typical[i]))} of the variance, "
        f"{percent(float(result.typical_without[i]))} without interactions)"
        for i in result.order[: min(n, NAMED)]
    )
    further = f"; and {counted(n - NAMED, 'other')}" if n > NAMED else ""
    return f"{'The single pair is' if single else start} in the data: {named}{further}."


def model_sentence(result: InteractionTest) -> str:
    """Say whether the strongest pair of the given model is in the data."""
    i = int(result.given.argmax())
    share, said = percent(float(result.given[i])), result.verdicts[i]
    name = result.pair_names[i]
    if said == "none":
        return "The model has no pair of practical importance."
    start = f"The strongest pair of the model, {name} ({share})"
    return {
        "data": f"{start}, is in the data.",
        "spurious": f"{start}, is not in the data: any network shows as much.",
        "open": f"{start}, may be in the data: networks that are trained without interactions do "
        "not have as much, and some on the real labels do. Train more of both to be sure.",
        "own": f"{start}, is not in the data: networks of its kind do not have it, whichever "
        "labels they are trained on.",
    }[said]


def loss_sentence(result: InteractionTest) -> str:
    """Say whether networks predict better than the additive model, row by row."""
    unit = f" {result.loss_unit}" if result.loss_unit else ""
    half = BEYOND * result.network_noise
    digits = words.decimals_for(max(abs(result.network_excess), half, 1e-9))
    gap = words.signed(result.network_excess, digits)
    rows = counted(result.provenance.n_rows, "row")
    difference = f"{gap} ± {half:.{digits}f}{unit}"
    beside = (
        f"loss {words.number(float(result.network_losses.mean()))}, the additive model "
        f"{words.number(result.additive_loss)}; difference {difference} on {rows}"
    )
    if result.additive_is_as_good:
        return (
            f"Networks predict no better than a model without interactions ({beside}): "
            "these rows do not show that interactions are needed."
        )
    return f"Networks predict better than a model without interactions ({beside})."
