"""Rates of groups, and the gaps between them, with intervals and what chance would bring."""

from textwrap import wrap
from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Int

from workbench.core.fairness import FairnessAudit
from workbench.core.fairness_metrics import GAPS, RATES, TPR
from workbench.core.wording import counted, percent
from workbench.numerics.audit_reading import beyond_chance, enough, group_phrase, rate_index
from workbench.plots.fairness_words import (
    conflicts_sentence,
    gap_words,
    in_words,
    interval_words,
    verdict,
)
from workbench.plots.layout import empty, layout_bars, narrow_title, note, padded, shortened
from workbench.plots.theme import DASHES, Palette, escaped, palette, template

Counted = Literal["as counted", "drawn together"]
COUNTED: tuple[Counted, ...] = get_args(Counted)
NAME_LENGTH, LINE_LENGTH, TITLE_LENGTH, ROW_HEIGHT, BAND_WIDTH = 44, 20, 30, 38, 13
# Room right of the last whisker, for what is written there, as a share of the span.
ROOM = 0.12


def groups(
    audit: FairnessAudit, *, partition: str | int = 0, rate: str = TPR,
    count: Counted = "as counted", dark: bool = False,
) -> go.Figure:  # fmt: skip
    """Draw a rate of every group of a partition, with its interval and the rate of all rows.

    Groups with too few rows to be compared are grey and open, and where a rate is undefined the
    reason stands in its place. Groups of one attribute stand in its order, others by their rate.

    Parameters
    ----------
    count
        The rates as counted, or drawn together as far as chance explains how far they spread.

    Raises
    ------
    InvalidInputError
        If there is no such partition or rate.
    """
    p, r = audit.partition_index(partition), rate_index(rate)
    order, colours = _order(audit, p, r), palette(dark=dark)
    shown = (audit.rates if count == COUNTED[0] else audit.pooled)[r, order]
    known = np.isfinite(audit.rates[r, order, 0])
    sure = known & np.isin(order, enough(audit, rate, p))
    figure = go.Figure(layout={"template": template(dark=dark)})
    overall = float(audit.overall[r, 0])
    if np.isfinite(overall):
        line = {"color": colours.muted, "width": 1, "dash": DASHES[2]}
        figure.add_vline(x=overall, line=line)
    texts = [_about_group(audit, int(g), rate) for g in order]
    for chosen, ink, symbol in (
        (sure, colours.positive, "circle"), (known & ~sure, colours.others, "circle-open"),
    ):  # fmt: skip
        _dots(figure, shown, chosen, ink, symbol, texts)
    span = _span(np.append(shown[known].ravel(), overall))
    _reasons(figure, audit, order, rate, known, span[0], colours)
    labels = [_label(audit, int(g)) for g in order]
    layout_bars(figure, labels, span, ROW_HEIGHT)
    figure.update_yaxes(ticktext=labels)
    figure.update_xaxes(tickformat=".0%", nticks=5)
    of_whom, do = in_words(audit, rate)
    wrapped_title(figure, f"share of {of_whom} that {do}; whiskers: 95 %")
    note(figure, "dotted: all rows; grey: too few rows", dark=dark)
    return figure


def gaps(audit: FairnessAudit, *, partition: str | int = 0, dark: bool = False) -> go.Figure:
    """Draw every gap of a partition with its interval, over what groups at random would show.

    The grey band reaches from no gap to what one of 20 random draws exceeds, with a tick at what
    is usual. Gaps beyond chance, after correction for all gaps and partitions, are filled. Of a
    ratio its distance from 1 is drawn.

    Raises
    ------
    InvalidInputError
        If there is no such partition.
    """
    p = audit.partition_index(partition)
    found, floors = _as_distances(audit, p)
    known = np.isfinite(found[:, 0])
    if not known.any():
        return empty(conflicts_sentence(audit, p), dark=dark)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    for place in np.flatnonzero(known):
        mean, top = floors[place]
        figure.add_scatter(
            x=[0, top], y=[place, place], mode="lines", hoverinfo="skip",
            line={"color": colours.haze, "width": BAND_WIDTH},
        )  # fmt: skip
        figure.add_scatter(
            x=[mean], y=[place], mode="markers", hoverinfo="skip",
            marker={"symbol": "line-ns", "size": BAND_WIDTH - 2,
                    "line": {"color": colours.muted, "width": 1.5}},
        )  # fmt: skip
    sure = np.array([bool(beyond_chance(audit, q, p)) for q in range(len(GAPS))])
    texts = [_about_gap(audit, q, p) for q in range(len(GAPS))]
    _dots(figure, found, known & sure, colours.negative, "circle", texts)
    # Darker than the band that most of these lie on.
    _dots(figure, found, known & ~sure, colours.muted, "circle-open", texts)
    span = _span(np.concatenate([found[known].ravel(), floors[known].ravel(), [0.0]]))
    _undefined_gaps(figure, known, span[0], colours)
    layout_bars(figure, [_gap_label(q) for q in range(len(GAPS))], span, ROW_HEIGHT)
    figure.update_yaxes(ticktext=[_gap_label(q) for q in range(len(GAPS))])
    figure.update_xaxes(tickformat=".2~f")
    narrow_title(figure, "gap between groups (0: all alike)", "whiskers: 95 %")
    note(figure, "grey band: what chance brings; filled: beyond it", dark=dark)
    return figure


def wrapped_title(figure: go.Figure, text: str) -> None:
    """Name the axis on as many lines as a narrow window needs."""
    lines = wrap(shortened(text, 4 * TITLE_LENGTH), TITLE_LENGTH)
    figure.update_xaxes(title_text="<br>".join(escaped(line) for line in lines))


def _order(audit: FairnessAudit, partition: int, rate: int) -> Int[np.ndarray, " m"]:
    found = audit.groups_of(partition)
    if len(audit.partitions[partition]) == 1:
        return found
    values = np.nan_to_num(audit.rates[rate, found, 0], nan=-1.0)
    return found[np.argsort(-values, kind="stable")]


def _dots(
    figure: go.Figure, shown: Float[np.ndarray, "m 3"], chosen: Bool[np.ndarray, " m"], ink: str,
    symbol: str, texts: list[str],
) -> None:  # fmt: skip
    """Draw values of some lines with their intervals; a missing end has no whisker."""
    at = np.flatnonzero(chosen)
    value, low, high = shown[at].T
    figure.add_scatter(
        x=value, y=at, mode="markers", marker={"color": ink, "size": 9, "symbol": symbol},
        error_x={
            "type": "data", "symmetric": False, "array": np.nan_to_num(high - value),
            "arrayminus": np.nan_to_num(value - low), "color": ink, "thickness": 1.4, "width": 4,
        },
        hovertext=[texts[i] for i in at], hoverinfo="text",
    )  # fmt: skip


def _reasons(
    figure: go.Figure, audit: FairnessAudit, order: Int[np.ndarray, " m"], rate: str,
    known: Bool[np.ndarray, " m"], left: float, colours: Palette,
) -> None:  # fmt: skip
    at = np.flatnonzero(~known)
    figure.add_scatter(
        x=np.full(len(at), left), y=at, mode="text", hoverinfo="skip", cliponaxis=False,
        text=[f"\N{NO-BREAK SPACE}{_reason(audit, rate, int(order[i]))}" for i in at],
        textposition="middle right", textfont={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _reason(audit: FairnessAudit, rate: str, group: int) -> str:
    """Say why a rate is undefined, short enough for a narrow window."""
    if not audit.sizes[group]:
        return "nobody"
    return escaped(f"not defined: {audit.reason(rate, group)}")


def _undefined_gaps(
    figure: go.Figure, known: Bool[np.ndarray, " q"], left: float, colours: Palette
) -> None:
    at = np.flatnonzero(~known)
    figure.add_scatter(
        x=np.full(len(at), left), y=at, mode="text", hoverinfo="skip",
        text=["\N{NO-BREAK SPACE}not defined"] * len(at), textposition="middle right",
        textfont={"color": colours.muted, "size": 12},
    )  # fmt: skip


def _as_distances(
    audit: FairnessAudit, partition: int
) -> tuple[Float[np.ndarray, "q 3"], Float[np.ndarray, "q 2"]]:
    """Gaps and floors as distances from no gap: a ratio as what it lacks of 1."""
    found, floors = audit.gaps[:, partition].copy(), audit.floors[:, partition].copy()
    ratios = [gap.way == "ratio" for gap in GAPS.values()]
    found[ratios] = 1 - found[ratios][:, [0, 2, 1]]
    floors[ratios] = 1 - floors[ratios]
    return found, floors


def _gap_label(gap: int) -> str:
    """Name a gap below itself, so that a narrow window has room to draw."""
    about = list(GAPS.values())[gap]
    name = f"1 less {about.title[0].lower()}{about.title[1:]}" if about.way == "ratio" else (
        about.title
    )  # fmt: skip
    words = name.split()
    half = next(
        (i for i in range(1, len(words)) if len(" ".join(words[:i])) >= len(name) / 2 - 4), 1
    )
    lines = (" ".join(words[:half]), " ".join(words[half:]))
    return "<br>".join(escaped(line) for line in lines if line)


def _label(audit: FairnessAudit, group: int) -> str:
    """Name a group with its size, on as many lines as a narrow window needs."""
    text = f"{shortened(audit.group_names[group], NAME_LENGTH)} ({audit.sizes[group]:,})"
    return "<br>".join(escaped(line) for line in wrap(text, LINE_LENGTH))


def _span(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if high - low < 0.02:
        low, high = low - 0.01, high + 0.01
    left, right = padded((low, high), ROOM)
    return max(left, -0.02), right


def _about_group(audit: FairnessAudit, group: int, rate: str) -> str:
    r = rate_index(rate)
    lines = [
        f"<b>{escaped(group_phrase(audit, group))}</b>",
        f"{RATES[rate].title}: {interval_words(audit.rates[r, group])}",
        f"of {counted(round(float(audit.denominators[r, group])), 'row')}",
    ]
    if np.isfinite(audit.pooled[r, group, 0]):
        lines.append(f"drawn together: {interval_words(audit.pooled[r, group])}")
    if np.isfinite(audit.differences[r, group, 0]):
        d, low, high = audit.differences[r, group]
        reference = audit.references[audit.partition_of[group]]
        lines.append(
            f"{d:+.3f} ({low:+.3f} to {high:+.3f}) against {escaped(audit.group_names[reference])}"
        )
    if reason := audit.reason(rate, group):
        lines.append(reason)
    return "<br>".join(lines)


def _about_gap(audit: FairnessAudit, gap: int, partition: int) -> str:
    about = list(GAPS.values())[gap]
    mean, top = audit.floors[gap, partition]
    lines = [f"<b>{about.title}</b>", about.says, gap_words(audit, gap, partition)]
    if np.isfinite(mean):
        lines.append(f"at random {mean:.3f}, beyond {top:.3f} in one of 20")
    if about.aka:
        lines.append(f"also: {about.aka}")
    return "<br>".join((*lines, verdict(audit, gap, partition)))


def overall_words(audit: FairnessAudit, rate: str) -> str:
    """Write the rate of all rows."""
    return f"{RATES[rate].title} of all rows: {percent(float(audit.overall[rate_index(rate), 0]))}"
