"""What another threshold would do: rates of groups as it moves, and what mistakes would cost."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from workbench.core.errors import InvalidInputError
from workbench.core.fairness import ENOUGH, FairnessAudit
from workbench.core.fairness_metrics import TPR
from workbench.numerics.audit_reading import group_phrase, rate_index
from workbench.numerics.group_rates import denominators_of, rates_of
from workbench.numerics.rates import wilson_bounds
from workbench.plots.fairness_scores import drawn_groups
from workbench.plots.fairness_words import in_words
from workbench.plots.layout import empty, note, shortened
from workbench.plots.theme import DASHES, Palette, escaped, palette, template
from workbench.plots.words import number

HEIGHT = 620
LETTERS = 22
Z = 1.959964
# Scores are counted by rows also where rows have weights.
ALIKE = " Rows are counted alike here, whatever their weights."


@dataclass(frozen=True)
class Costs:
    """What mistakes cost at each threshold, for a hundred people.

    Attributes
    ----------
    of_group, of_all
        Mean cost, and its 95 % half-width, by threshold.
    cheapest, common
        Positions of the thresholds of least cost: of each group, and of all together.
    apart
        Cost if every group had its own cheapest threshold.
    """

    groups: Int[np.ndarray, " m"]
    of_group: Float[np.ndarray, "t m 2"]
    of_all: Float[np.ndarray, "t 2"]
    cheapest: Int[np.ndarray, " m"]
    common: int
    apart: float


def counts_at(audit: FairnessAudit) -> Float[np.ndarray, "t g 2 2"]:
    """Count rows by truth and decision at each threshold, without any row at hand."""
    above = audit.passed.astype(np.float64)
    return np.stack([above[:1] - above, above], -1)


def costs_of(
    audit: FairnessAudit, partition: int, false_positive: float, false_negative: float
) -> Costs:
    """Add up what mistakes cost for the groups of a partition.

    Raises
    ------
    InvalidInputError
        If a cost is below 0, or both are 0.
    """
    if min(false_positive, false_negative) < 0 or not max(false_positive, false_negative) > 0:
        raise InvalidInputError(
            f"Mistakes need costs of 0 or more, one of them above 0; got {false_positive:g} for a "
            f"wrong yes and {false_negative:g} for a wrong no."
        )
    found = audit.groups_of(partition)
    found = found[audit.passed[0, found].sum(1) > 0]
    counts = counts_at(audit)[:, found]
    each = _per_hundred(counts, false_positive, false_negative)
    together = _per_hundred(counts.sum(1), false_positive, false_negative)
    cheapest = each[..., 0].argmin(0)
    sizes = audit.passed[0, found].sum(1)
    apart = float((each[cheapest, np.arange(len(found)), 0] * sizes).sum() / sizes.sum())
    return Costs(found, each, together, cheapest, int(together[:, 0].argmin()), apart)


def _per_hundred(
    counts: Float[np.ndarray, "*m 2 2"], false_positive: float, false_negative: float
) -> Float[np.ndarray, "*m 2"]:
    """Mean cost of a hundred people, with the half-width that their number gives it."""
    n = counts.sum((-1, -2))
    wrong_yes, wrong_no = counts[..., 0, 1] / n, counts[..., 1, 0] / n
    mean = false_positive * wrong_yes + false_negative * wrong_no
    square = false_positive**2 * wrong_yes + false_negative**2 * wrong_no
    return 100 * np.stack([mean, Z * np.sqrt(np.maximum(0.0, square - mean**2) / n)], -1)


def nearest(audit: FairnessAudit, threshold: float) -> int:
    """Return the position of the threshold that is nearest."""
    return int(np.abs(audit.thresholds - threshold).argmin())


def thresholds(
    audit: FairnessAudit, *, partition: str | int = 0, rate: str = TPR, threshold: float = 0.5,
    cost_false_positive: float = 1.0, cost_false_negative: float = 1.0, dark: bool = False,
) -> go.Figure:  # fmt: skip
    """Draw a rate of each group as the threshold moves, and below what mistakes cost.

    Bands are 95 % intervals. Dots are each group's cheapest threshold, the dashed line the
    cheapest that all share, the full line the one that is looked at. All of them are chosen on
    these rows, so that on others they cost a little more.

    Raises
    ------
    InvalidInputError
        If there is no such partition or rate, or a cost is below 0.
    """
    p, r = audit.partition_index(partition), rate_index(rate)
    found = drawn_groups(audit, p)
    costs = costs_of(audit, p, cost_false_positive, cost_false_negative)
    if not len(found):
        return empty(f"No group has {ENOUGH} rows with and without that outcome.", dark=dark)
    colours = palette(dark=dark)
    figure = go.Figure(layout={"template": template(dark=dark), "height": HEIGHT})
    counts = counts_at(audit)[:, found]
    shares, n = rates_of(counts)[:, r], denominators_of(counts)[:, r]
    low, high = wilson_bounds(np.nan_to_num(shares) * n, n)
    enough = n >= ENOUGH
    for place, g in enumerate(found):
        look = {"color": colours.classes[place], "width": 2, "dash": DASHES[place]}
        inside = enough[:, place]
        name = escaped(shortened(audit.group_names[g], LETTERS))
        _band(figure, audit.thresholds, (low[:, place], high[:, place]), inside, look, "y")
        _line(figure, audit.thresholds, shares[:, place], inside, look, "y", name)
        at = list(costs.groups).index(g)
        mean, half = costs.of_group[:, at].T
        everywhere = np.ones(len(mean), dtype=bool)
        _band(figure, audit.thresholds, (mean - half, mean + half), everywhere, look, "y2")
        _line(figure, audit.thresholds, mean, everywhere, look, "y2", name)
        best = costs.cheapest[at]
        figure.add_scatter(
            x=[audit.thresholds[best]], y=[mean[best]], yaxis="y2", mode="markers",
            marker={"color": look["color"], "size": 10}, showlegend=False, hoverinfo="text",
            hovertext=[f"{escaped(group_phrase(audit, int(g)))}: cheapest at "
                       f"{audit.thresholds[best]:.3g}, {number(float(mean[best]))} ± "
                       f"{number(float(half[best]))} per 100 people"],
        )  # fmt: skip
    _marks(figure, float(audit.thresholds[costs.common]), threshold, colours)
    _axes(figure, audit, rate)
    note(figure, "dashed: cheapest for all; dots: for one group", dark=dark)
    return figure


def threshold_sentence(
    audit: FairnessAudit, partition: int, threshold: float,
    cost_false_positive: float = 1.0, cost_false_negative: float = 1.0,
) -> str:  # fmt: skip
    """Say what mistakes cost at a threshold, at the cheapest, and if groups had their own.

    Raises
    ------
    InvalidInputError
        If there is no such partition, or a cost is below 0.
    """
    costs = costs_of(audit, partition, cost_false_positive, cost_false_negative)
    here, half = costs.of_all[nearest(audit, threshold)]
    best, common = costs.of_all[costs.common, 0], audit.thresholds[costs.common]
    return (
        f"At threshold {threshold:.3g} mistakes cost {number(float(here))} ± "
        f"{number(float(half))} for 100 people; the cheapest threshold for all is {common:.3g} "
        f"({number(float(best))}). With a threshold of its own for each group it would be "
        f"{number(costs.apart)}, which treats equal scores differently by group and may be "
        f"unlawful.{ALIKE if audit.weighted else ''}"
    )


def _line(
    figure: go.Figure, x: Float[np.ndarray, " t"], y: Float[np.ndarray, " t"],
    inside: np.ndarray, look: dict[str, object], axis: str, name: str,
) -> None:  # fmt: skip
    figure.add_scatter(
        x=x, y=np.where(inside, y, np.nan), mode="lines", line=look, yaxis=axis, name=name,
        legendgroup=name, showlegend=axis == "y",
        hovertemplate=f"{name}<br>threshold %{{x:.3g}}: %{{y:.3g}}<extra></extra>",
    )  # fmt: skip


def _band(
    figure: go.Figure, x: Float[np.ndarray, " t"],
    ends: tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]], inside: np.ndarray,
    look: dict[str, object], axis: str,
) -> None:  # fmt: skip
    low, high = (end[inside] for end in ends)
    figure.add_scatter(
        x=np.concatenate([x[inside], x[inside][::-1]]), y=np.concatenate([low, high[::-1]]),
        fill="toself", mode="lines", line={"width": 0}, fillcolor=_faint(str(look["color"])),
        hoverinfo="skip", showlegend=False, yaxis=axis,
    )  # fmt: skip


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.14)"


def _marks(figure: go.Figure, common: float, threshold: float, colours: Palette) -> None:
    figure.add_vline(x=threshold, line={"color": colours.text, "width": 1})
    figure.add_vline(x=common, line={"color": colours.muted, "width": 1, "dash": "dash"})


def _axes(figure: go.Figure, audit: FairnessAudit, rate: str) -> None:
    _, do = in_words(audit, rate)
    good = escaped(shortened(audit.favourable, LETTERS))
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.06, "yanchor": "bottom", "x": 0,
                "bgcolor": "rgba(0,0,0,0)", "font": {"size": 12}},
        margin={"t": 70},
        xaxis={"range": [0, 1], "anchor": "y2",
               "title": {"text": f"score from which {good} is decided"}},
        yaxis={"domain": [0.46, 1], "range": [-0.02, 1.02], "tickformat": ".0%",
               "title": {"text": escaped(shortened(f"that {do}", 30))}},
        yaxis2={"domain": [0, 0.38], "rangemode": "tozero",
                "title": {"text": "cost of mistakes<br>per 100 people"}},
    )  # fmt: skip
