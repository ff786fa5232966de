"""Groups as cells: of crossed attributes, and of two groups held against each other."""

from textwrap import wrap

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.fairness import ENOUGH, FairnessAudit
from workbench.core.fairness_metrics import RATES, TPR
from workbench.core.wording import counted
from workbench.numerics.audit_reading import group_phrase, rate_index
from workbench.plots.fairness_words import in_words, interval_words
from workbench.plots.layout import empty, narrow_title, note, shortened
from workbench.plots.theme import Palette, blended, escaped, ink_on, palette, template

CELL_HEIGHT, FRAME = 56, 130
NAME_LENGTH, SHORT = 22, 12
# Cells from which on the interval is left to the hover: there is no room to read it.
CROWDED = 4
MOST_GROUPS = 12


def intersections(
    audit: FairnessAudit, *, partition: str | int | None = None, rate: str = TPR,
    dark: bool = False,
) -> go.Figure:  # fmt: skip
    """Draw a rate of every cell of crossed attributes with its interval, empty cells included.

    The attribute with the fewest levels stands across. The colour is the rate; cells with too few
    rows to be compared have none, and say how many they have.

    Raises
    ------
    InvalidInputError
        If there is no such partition or rate.
    """
    crossed = [p for p, part in enumerate(audit.partitions) if len(part) > 1]
    if partition is None and not crossed:
        return empty("One attribute has no cells to cross: choose a second.", dark=dark)
    p = audit.partition_index(crossed[-1] if partition is None else partition)
    if len(audit.partitions[p]) < 2:
        return empty("One attribute has no cells to cross: choose another partition.", dark=dark)
    r, colours = rate_index(rate), palette(dark=dark)
    grid, lines, heads, across = _grid(audit, p)
    shown = np.where(audit.sufficient[r], audit.rates[r, :, 0], np.nan)[grid]
    figure = go.Figure(layout={"template": template(dark=dark)})
    scale, low, high = _scale(colours), *_ends(shown)
    figure.add_heatmap(
        z=shown, zmin=low, zmax=high, colorscale=scale, xgap=2, ygap=2, showscale=False,
        hoverongaps=True, hoverinfo="text",
        hovertext=[[_about(audit, int(g), rate) for g in line] for line in grid],
    )  # fmt: skip
    wide = len(heads) <= CROWDED
    texts = [_cell(audit, int(g), r, wide=wide) for g in grid.ravel()]
    _write(figure, shown, texts, (low, high), colours)
    names = [audit.attributes[at] for at in audit.partitions[p] if at != across]
    _frame(figure, heads, lines, ("\N{MULTIPLICATION SIGN}".join(names), audit.attributes[across]))
    of_whom, do = in_words(audit, rate)
    narrow_title(figure, f"{audit.attributes[across]}: per cent of {of_whom} that {do}")
    note(figure, "brackets: 95 %" if wide else "hover for 95 % intervals", dark=dark)
    return figure


def xauc(audit: FairnessAudit, *, partition: str | int = 0, dark: bool = False) -> go.Figure:
    """Draw how often somebody who should score higher does, for every two groups of a partition.

    A row's group gives those with the favourable outcome, a column's those without it. Cells of
    one row that differ say that the model ranks people of one group above those of another for
    more than their outcome. The error is Hanley and McNeil's.

    Raises
    ------
    InvalidInputError
        If there is no such partition.
    """
    p = audit.partition_index(partition)
    found = _with_both(audit, p)
    if len(found) < 1:
        return empty(f"No group has {ENOUGH} rows with and without that outcome.", dark=dark)
    colours, scale = palette(dark=dark), _scale(palette(dark=dark))
    areas = audit.cross_areas[np.ix_(found, found)]
    errors = _area_errors(audit, found, areas)
    figure = go.Figure(layout={"template": template(dark=dark)})
    low, high = _ends(areas)
    figure.add_heatmap(
        z=areas, zmin=low, zmax=high, colorscale=scale, xgap=2, ygap=2, showscale=False,
        hoverinfo="text",
        hovertext=[
            [_about_pair(audit, int(g), int(h), areas[y, x], errors[y, x])
             for x, h in enumerate(found)] for y, g in enumerate(found)
        ],
    )  # fmt: skip
    texts = [f"{area:.2f}" for area in areas.ravel()]
    if len(found) <= CROWDED:
        texts = [f"{text}<br>± {error:.2f}" for text, error in zip(texts, errors.flat, strict=True)]
    _write(figure, areas, texts, (low, high), colours)
    names = [audit.group_names[g] for g in found]
    good = shortened(audit.favourable, SHORT)
    _frame(figure, names, names, (f"with outcome {good}", f"without outcome {good}"))
    left = len(audit.groups_of(p)) - len(found)
    note(figure, f"{counted(left, 'group')} left out: too few rows" if left else "1: always right",
         dark=dark)  # fmt: skip
    return figure


def _grid(
    audit: FairnessAudit, partition: int
) -> tuple[Int[np.ndarray, "y x"], list[str], list[str], int]:
    """Lay groups out: levels of the attribute with the fewest across, all others down."""
    part, found = audit.partitions[partition], audit.groups_of(partition)
    sizes = [len(audit.levels[at]) for at in part]
    axis = int(np.argmin(sizes))
    grid = np.moveaxis(found.reshape(sizes), axis, -1).reshape(-1, sizes[axis])
    rest = [i for i in range(len(part)) if i != axis]
    lines = [", ".join(audit.group_levels[g][i] for i in rest) for g in grid[:, 0]]
    return grid, lines, list(audit.levels[part[axis]]), part[axis]


def _frame(figure: go.Figure, heads: list[str], lines: list[str], names: tuple[str, str]) -> None:
    down, across = (escaped(shortened(name, NAME_LENGTH)) for name in names)
    figure.update_layout(height=FRAME + CELL_HEIGHT * len(lines))
    figure.update_xaxes(
        tickvals=list(range(len(heads))), showgrid=False, title_text=across,
        tickangle=0 if len(heads) < CROWDED else -45,
        ticktext=["<br>".join(escaped(part) for part in wrap(shortened(head, 3 * SHORT), SHORT))
                  for head in heads],
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(lines))), showgrid=False, autorange="reversed", title_text=down,
        ticktext=["<br>".join(escaped(part) for part in wrap(shortened(line, 2 * NAME_LENGTH),
                                                             NAME_LENGTH)) for line in lines],
    )  # fmt: skip


def _write(
    figure: go.Figure, shown: Float[np.ndarray, "y x"], texts: list[str],
    ends: tuple[float, float], colours: Palette,
) -> None:  # fmt: skip
    """Write into every cell, in black or white as its colour asks; of all cells at once."""
    y, x = np.indices(shown.shape)
    figure.add_scatter(
        x=x.ravel(), y=y.ravel(), mode="text", text=texts, hoverinfo="skip", cliponaxis=False,
        textfont={"color": [_ink(value, ends, colours) for value in shown.flat], "size": 12},
    )  # fmt: skip


def _cell(audit: FairnessAudit, group: int, rate: int, *, wide: bool) -> str:
    n = int(audit.denominators[rate, group])
    if not n:
        return "nobody" if not audit.sizes[group] else "not<br>defined"
    value, low, high = 100 * audit.rates[rate, group]
    interval = f"<br>({low:.0f} to {high:.0f})" if wide else ""
    few = "" if n >= ENOUGH else "few: "
    return f"{few}{value:.0f}{interval}<br>of {n:,}"


def _about(audit: FairnessAudit, group: int, rate: str) -> str:
    r = rate_index(rate)
    lines = [
        f"<b>{escaped(group_phrase(audit, group))}</b>",
        f"{RATES[rate].title}: {interval_words(audit.rates[r, group])}",
        f"of {counted(int(audit.denominators[r, group]), 'row')}",
        audit.reason(rate, group),
    ]
    return "<br>".join(line for line in lines if line)


def _about_pair(audit: FairnessAudit, one: int, other: int, area: float, error: float) -> str:
    good = escaped(audit.favourable)
    return (
        f"Somebody of {escaped(group_phrase(audit, one))} with outcome {good}<br>scores above "
        f"somebody of {escaped(group_phrase(audit, other))} without it<br>in {100 * area:.0f} of "
        f"100 pairs (± {100 * error:.0f})"
    )


def _with_both(audit: FairnessAudit, partition: int) -> Int[np.ndarray, " m"]:
    """Return the largest groups with enough rows with and without the favourable outcome."""
    found = audit.groups_of(partition)
    kept = found[(audit.counts[found].sum(2) >= ENOUGH).all(1)]
    if len(kept) <= MOST_GROUPS:
        return kept
    return np.sort(kept[np.argsort(-audit.sizes[kept], kind="stable")[:MOST_GROUPS]])


def _area_errors(
    audit: FairnessAudit, found: Int[np.ndarray, " m"], areas: Float[np.ndarray, "m m"]
) -> Float[np.ndarray, "m m"]:
    r"""95 % half-widths of areas.

    .. math:: 1.96 \sqrt{\frac{A(1-A) + (n_+ - 1)(\frac{A}{2-A} - A^2)
              + (n_- - 1)(\frac{2A^2}{1+A} - A^2)}{n_+ n_-}}

    References
    ----------
    Hanley and McNeil (1982), The Meaning and Use of the Area under a ROC Curve, eq. 1.
    """
    ones = audit.counts[found, 1].sum(1)[:, None]
    others = audit.counts[found, 0].sum(1)[None, :]
    spread = (
        areas * (1 - areas)
        + (ones - 1) * (areas / (2 - areas) - areas**2)
        + (others - 1) * (2 * areas**2 / (1 + areas) - areas**2)
    )
    return 1.959964 * np.sqrt(np.maximum(0.0, spread) / (ones * others))


def _scale(colours: Palette) -> list[list[float | str]]:
    return [[0.0, blended(colours.surface, colours.positive, 0.08)], [1.0, colours.positive]]


def _ends(values: Float[np.ndarray, "y x"]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return (low - 0.05, high + 0.05) if high - low < 0.05 else (low, high)


def _ink(value: float, ends: tuple[float, float], colours: Palette) -> str:
    if not np.isfinite(value):
        return colours.muted
    share = min(1.0, max(0.0, (float(value) - ends[0]) / (ends[1] - ends[0])))
    faint, strong = (str(colour) for _, colour in _scale(colours))
    return ink_on(blended(faint, strong, share))
