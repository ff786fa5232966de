"""What to believe of a row and of rows like it: the advice for both, held together in words."""

import math
from dataclasses import dataclass
from typing import Literal

from workbench.core.faithfulness import ADEQUATE, EXPLANATIONS
from workbench.core.results import Faithfulness
from workbench.core.wording import counted, percent
from workbench.engines.lfa.advisor import NOTHING, QUESTIONS, Advice, advise, questions_for
from workbench.plots.explanations import where_of
from workbench.plots.words import number

# What a neighbourhood's size is called among the settings; the others have none.
SIZES = {
    "near": "scale", "wide": "wide_scale", "mask-exponential": "width", "resample": "share",
}  # fmt: skip
State = Literal["believe", "with_care", "not_here", "only_here", "none", "nothing"]


BELIEVED: frozenset[State] = frozenset({"believe", "with_care"})


@dataclass(frozen=True)
class Verdict:
    """Whether to believe a linear explanation, and which.

    Attributes
    ----------
    state
        ``believe``; ``with_care`` where the interval reaches beyond what is adequate; ``not_here``
        where it holds over rows and not of this one; ``only_here`` the other way round; ``none``
        where none is adequate; ``nothing`` where there is none to recommend.
    advice
        Over the rows; while only the row is known, of it.
    n_rows
        How many rows the advice is from.
    row
        Number of the row in its file; None where there is none, or nothing is known of it.
    own
        The advice for the row alone, beside that of many.
    missed_here
        What the advised explanation misses of the row; NaN where the model does not move there.
    """

    state: State
    advice: Advice
    n_rows: int
    row: int | None = None
    own: Advice | None = None
    missed_here: float = math.nan

    @property
    def believed(self) -> str:
        """Key of the explanation to believe; empty where there is none."""
        if self.state == "only_here" and self.own is not None:
            return self.own.method
        return self.advice.method if self.state in BELIEVED else ""


def verdict(
    result: Faithfulness,
    question: str,
    *,
    output: str,
    budget: int | None = None,
    row: Faithfulness | None = None,
) -> Verdict:
    """Take the advice of a result and, beside that of many rows, hold it against one row.

    Parameters
    ----------
    row
        The row that is asked about, under the same settings.

    Raises
    ------
    InvalidInputError
        If the question cannot be asked of these rows.
    """
    advice = advise(result, question, output=output, budget=budget)
    plainly: State = "believe" if advice.adequate else "none" if advice.method else "nothing"
    if advice.adequate and advice.high > ADEQUATE:  # not defined for one row
        plainly = "with_care"
    if len(result) == 1:
        return Verdict(plainly, advice, 1, int(result.ids[0]), None, advice.missed)
    if row is None or question not in questions_for(row):
        return Verdict(plainly, advice, len(result))
    own = advise(row, question, output=output, budget=budget)
    here = _missed_of(row, advice, output)
    state = plainly
    if advice.adequate and not here <= ADEQUATE:  # also where it is not defined
        state = "not_here"
    elif own.adequate and not advice.adequate:
        state = "only_here"
    return Verdict(state, advice, len(result), int(row.ids[0]), own, here)


def verdict_sentence(found: Verdict) -> str:
    """Answer the question of the page: which explanation to believe, and how much it misses."""
    advice = found.advice
    if not advice.method:
        return advice.reason
    where, name = where_of(advice.neighbourhood), EXPLANATIONS[advice.method]
    over = f" over {counted(found.n_rows, 'row')}" if found.n_rows > 1 else f" of row {found.row}"
    missed = f"misses {missed_words(advice.missed)} of what the model does{over}"
    if found.state in BELIEVED:
        care = ", with care" if found.state == "with_care" else ""
        here = f", and {missed_words(found.missed_here)} of row {found.row}" if _both(found) else ""
        return f"Believe {name}{care}: {where}, it {missed}{here}."
    if found.state == "not_here":
        return f"Not for row {found.row}: {where}, {_not_here(found, name)}."
    if found.state == "only_here" and found.own is not None:
        own = EXPLANATIONS[found.own.method]
        return (
            f"Believe {own} for row {found.row} alone: {where}, it misses "
            f"{missed_words(found.own.missed)} of it; {_best(name, missed)}, which is no basis."
        )
    if is_silent(advice):
        return f"Believe none of them: {where}, the model hardly moves."
    here = f", and {missed_words(found.missed_here)} of row {found.row}" if _both(found) else ""
    return f"Believe none of them: {where}, {_best(name, missed)}{here}."


def missed_words(share: float) -> str:
    """Write a share missed; what is missed by rounding alone is nothing.

    Examples
    --------
    >>> missed_words(0.125), missed_words(1e-13)
    ('12.5 %', 'nothing')
    """
    return "nothing" if share <= NOTHING else percent(share)


def neighbourhood_words(result: Faithfulness, neighbourhood: str) -> str:
    """Say what is done to a row in a neighbourhood, with its size."""
    near, wide = (
        f"{number(size)} standard deviation{'s' * (size != 1)}"
        for size in (result.scale, result.wide_scale)
    )
    removed = 1 / (1 + math.exp(min(700.0, result.width**-2)))
    return {
        "near": f"every number moved at random by about {near}",
        "wide": f"every number moved at random by about {wide}",
        "mask-exponential": f"each feature removed with probability {percent(removed)}",
        "mask-shapley": "any number of features removed, few or many more often than half of them",
        "one-at-a-time": "one feature removed and the others left",
        "path": "any point on the straight way from the reference row to the row",
        "resample": "each feature given another row's value with probability "
                    f"{percent(result.share)}",
    }[neighbourhood]  # fmt: skip


def answerable(
    result: Faithfulness,
    question: str,
    *,
    output: str,
    budget: int | None = None,
    row: Faithfulness | None = None,
) -> tuple[str, ...]:
    """Return the other questions to which an explanation is to be believed."""
    found = {
        other: verdict(result, other, output=output, budget=budget, row=row)
        for other in questions_for(result) if other != question
    }  # fmt: skip
    return tuple(other for other, said in found.items() if said.state in BELIEVED)


def is_silent(advice: Advice) -> bool:
    """Tell whether explanations miss little because the model hardly moves."""
    return not advice.adequate and advice.missed <= ADEQUATE


def smaller(result: Faithfulness, question: str) -> tuple[str, float] | None:
    """Return the setting that halves a question's neighbourhood, and half its value.

    None where it has no size, or half of it would be below what is near.
    """
    setting = SIZES.get(QUESTIONS[question].neighbourhood)
    if setting is None:
        return None
    half = float(f"{getattr(result, setting) / 2:.3g}")
    too_small = half < result.scale if setting == "wide_scale" else half <= 0
    return None if too_small else (setting, half)


def _missed_of(row: Faithfulness, advice: Advice, output: str) -> float:
    """Return what the advised explanation misses of one row."""
    if advice.method not in row.methods:
        return math.nan
    place = row.method_index(advice.method), row.neighbourhood_index(advice.neighbourhood)
    return float(row.ratios(output)[0][place])


def _both(found: Verdict) -> bool:
    """Whether there is something to say of the row beside the rows."""
    return found.row is not None and found.n_rows > 1 and math.isfinite(found.missed_here)


def _not_here(found: Verdict, name: str) -> str:
    if math.isnan(found.missed_here):
        return "the model does not move there, so there is nothing to explain"
    said = (
        f"{name} misses {missed_words(found.missed_here)} of it, although it misses only "
        f"{missed_words(found.advice.missed)} over {counted(found.n_rows, 'row')}"
    )
    own = found.own
    if own is None or not own.adequate or own.method == found.advice.method:
        return said
    return f"{said}; of this row alone {EXPLANATIONS[own.method]} misses {missed_words(own.missed)}"


def _best(name: str, missed: str) -> str:
    return f"even the best choice, {name}, {missed}"
