"""What a set of equally good models says of rows, in words, and which part of it is meant."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from workbench.core.rashomon import EXPLORERS, RashomonSet
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.layout import check_row

LARGER = "choose a larger tolerance, or more candidates"
# Metrics that are shares of rows or of pairs of models; the others are in units of the output.
SHARES = frozenset({
    "ambiguity", "discrepancy", "obscurity", "disagreement", "delta_ambiguity",
    "delta_discrepancy", "self_consistency",
})  # fmt: skip


class At(NamedTuple):
    """Positions of an explorer and of a tolerance."""

    explorer: int
    tolerance: int


def at(result: RashomonSet, explorer: str | None = None, tolerance: float | None = None) -> At:
    """Find an explorer, by default the first, and the largest tolerance that is not above one.

    By default the tolerance is that of the growth curve.

    Raises
    ------
    InvalidInputError
        If there is no such explorer or tolerance.
    """
    which = 0 if explorer is None else result.explorer_index(explorer)
    return At(which, result.growth_at if tolerance is None else result.tolerance_index(tolerance))


def explorer_title(result: RashomonSet, place: int) -> str:
    """Name an explorer as a reader knows it."""
    return EXPLORERS[result.explorers[place]]


def is_closed(result: RashomonSet, place: int) -> bool:
    """Tell whether an explorer has ranges and no models."""
    return int(result.drawn[place]) == 0


def has_range(result: RashomonSet, where: At) -> bool:
    """Tell whether anything is known of rows there."""
    return bool(np.isfinite(result.low[where]).any())


def models_text(result: RashomonSet, where: At) -> str:
    """Say how many models a number is about: ``M = 2,000``, or that it comes from a formula."""
    if is_closed(result, where.explorer):
        return "no models, a formula" if has_range(result, where) else "nothing found"
    return f"M = {result.admitted[where]:,}"


def admission_text(result: RashomonSet) -> str:
    """Name the rows that models are admitted on."""
    return f"{counted(result.n_admission, 'row')} of {result.admission}"


def decided_otherwise(result: RashomonSet, where: At) -> Bool[np.ndarray, " n"]:
    """Tell which rows some equally good model decides otherwise; of a formula, could decide."""
    flips = result.flips[where]
    if np.isfinite(flips).any():
        return np.nan_to_num(flips) > 0
    if result.schema.task != "binary":
        return np.zeros(len(result), dtype=bool)
    with np.errstate(invalid="ignore"):
        low, high = result.low[where][:, 1], result.high[where][:, 1]
        return np.where(result.decisions == 1, low < 0.5, high > 0.5)


def widths(result: RashomonSet, where: At, which: int) -> Float[np.ndarray, " n"]:
    """Return how far equally good models move an output of each row."""
    found: np.ndarray = result.high[where][:, which] - result.low[where][:, which]
    return found


def coverage(result: RashomonSet, where: At, which: int) -> float:
    """Return the mean width of the ranges as a share of the exact one; NaN where that is not in."""
    if "lagrangian" not in result.explorers or not has_range(result, where):
        return float("nan")
    exact = widths(result, where._replace(explorer=result.explorer_index("lagrangian")), which)
    whole = float(exact.mean())
    return float(widths(result, where, which).mean()) / whole if whole > 0 else float("nan")


def metric_text(result: RashomonSet, name: str, value: float) -> str:
    """Write a metric: shares per cent, what is in units of the output with its unit."""
    if np.isnan(value):
        return "not defined"
    if name in SHARES:
        return percent(value)
    unit = "" if result.schema.n_classes or name == "capacity" else result.unit
    return f"{words.number(value)} {unit}".strip()


def rashomon_sentence(
    result: RashomonSet,
    output: str | int | None = None,
    *,
    explorer: str | None = None,
    tolerance: float | None = None,
) -> str:
    """Say how far equally good models disagree, how many there are and who looked for them.

    Raises
    ------
    InvalidInputError
        If there is no such output, explorer or tolerance.
    """
    which, where = result.output_index(output), at(result, explorer, tolerance)
    if not len(result):
        return "There are no rows to look at."
    if not has_range(result, where):
        return nothing_sentence(result, where)
    if not result.schema.n_classes:
        return _of_values(result, where, which)
    share = percent(float(decided_otherwise(result, where).mean()))
    rows = counted(len(result), "row")
    if is_closed(result, where.explorer):
        said = f"{share} of {rows} could get another decision from an equally good model"
        if result.schema.task != "binary":
            said = f"the middle width of the range of {words.quantity(result, which)} is " \
                   f"{words.number(float(np.median(widths(result, where, which))))}"  # fmt: skip
        return f"By a formula ({_about(result, where)}), {said}."
    most = _worst(result, where)
    single = f"; no single one changes more than {most}" if most else ""
    n = int(result.admitted[where])
    models = "the 1 equally good model" if n == 1 else f"{n:,} equally good models"
    one = "it" if n == 1 else "at least one"
    return (
        f"Among {models} ({_about(result, where)}), {share} of {rows} would get another decision "
        f"from {one}{single}."
    )


def nothing_sentence(result: RashomonSet, where: At) -> str:
    """Say why there is nothing to say of an explorer at a tolerance."""
    title, remark = explorer_title(result, where.explorer), result.remarks[where.explorer]
    if remark and is_closed(result, where.explorer):
        return f"{title}: {remark.rstrip('.')}."
    tried = counted(result.drawn[where.explorer], "candidate")
    return (
        f"No model admitted: none of the {tried} of {title} has a {result.loss_name} within "
        f"{tolerance_text(result, where)} of the model's on "
        f"{admission_text(result)}. That does not mean that equally good models agree: {LARGER}."
    )


def remark_text(result: RashomonSet, explorer: str | None = None) -> str:
    """Return what an explorer says of its own range; empty where its sentence says all.

    Raises
    ------
    InvalidInputError
        If there is no such explorer.
    """
    place = at(result, explorer).explorer
    remark, any_range = result.remarks[place], np.isfinite(result.low[place]).any()
    return remark if any_range or not is_closed(result, place) else ""


def row_sentence(
    result: RashomonSet,
    row: int,
    output: str | int | None = None,
    *,
    explorer: str | None = None,
    tolerance: float | None = None,
) -> str:
    """Say what the model says of a row and what equally good ones say.

    Raises
    ------
    InvalidInputError
        If there is no such row, output, explorer or tolerance.
    """
    check_row(result, row)
    which, where = result.output_index(output), at(result, explorer, tolerance)
    if not has_range(result, where):
        return nothing_sentence(result, where)
    what = words.quantity(result, which)
    value, low, high = (
        words.number(float(part[row, which]))
        for part in (result.predictions, result.low[where], result.high[where])
    )
    said = f"Row {result.ids[row]}: the model says {value} ({what}); equally good ones say {low} " \
           f"to {high}"  # fmt: skip
    share = float(result.flips[where][row])
    if np.isnan(share):
        return f"{said} ({_about(result, where)})."
    label = result.output_names[result.decisions[row]]
    decided = (
        f"and all {result.admitted[where]:,} decide {label} as well" if share == 0
        else f"and {percent(share)} of {result.admitted[where]:,} do not decide {label}"
    )  # fmt: skip
    return f"{said}, {decided} ({_about(result, where)})."


def noise_sentence(
    result: RashomonSet, *, explorer: str | None = None, tolerance: float | None = None
) -> str:
    """Say which tolerances cannot be told from 0 on the admission rows.

    Raises
    ------
    InvalidInputError
        If there is no such explorer or tolerance.
    """
    where = at(result, explorer, tolerance)
    noise = float(result.noise[where])
    if is_closed(result, where.explorer) or np.isnan(noise):
        return f"How far losses differ by chance is not known for " \
               f"{explorer_title(result, where.explorer)}: it admitted no model."  # fmt: skip
    here = "this one is below it" if result.below_noise[where] else "this one is above it"
    return (
        f"On {admission_text(result)}, the {result.loss_name} of such a model differs from the "
        f"given one's by {words.number(noise)} by chance (paired standard error): tolerances below "
        f"{words.number(2 * noise)} cannot be told from 0, and {here}."
    )


def _of_values(result: RashomonSet, where: At, which: int) -> str:
    """Say of a regression how far values move."""
    found = widths(result, where, which)
    middle, widest = (words.number(float(f(found))) for f in (np.median, np.max))
    models = "an equally good model" if is_closed(result, where.explorer) else (
        counted(result.admitted[where], "equally good model")
    )  # fmt: skip
    return (
        f"Over {models} ({_about(result, where)}), {words.quantity(result, which)} spans "
        f"{middle} in the middle of {counted(len(result), 'row')}, and {widest} at most."
    )


def _worst(result: RashomonSet, where: At) -> str:
    if "discrepancy" not in result.metric_names:
        return ""
    value = float(result.metric("discrepancy")[where])
    return "" if np.isnan(value) else percent(value)


def _about(result: RashomonSet, where: At) -> str:
    """Name the explorer and what was allowed."""
    tolerance = tolerance_text(result, where)
    return f"{explorer_title(result, where.explorer)}; {result.loss_name} within {tolerance}"


def tolerance_text(result: RashomonSet, where: At) -> str:
    """Write a tolerance as people do."""
    return words.number(float(result.tolerances[where.tolerance]))
