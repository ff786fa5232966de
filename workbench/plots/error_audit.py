"""Errors of groups under a model of a number, with intervals and what chance would bring."""

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from workbench.core.error_audit import MEASURES, ErrorAudit
from workbench.core.errors import InvalidInputError
from workbench.core.fairness import ENOUGH
from workbench.core.wording import counted
from workbench.numerics.least_chance import is_least, least_chance
from workbench.plots import words
from workbench.plots.chance_words import chance_percent
from workbench.plots.layout import layout_bars, note, padded, shortened, title
from workbench.plots.theme import DASHES, escaped, palette, template

OFF, SIDE = "mean_absolute_error", "mean_error"
LEVEL, NAME_LENGTH, ROW_HEIGHT, BAND_WIDTH = 0.05, 30, 38, 13


def groups(
    audit: ErrorAudit, *, partition: str | int = 0, measure: str = OFF, dark: bool = False
) -> go.Figure:
    """Draw a measure of every group of a partition with its interval, dotted that of all rows.

    Groups with too few rows to be compared are grey and open; those without rows stay in their
    place, and say so.

    Raises
    ------
    InvalidInputError
        If there is no such partition or measure.
    """
    p, m = partition_index(audit, partition), measure_index(measure)
    found, colours = audit.groups_of(p), palette(dark=dark)
    shown, overall = audit.values[m, found], float(audit.overall[m, 0])
    figure = go.Figure(layout={"template": template(dark=dark)})
    line = {"color": colours.muted, "width": 1, "dash": DASHES[2]}
    figure.add_vline(x=overall, line=line)
    known, sure = np.isfinite(shown[:, 0]), audit.sizes[found] >= least_rows(audit)
    bounds = np.where(np.isfinite(shown), shown, shown[:, :1])  # a single row has no bounds
    for chosen, ink, symbol in (
        (known & sure, colours.positive, "circle"), (known & ~sure, colours.others, "circle-open"),
    ):  # fmt: skip
        value, low, high = bounds[chosen].T
        figure.add_scatter(
            x=value, y=np.flatnonzero(chosen), mode="markers",
            marker={"size": 10, "color": ink, "symbol": symbol, "line": {"color": ink, "width": 2}},
            error_x={"type": "data", "array": high - value, "arrayminus": value - low,
                     "color": colours.whisker, "thickness": 1.2, "width": 4},
            hovertext=[_about(audit, m, int(g)) for g in found[chosen]], hoverinfo="text",
        )  # fmt: skip
    span = padded(_span(np.append(bounds[known].ravel(), overall)), 0.08)
    for place in np.flatnonzero(~known):
        figure.add_annotation(
            x=span[0], y=place, text="no rows", showarrow=False, xanchor="left",
            font={"color": colours.muted},
        )  # fmt: skip
    labels = [_label(audit, int(g)) for g in found]
    layout_bars(figure, labels, span, ROW_HEIGHT)
    figure.update_yaxes(ticktext=labels)
    title(figure, f"{MEASURES[measure][0].lower()}{_unit(audit)}", "whiskers: 95 %")
    note(figure, "dotted: all rows; grey: too few rows", dark=dark)
    return figure


def gaps(audit: ErrorAudit, *, partition: str | int = 0, dark: bool = False) -> go.Figure:
    """Draw every gap of a partition with its interval, over what groups at random would show.

    The grey band reaches from no gap to what one of 20 random draws exceeds, with a tick at what
    is usual. Gaps beyond chance, after correction for all measures and partitions, are filled.

    Raises
    ------
    InvalidInputError
        If there is no such partition.
    """
    p, colours = partition_index(audit, partition), palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark)})
    found, floors = audit.gaps[:, p], audit.floors[:, p]
    known = np.isfinite(found).all(1)
    for place in np.flatnonzero(known):
        figure.add_scatter(
            x=[0, floors[place, 1]], y=[place, place], mode="lines", hoverinfo="skip",
            line={"color": colours.haze, "width": BAND_WIDTH},
        )  # fmt: skip
        figure.add_scatter(
            x=[floors[place, 0]], y=[place], mode="markers", hoverinfo="skip",
            marker={"symbol": "line-ns", "size": BAND_WIDTH - 2,
                    "line": {"color": colours.muted, "width": 1.5}},
        )  # fmt: skip
    sure = np.nan_to_num(audit.adjusted[:, p], nan=1.0) <= LEVEL
    for chosen, ink, symbol in (
        (known & sure, colours.negative, "circle"), (known & ~sure, colours.others, "circle-open"),
    ):  # fmt: skip
        value, low, high = found[chosen].T
        figure.add_scatter(
            x=value, y=np.flatnonzero(chosen), mode="markers",
            marker={"size": 10, "color": ink, "symbol": symbol, "line": {"color": ink, "width": 2}},
            error_x={"type": "data", "array": high - value, "arrayminus": value - low,
                     "color": colours.whisker, "thickness": 1.2, "width": 4},
            hovertext=[_about_gap(audit, int(m), p) for m in np.flatnonzero(chosen)],
            hoverinfo="text",
        )  # fmt: skip
    labels = [name for name, _ in MEASURES.values()]
    span = padded(_span(np.concatenate([found[known].ravel(), floors[known].ravel(), [0.0]])), 0.08)
    for place in np.flatnonzero(~known):
        figure.add_annotation(
            x=span[0], y=place, text="fewer than two groups with enough rows", showarrow=False,
            xanchor="left", font={"color": colours.muted},
        )  # fmt: skip
    layout_bars(figure, labels, span, ROW_HEIGHT)
    figure.update_yaxes(ticktext=labels)
    title(figure, f"gap between groups{_unit(audit)}", "0: all alike", "whiskers: 95 %")
    note(figure, "grey band: what chance brings; filled: beyond it", dark=dark)
    return figure


def partition_index(audit: ErrorAudit, name: str | int) -> int:
    """Return the position of a partition given by name or position.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    if isinstance(name, int) and 0 <= name < len(audit.partitions):
        return name
    if name not in audit.partition_names:
        raise InvalidInputError(
            f"There is no partition {name!r}; choose one of {', '.join(audit.partition_names)}."
        )
    return audit.partition_names.index(str(name))


def measure_index(name: str) -> int:
    """Return the position of a measure.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    if name not in MEASURES:
        raise InvalidInputError(
            f"There is no measure {name!r}; choose one of {', '.join(MEASURES)}."
        )
    return list(MEASURES).index(name)


def errors_sentence(audit: ErrorAudit, partition: int = 0) -> str:
    """Say for whom the model is further off, how sure that is, and on which side it errs."""
    m, found = measure_index(OFF), audit.groups_of(partition)
    enough = found[
        (audit.sizes[found] >= least_rows(audit)) & np.isfinite(audit.values[m, found, 0])
    ]
    by = audit.partition_names[partition]
    if len(enough) < 2 or not np.isfinite(audit.gaps[m, partition, 0]):
        return (
            f"By {by}, fewer than two groups have enough rows to be compared ({least_rows(audit)})."
        )
    order = enough[np.argsort(audit.values[m, enough, 0])]
    best, worst = int(order[0]), int(order[-1])
    gap, low, high = (words.number(float(x)) for x in audit.gaps[m, partition])
    said = (
        f"By {by}, predictions are off by {_valued(audit, m, worst)} on average for "
        f"{audit.group_names[worst]}, and by {_valued(audit, m, best)} for "
        f"{audit.group_names[best]}. With this many rows the difference of {gap} could be {low} "
        f"to {high}: {_by_chance(audit, m, partition)}."
    )
    return " ".join([said, *_sides(audit, enough)])


def least_rows(audit: ErrorAudit) -> int:
    """Return how many rows a group needs to be compared."""
    return int(audit.provenance.params.get("least_rows", ENOUGH))


def _by_chance(audit: ErrorAudit, m: int, partition: int) -> str:
    """Say whether groups at random differ as much, all comparisons counted."""
    chance, corrected = float(audit.chances[m, partition]), float(audit.adjusted[m, partition])
    least = is_least(chance, least_chance(audit))
    drawn = (
        f"groups drawn at random differ as much in {chance_percent(chance, least=least)} of draws"
    )
    if corrected <= LEVEL:
        return f"more than chance brings, for {drawn}"
    if chance > LEVEL:
        return f"no more than chance may bring, for {drawn}"
    many = int(np.isfinite(audit.chances).sum())
    if least:
        return (
            f"{drawn}, but {many} comparisons would take more draws to tell that from chance; "
            "compare fewer groups"
        )
    return (
        f"{drawn}, but of {many} comparisons some show as much by chance "
        f"({chance_percent(corrected)} after correction)"
    )


def _sides(audit: ErrorAudit, found: np.ndarray) -> list[str]:
    """Name the groups that are predicted too high or too low, beyond chance among that many."""
    m, many = measure_index(SIDE), stats.norm.ppf(1 - LEVEL / 2 / len(found))
    wider = many / stats.norm.ppf(1 - LEVEL / 2)
    value, low, high = audit.values[m, found].T
    said = []
    for word, chosen in (
        ("low", value + wider * (high - value) < 0), ("high", value - wider * (value - low) > 0),
    ):  # fmt: skip
        if chosen.any():
            names = "; ".join(audit.group_names[g] for g in found[chosen])
            said.append(f"Predicted too {word} on average: {names}.")
    return said


def _valued(audit: ErrorAudit, m: int, g: int) -> str:
    value, low, high = (words.number(float(x)) for x in audit.values[m, g])
    return f"{value} ({low} to {high})"


def _unit(audit: ErrorAudit) -> str:
    return f", {escaped(audit.unit)}" if audit.unit else ""


def _label(audit: ErrorAudit, g: int) -> str:
    return f"{escaped(shortened(audit.group_names[g], NAME_LENGTH))} ({audit.sizes[g]:,})"


def _about(audit: ErrorAudit, m: int, g: int) -> str:
    name, says = list(MEASURES.values())[m]
    return "<br>".join((
        f"<b>{escaped(audit.group_names[g])}</b>, {counted(int(audit.sizes[g]), 'row')}",
        f"{name}: {_valued(audit, m, g)}", says,
    ))  # fmt: skip


def _about_gap(audit: ErrorAudit, m: int, p: int) -> str:
    gap, low, high = (words.number(float(x)) for x in audit.gaps[m, p])
    mean, top = (words.number(float(x)) for x in audit.floors[m, p])
    chance = float(audit.chances[m, p])
    least = is_least(chance, least_chance(audit))
    return "<br>".join((
        f"<b>{list(MEASURES.values())[m][0]}</b>", f"gap {gap} ({low} to {high})",
        f"groups at random: {mean} on average, {top} in one of 20 draws",
        f"chance of as much: {chance_percent(chance, least=least)}, corrected "
        f"{chance_percent(float(audit.adjusted[m, p]), least=least)}",
    ))  # fmt: skip


def _span(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 1, high + 1)
