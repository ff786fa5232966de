"""What equally good models agree on, and what they do not, in words."""

import numpy as np

from workbench.core.attribution_range import TOP
from workbench.core.rashomon import EXPLORERS
from workbench.core.results import AttributionRange
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import NO_ROWS, check_row

NAMED = 3


def range_sentence(
    ranges: AttributionRange, row: int | None = None, output: str | int | None = None
) -> str:
    """Say which features change sign between equally good models, and which never do.

    Features below a twentieth of the row's largest attribution are left out. Of several rows, for
    how many the sign of which feature depends on the model.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = ranges.output_index(output)
    if not len(ranges):
        return NO_ROWS
    if not ranges.n_models:
        return (
            f"{who(ranges)} found no model within {_tolerance(ranges)}, so nothing is known of how "
            "far explanations differ; allow a larger tolerance."
        )
    if row is None and len(ranges) > 1:
        return _overall(ranges, which)
    check_row(ranges, row or 0)
    one = ranges[row or 0]
    start = f"Row {one.ids[0]}: equally good models"
    flips = _order(one, which, one.flips(which, least=words.WORTH_A_WORD)[0])
    same = _order(one, which, _steady(one, which))
    if not flips:
        said = [f"{start} agree on the sign of every feature that moves it by more than a little."]
    else:
        said = [f"{start} disagree whether {_listed(one, flips)} {_ways(one, which, flips)}."]
        if same:
            has = "has" if len(same) == 1 else "have"
            said.append(f"{_listed(one, same)} {has} the same sign in all.")
    return " ".join([*said, _asked(ranges)])


def stability_sentence(
    ranges: AttributionRange, row: int | None = None, output: str | int | None = None
) -> str:
    """Say how much of the order of features equally good models keep.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = ranges.output_index(output)
    if not len(ranges) or not ranges.n_models:
        return range_sentence(ranges, row, which)
    if row is not None:
        check_row(ranges, row)
        ranges = ranges[row]
    top = min(TOP, len(ranges.names))
    found = ranges.rank_stability(which, top)
    kept = f"of the {counted(top, 'strongest feature')} they keep {percent(found.kept.mean())}"
    each = found.agreement[:, ~np.isnan(found.agreement).any(0)]
    if not each.size:
        return f"Equally good models: {kept} on average."
    rows, worst = f" over {len(ranges):,} rows", "model and row at worst"
    if len(ranges) == 1:
        rows, worst = "", "the worst"
    return (
        f"The order of the features by size is that of this model up to a rank correlation of "
        f"{words.number(float(each.mean()))} on average{rows} ({worst} "
        f"{words.number(float(each.min()))}); {kept}."
    )


def who(ranges: AttributionRange) -> str:
    """Name who looked for equally good models."""
    return EXPLORERS[ranges.explorer]


def _overall(ranges: AttributionRange, which: int) -> str:
    flips = ranges.flips(which, least=words.WORTH_A_WORD)
    rows, n = flips.sum(0), len(ranges)
    order = [int(j) for j in np.argsort(-rows, kind="stable") if rows[j]]
    if not order:
        return (
            f"For none of {n:,} rows does a feature's sign depend on which of equally good models "
            f"is asked. {_asked(ranges)}"
        )
    named = [f"{ranges.names[j]} ({counted(int(rows[j]), 'row')})" for j in order[:NAMED]]
    others = len(order) - len(named)
    more = f" and {counted(others, 'more feature')}" if others else ""
    return (
        f"For {int(flips.any(1).sum()):,} of {n:,} rows a feature's sign depends on which of "
        f"equally good models is asked, most often {', '.join(named)}{more}. {_asked(ranges)}"
    )


def _asked(ranges: AttributionRange) -> str:
    return (
        f"Asked were this model and {ranges.n_models:,} found by {who(ranges)}, within "
        f"{_tolerance(ranges)}."
    )


def _tolerance(ranges: AttributionRange) -> str:
    return f"{words.number(ranges.tolerance)} more {ranges.loss_name}"


def _steady(one: AttributionRange, which: int) -> np.ndarray:
    """Which features worth a word have the same sign in every model."""
    size = np.abs(one.given_values[0, :, which])
    steady: np.ndarray = one.unanimous(which)[0] & (size >= words.WORTH_A_WORD * size.max())
    return steady


def _order(one: AttributionRange, which: int, chosen: np.ndarray) -> list[int]:
    """Positions of chosen features, those with the widest reach over the models first."""
    low, high = one.span(which)
    reach = np.maximum(np.abs(low[0]), np.abs(high[0]))
    return [int(j) for j in np.argsort(-reach, kind="stable") if chosen[j]]


def _listed(one: AttributionRange, features: list[int]) -> str:
    named = [words.feature_is(one, 0, j) for j in features]
    if len(named) > NAMED + 1:
        named = [*named[:NAMED], f"{len(named) - NAMED} more"]
    *first, last = named
    return f"{', '.join(first)} and {last}" if first else last


def _ways(one: AttributionRange, which: int, features: list[int]) -> str:
    plural = len(features) > 1
    if one.schema.n_classes:
        name = one.output_names[which]
        return f"{'speak' if plural else 'speaks'} for or against {name}"
    return f"{'raise' if plural else 'raises'} or {'lower' if plural else 'lowers'} " \
           f"{words.quantity(one, which)}"  # fmt: skip
