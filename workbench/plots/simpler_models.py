"""How close simple learners come, and how common good trees are."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.simpler_models import LEARNERS, NO_ELBOW, SimplerModels
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import empty, layout_bars, note, padded, span_of, title
from workbench.plots.theme import DASHES, Palette, palette, template

HEIGHT = 420
MOST_TICKS = 6
# Keeps a number off its point where that has no whisker.
GAP = 3 * "\N{NO-BREAK SPACE}"


def learners(result: SimplerModels, *, dark: bool = False) -> go.Figure:
    """Draw the loss of each learner in cross-validation, the least first.

    A whisker is one paired standard error of the distance to the least loss: a learner whose
    whisker reaches the vertical line is about as good as the best. Blue ones are simple.
    """
    colours = palette(dark=dark)
    order = np.argsort(result.cv_loss, kind="stable")
    loss, noise = result.cv_loss[order], result.cv_noise[order]
    least = float(result.cv_loss.min())
    figure = go.Figure(layout={"template": template(dark=dark)})
    places = np.arange(len(order))
    for simple, colour, symbol in ((True, colours.positive, "circle"),
                                   (False, colours.others, "diamond")):  # fmt: skip
        own = np.flatnonzero(result.is_simple[order] == simple)
        figure.add_scatter(
            x=loss[own], y=places[own], mode="markers",
            marker={"color": colour, "size": 11, "symbol": symbol},
            error_x={"type": "data", "array": noise[own], "color": colours.whisker,
                     "thickness": 1.2, "width": 4},
            hovertext=[_about(result, int(order[i])) for i in own], hoverinfo="text",
        )  # fmt: skip
    figure.add_scatter(
        x=loss + noise, y=places, mode="text",
        text=[f"{GAP}{_number(result, float(value))}" for value in loss],
        textposition="middle right", textfont={"size": 12}, cliponaxis=False, hoverinfo="skip",
    )  # fmt: skip
    figure.add_vline(x=least, line={"color": colours.muted, "width": 1, "dash": DASHES[2]})
    low, high = padded(span_of(loss - noise, loss, noise, np.array([least])), 0.06)
    layout_bars(
        figure, [LEARNERS[result.learners[i]] for i in order], (low, high + 0.3 * (high - low))
    )
    if not result.is_regression:
        figure.update_xaxes(tickformat=".1%" if high - low < 0.05 else ".0%")
    what = f"{result.loss_name}, cross-validated"
    title(figure, what, "whisker: 1 standard error to the best")
    note(figure, "blue circles: simple", dark=dark)
    return figure


def trees(result: SimplerModels, *, dark: bool = False) -> go.Figure:
    """Draw the loss of the best tree of each depth against the share of good ones.

    Numbers at the points are depths. Good trees are common on the left and rare on the right. A
    triangle stands where only a bound is known: the share is somewhere to the right of it. The
    ring marks the elbow, after which good trees get rare and hardly better. The dashed line is the
    loss of the same trees on the rows reported on.
    """
    if result.curve_remark:
        return empty(f"{result.curve_remark}.", dark=dark)
    colours = palette(dark=dark)
    bounded = np.isnan(result.log_ratio)
    x = np.where(bounded, result.log_high, result.log_ratio)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    for loss, colour, width, dash in ((result.best_test, colours.others, 1.5, DASHES[1]),
                                      (result.best_loss, colours.size, 2, DASHES[0])):  # fmt: skip
        figure.add_scatter(
            x=x[~bounded], y=loss[~bounded], mode="lines", hoverinfo="skip",
            line={"color": colour, "width": width, "dash": dash},
        )  # fmt: skip
        _add_points(figure, result, x, loss, colour, dark=dark)
    if result.elbow != NO_ELBOW:
        _mark_elbow(figure, float(x[result.elbow]), float(result.best_loss[result.elbow]), colours)
    _scale(figure, result, x)
    note(figure, "solid: training rows; dashed: rows reported on", dark=dark)
    return figure


def _add_points(
    figure: go.Figure, result: SimplerModels, x: np.ndarray, loss: np.ndarray, colour: str, *,
    dark: bool,
) -> None:  # fmt: skip
    """Draw a point for each depth; those on the training rows bear its number and whiskers."""
    bounded, colours = np.isnan(result.log_ratio), palette(dark=dark)
    main = loss is result.best_loss
    whiskers = {
        "type": "data", "symmetric": False, "color": colours.whisker, "thickness": 1.2, "width": 4,
        "array": np.where(bounded, 0, result.log_high - x),
        "arrayminus": np.where(bounded, 0, x - np.where(bounded, x, result.log_low)),
    }  # fmt: skip
    figure.add_scatter(
        x=x, y=loss, mode="markers+text" if main else "markers", hoverinfo="text",
        hovertext=[_of_depth(result, i) for i in range(len(x))],
        marker={
            "size": 10 if main else 6, "color": colour,
            "symbol": ["triangle-right" if only else "circle" for only in bounded],
        },
        error_x=whiskers if main else None,
        text=[str(depth) for depth in result.depths] if main else None,
        textposition="top center", textfont={"size": 12, "color": colours.text}, cliponaxis=False,
    )  # fmt: skip


def _mark_elbow(figure: go.Figure, x: float, y: float, colours: Palette) -> None:
    figure.add_scatter(
        x=[x], y=[y], mode="markers", hoverinfo="skip",
        marker={"size": 17, "symbol": "circle-open", "color": colours.negative,
                "line": {"width": 2.5}},
    )  # fmt: skip
    figure.add_annotation(
        x=x, y=y, text="elbow", showarrow=False, yshift=-22,
        font={"size": 12, "color": colours.negative},
    )  # fmt: skip


def _scale(figure: go.Figure, result: SimplerModels, x: np.ndarray) -> None:
    """Write powers of ten along the axis, common trees on the left."""
    low = float(np.nanmin([x.min(), np.nanmin(np.append(result.log_low, x))]))
    high = float(max(result.log_high.max(), x.max()))
    step = max(1, int(np.ceil((high - low) / MOST_TICKS)))
    ticks = np.arange(0, int(np.floor(low)) - step, -step)
    room = 0.06 * max(1.0, high - low)
    figure.update_xaxes(
        range=[high + room, low - room], tickvals=ticks,
        ticktext=[power(float(tick)) for tick in ticks], tickangle=0,
        title_text="share of good trees of each depth<br>triangle: rarer than there",
    )  # fmt: skip
    top = float(max(result.best_loss.max(), result.best_test.max(), 1e-9))
    figure.update_yaxes(
        range=[-0.06 * top, 1.15 * top], nticks=6, tickformat=".0%",
        title={"text": "best tree: share wrong"},
    )  # fmt: skip


def power(log: float) -> str:
    """Write a power of ten.

    Examples
    --------
    >>> power(-12.0) == f"10<sup>{words.MINUS}12</sup>", power(0.0)
    (True, '1')
    """
    return f"10<sup>{log:.0f}</sup>".replace("-", words.MINUS) if log else "1"


def share_of(log: float) -> str:
    """Write a share given by its logarithm to the base of 10.

    Examples
    --------
    >>> share_of(-0.5), share_of(-4.22), share_of(-14.8)
    ('31.6 %', '1 in 17,000', '1 in 6.3e14')
    """
    if log > -2:
        return percent(float(10**log))
    if log > -9:
        return f"1 in {float(f'{10**-log:.2g}'):,.0f}"
    whole = int(-log)
    return f"1 in {10 ** (-log - whole):.1f}e{whole}"


def share_in_words(result: SimplerModels, i: int) -> str:
    """Write the share of good trees of a depth, with its interval or as a bound."""
    value = float(result.log_ratio[i])
    if value != value:  # noqa: PLR0124 - NaN
        return f"less than {share_of(float(result.log_high[i]))}"
    if result.exact[i]:
        return share_of(value)
    bounds = " to ".join(share_of(float(part[i])) for part in (result.log_low, result.log_high))
    return f"{share_of(value)} ({bounds})"


def simpler_sentence(result: SimplerModels) -> str:
    """Say whether a simple model is likely, and how the small tree does beside the given model."""
    best, at = int(result.cv_loss.argmin()), result.best_simple
    names = [LEARNERS[name] for name in result.learners]
    loss = _loss(result, float(result.cv_loss[at]))
    if best == at:
        said = f"A simple model is likely: of five learners the {names[at].lower()} is best ({loss}"
        said += " in cross-validation)."
    else:
        start = "is likely" if result.is_likely else "is not to be expected"
        reach = "within" if result.is_likely else "more than"
        said = (
            f"A simple model {start}: the {names[at].lower()} ({loss} in cross-validation) is "
            f"{reach} one standard error {'of' if result.is_likely else 'behind'} the "
            f"{names[best].lower()} ({_loss(result, float(result.cv_loss[best]))})."
        )
    return f"{said} {tree_sentence(result)}"


def tree_sentence(result: SimplerModels) -> str:
    """Say how good the small tree is, where it was chosen and on the rows reported on."""
    rules = counted(len(result.rules), "rule")
    share = percent(result.tolerance)
    if result.within:
        said = f"A tree of {rules} is about as good on the validation rows (within {share})"
    else:
        said = f"No small tree is within {share} on the validation rows; the best has {rules}"
    beside = (
        f"on {counted(len(result), 'row')} of {result.provenance.table} it has "
        f"{_loss(result, result.tree_test)}, the model {_loss(result, result.base_loss)}"
    )
    half = 1.96 * result.tree_noise
    if abs(result.tree_excess) <= half or not half:
        verdict = "a difference that chance can make" if result.tree_excess else "no difference"
    else:
        verdict = f"it is {'worse' if result.tree_excess > 0 else 'better'} by more than chance"
    return f"{said}; {beside}: {verdict}."


def _loss(result: SimplerModels, loss: float) -> str:
    said = _number(result, loss)
    return f"error {said}" if result.is_regression else f"{said} wrong"


def _number(result: SimplerModels, loss: float) -> str:
    return words.number(loss) if result.is_regression else percent(loss)


def _about(result: SimplerModels, i: int) -> str:
    kind = "simple" if result.is_simple[i] else "complex"
    show = words.number
    return "<br>".join((
        f"<b>{LEARNERS[result.learners[i]]}</b> ({kind})",
        f"cross-validated: {show(float(result.cv_loss[i]))}",
        f"behind the best: {show(float(result.cv_gap[i]))} ± {show(float(result.cv_noise[i]))}",
        f"rows reported on: {show(float(result.test_loss[i]))}",
        f"against the model: {words.signed(float(result.test_excess[i]), 4)} ± "
        f"{show(float(result.test_noise[i]))}",
    ))


def _of_depth(result: SimplerModels, i: int) -> str:
    counted_up = " (counted)" if result.exact[i] else ""
    return "<br>".join((
        f"<b>depth {result.depths[i]}</b>",
        f"good: {share_in_words(result, i)}{counted_up}",
        f"best tree wrong: {percent(float(result.best_loss[i]))} of training rows",
        f"and {percent(float(result.best_test[i]))} of those reported on",
        f"looked at {counted(result.drawn[i], 'tree')}: {result.good[i]:,} good, "
        f"{counted(result.patterns[i], 'pattern')}",
    ))
