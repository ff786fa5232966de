"""What each view of an attribution shows, in a sentence or two: plain text, as in ``words``."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.core.results import Attribution
from workbench.core.schema import listing
from workbench.core.wording import percent
from workbench.plots.clusters import clusters_of
from workbench.plots.cohorts import cohorts_of
from workbench.plots.dependence import interactions_of
from workbench.plots.feature_axis import top_groups
from workbench.plots.layout import NO_ROWS
from workbench.plots.words import (
    amount,
    decimals_for,
    number,
    overall_sentence,
    quantity,
    sentence,
    signed,
)

# A share of apparent interaction below which nothing is said.
WORTH_A_WORD = 0.02
NAMED = 3


def view_sentence(
    attribution: Attribution, view: str, *, output: str | int | None = None, **options: Any
) -> str:
    """Say what a view shows; the options are those given to ``render``, None for a default.

    Raises
    ------
    WorkbenchError
        If an output or an option is not known.
    """
    if not len(attribution):
        return NO_ROWS
    given = {name: value for name, value in options.items() if value is not None}
    return SENTENCES.get(view, overall_sentence)(attribution, output, **given)


def _waterfall(attribution: Attribution, output: str | int | None, row: int = 0) -> str:
    return sentence(attribution, row, output)


def _dependence(
    attribution: Attribution, output: str | int | None, feature: str | None = None,
    colour: str | None = None,
) -> str:  # fmt: skip
    which = attribution.output_index(output)
    found = interactions_of(attribution, feature, which)
    what = attribution.schema.features[found.feature]
    values, data = attribution.values[:, found.feature, which], attribution.data[:, found.feature]
    parts = _ends(values, data, attribution, found.feature)
    said = f"Over {_rows(len(values))}, the effect of {what.name} on {quantity(attribution, which)}"
    if len(parts) < 2:
        return f"{said} is {signed(float(values.mean()), 3)} on average: it has one value."
    decimals = decimals_for(max(abs(mean) for _, mean in parts))
    (low, first), (high, last) = parts
    said += (
        f" goes from {signed(first, decimals)} on average where it is {low} to "
        f"{signed(last, decimals)} where it is {high}."
    )
    other = found.strongest if colour is None else attribution.schema.index(colour)
    share = np.nan if other is None else float(found.shares[other])
    if other is None or not share >= WORTH_A_WORD:
        return said if colour is not None else f"{said} No other feature visibly changes it."
    return (
        f"{said} Among rows with similar values of it, {attribution.names[other]} goes with "
        f"{percent(share)} of the differences that remain."
    )


def _ends(
    values: np.ndarray, data: np.ndarray, attribution: Attribution, feature: int
) -> list[tuple[str, float]]:
    """Return two groups of rows in words and their mean effect: lowest and highest.

    Of a number those are its lowest and highest quarter, of categories the two with the lowest
    and highest mean among the frequent ones.
    """
    what = attribution.schema.features[feature]
    known = ~np.isnan(data)
    if what.kind == "categorical":
        groups, names = top_groups(what, data, 8)
        means = [(names[i], float(values[groups == i].mean())) for i in range(len(names))]
        if len(means) < 2:
            return means
        return [min(means, key=lambda pair: pair[1]), max(means, key=lambda pair: pair[1])]
    if len(np.unique(data[known])) < 2:
        return []
    low, high = np.quantile(data[known], (0.25, 0.75))
    if low == high:
        low, high = data[known].min(), np.nextafter(data[known].min(), np.inf)
    least, most = data[known & (data <= low)].max(), data[known & (data >= high)].min()
    return [
        (f"at most {what.show(float(least))}", float(values[known & (data <= least)].mean())),
        (f"at least {what.show(float(most))}", float(values[known & (data >= most)].mean())),
    ]


def _decision(attribution: Attribution, output: str | int | None, highlight: object = None) -> str:
    del highlight  # what is marked does not change what is said of all rows
    which = attribution.output_index(output)
    predictions = attribution.predictions[:, which]
    base = amount(attribution, float(attribution.base_values[:, which].mean()))
    what = quantity(attribution, which)
    if len(predictions) == 1:
        return f"From the base value {base}, one row leads to {what} " \
               f"{amount(attribution, float(predictions[0]))}."  # fmt: skip
    low, q1, q3, high = (
        amount(attribution, float(q)) for q in np.quantile(predictions, (0, 0.25, 0.75, 1))
    )
    return (
        f"From the base value {base}, the paths of {_rows(len(predictions))} spread to {what} "
        f"between {low} and {high}; the middle half ends between {q1} and {q3}."
    )


def _cohorts(
    attribution: Attribution, output: str | int | None, by: str | None = None,
    measure: str = "size",
) -> str:  # fmt: skip
    found = cohorts_of(attribution, by, measure=measure, output=output)  # type: ignore[arg-type]
    if len(found.names) < 2:
        return f"Rows by {found.by} make no two groups of 2 rows or more, so nothing is compared."
    said = f"Rows by {found.by}: {listing(found.names, 5)}."
    output_said = quantity(attribution, output)
    range_of = found.means.max(0) - found.means.min(0)
    order = [int(i) for i in np.argsort(-range_of, kind="stable") if found.differs[i]]
    if not order:
        return f"{said} No feature's effect on {output_said} differs by more than chance."
    first = order[0]
    most, least = int(found.means[:, first].argmax()), int(found.means[:, first].argmin())
    decimals = decimals_for(float(np.abs(found.means[:, first]).max()))

    def show(group: int) -> str:
        mean = float(found.means[group, first])
        written = f"{mean:,.{decimals}f}" if measure == "size" else signed(mean, decimals)
        return f"by {written} on average for {found.names[group]}"

    others = [found.features[i] for i in order[1:]]
    more = f"; {listing(others, NAMED - 1)} {'differ' if len(others) > 1 else 'differs'} too" \
        if others else ""  # fmt: skip
    return (
        f"{said} {found.features[first]} differs most: it moves {output_said} {show(least)} and "
        f"{show(most)}{more}."
    )


def _clusters(attribution: Attribution, output: str | int | None, colour: str = "cluster") -> str:
    del colour  # the same groups in other colours
    if len(attribution) < 3:
        return "Clusters need at least 3 rows."
    found = clusters_of(attribution, output)
    n = len(found.labels)
    if len(found.names) == 1:
        return f"The explanations of {_rows(n)} fall into no groups that stand apart."
    groups = [
        f"{name} ({_rows(int(size))}): {rule_sentence(rule.text, rule.purity, rule.coverage)}"
        for name, size, rule in zip(found.names, found.sizes, found.rules, strict=True)
    ]
    shown, rest = groups[:NAMED], groups[NAMED:]
    more = f"; and {len(rest)} more" if rest else ""
    return (
        f"The explanations of {_rows(n)} fall into {len(found.names)} groups, {found.strength} "
        f"(silhouette {number(found.silhouette)}). {'; '.join(shown)}{more}."
    )


def rule_sentence(text: str, purity: float, coverage: float) -> str:
    """Write a rule with how well it meets its group.

    Examples
    --------
    >>> rule_sentence("age is at most 30 years", 0.9, 0.8)
    'age is at most 30 years (90 % of the rows that fit, 80 % of the group)'
    >>> rule_sentence("", 0.5, 1.0)
    'no short rule tells it from the others'
    """
    if not text:
        return "no short rule tells it from the others"
    return f"{text} ({percent(purity)} of the rows that fit, {percent(coverage)} of the group)"


def _rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"


SENTENCES: Mapping[str, Callable[..., str]] = {
    "waterfall": _waterfall, "dependence": _dependence, "decision": _decision,
    "cohorts": _cohorts, "clusters": _clusters,
}  # fmt: skip
