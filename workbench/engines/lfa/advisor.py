"""Which explanation answers a question, how far to believe it, and what to do where none does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workbench.core.errors import InvalidInputError
from workbench.core.faithfulness import (
    ADEQUATE,
    EXPLANATIONS,
    GIVEN,
    NEIGHBOURHOODS,
    RANDOM,
    Entries,
    Faithfulness,
)
from workbench.core.schema import listing

# Of explanations that miss about the same, the cheapest is as good.
AS_GOOD, NOTHING = 1.02, 1e-9
# Where the network moves less than this share of what moving its numbers does, removing features
# does not show what it does.
SILENT = 1e-6
REMOVALS = frozenset({"mask-exponential", "mask-shapley", "one-at-a-time"})


class Question(NamedTuple):
    """A question in words, the neighbourhood that it is about, and why."""

    words: str
    neighbourhood: str
    why: str


QUESTIONS: Mapping[str, Question] = {
    "moved": Question(
        "What if a number moved a little?", "near",
        "the question is about numbers near the row's own",
    ),
    "moved-further": Question(
        "What if numbers moved further?", "wide",
        "the question is about numbers a standard deviation or so away",
    ),
    "removed": Question(
        "What if features were removed?", "mask-shapley",
        "the question is about taking features away, in any company",
    ),
    "few-removed": Question(
        "What if a few features were removed?", "mask-exponential",
        "the question is about taking a few features away",
    ),
    "one-removed": Question(
        "What if one feature were removed?", "one-at-a-time",
        "the question is about taking one feature away and leaving the rest",
    ),
    "path": Question(
        "How did we get here from a typical row?", "path",
        "the question is about the way from the reference row",
    ),
    "other": Question(
        "What if it had values of other rows?", "resample",
        "the question is about values that other rows have, as categories need",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Advice:
    """A recommendation.

    Attributes
    ----------
    method
        Key of the recommended explanation; empty where there is none.
    missed, low, high
        What it misses in the neighbourhood, with its 95 % interval (NaN for one row).
    runner_up, runner_missed
        The next best, and what it misses; empty and NaN where there is no other.
    calls
        Passes through the network that it takes for one row if it alone is asked for.
    adequate
        Whether a linear explanation is to be believed here at all.
    reason
        Why this one, in one or two sentences.
    instead
        What to do where no linear explanation is adequate; empty where one is.
    """

    question: str
    neighbourhood: str
    method: str
    missed: float
    low: float
    high: float
    runner_up: str
    runner_missed: float
    calls: int
    adequate: bool
    reason: str
    instead: str


def questions_for(result: Faithfulness) -> tuple[str, ...]:
    """Return the questions that rows of this kind allow: without numbers, nothing moves."""
    return tuple(
        key for key, question in QUESTIONS.items()
        if question.neighbourhood in result.neighbourhoods
    )  # fmt: skip


def advise(
    result: Faithfulness,
    question: str,
    *,
    output: str | int | None = None,
    budget: int | None = None,
) -> Advice:
    """Recommend an explanation for a question.

    Among the explanations whose values are about the question's neighbourhood, the one that
    misses least over its held-out samples; of several that miss about the same, the one that
    takes the fewest passes.

    Parameters
    ----------
    result
        What ``faithfulness`` found.
    question
        A key of ``QUESTIONS``, such as ``moved``.
    output
        Name or position of the output; by default the favourable class, of two classes the second,
        of more the one predicted most over the rows.
    budget
        Passes through the network for one row at most.

    Raises
    ------
    InvalidInputError
        If there is no such question or output, or rows of this kind do not allow it.
    """
    if question not in QUESTIONS:
        raise InvalidInputError(
            f"There is no question {question!r}; choose one of {listing(QUESTIONS, 20)}."
        )
    asked = QUESTIONS[question]
    if asked.neighbourhood not in result.neighbourhoods:
        raise InvalidInputError(
            f"Question {question!r} cannot be asked here: {_lacking(asked.neighbourhood)}; choose "
            f"one of {listing(questions_for(result), 20)}."
        )
    column = result.neighbourhood_index(asked.neighbourhood)
    entries = result.entries(output)
    order = _candidates(result, entries.value[:, column])
    affordable = [i for i in order if budget is None or result.calls[i] <= budget]
    if not affordable:
        return _none(result, question, column, order, budget, output)
    best = entries.value[affordable[0], column]
    as_good = [i for i in affordable if entries.value[i, column] <= AS_GOOD * best + NOTHING]
    chosen = min(as_good, key=lambda i: (result.calls[i], affordable.index(i)))
    others = [i for i in affordable if i != chosen]
    missed = float(entries.value[chosen, column])
    adequate = missed <= ADEQUATE and not _is_silent(result, asked.neighbourhood, output)
    return Advice(
        question=question,
        neighbourhood=asked.neighbourhood,
        method=result.methods[chosen],
        missed=missed,
        low=float(entries.low[chosen, column]),
        high=float(entries.high[chosen, column]),
        runner_up=result.methods[others[0]] if others else "",
        runner_missed=float(entries.value[others[0], column]) if others else np.nan,
        calls=result.calls[chosen],
        adequate=adequate,
        reason=_reason(result, asked, chosen, as_good, affordable, entries, budget),
        instead="" if adequate else _instead(result, question, entries, output),
    )


def _candidates(result: Faithfulness, column: np.ndarray) -> list[int]:
    """Return the explanations that say something here, the most faithful first.

    One that was given stands beside them: what is recommended is what can be asked for here.
    """
    known = [
        i for i, (method, kind) in enumerate(zip(result.methods, result.types, strict=True))
        if kind != "anchor" and method != GIVEN and np.isfinite(column[i])
    ]  # fmt: skip
    return sorted(known, key=lambda i: (column[i], result.calls[i]))


def _is_silent(result: Faithfulness, neighbourhood: str, output: str | int | None) -> bool:
    """Tell whether the network hardly moves here, although it does when its numbers move."""
    which = result.output_index(output)
    total = np.nan_to_num(result.total[..., which]).sum(0)
    here = total[result.neighbourhood_index(neighbourhood)]
    if "wide" not in result.neighbourhoods or neighbourhood in {"near", "wide"}:
        return bool(here <= 0)
    return bool(here <= SILENT * total[result.neighbourhood_index("wide")])


def _moves_at_all(result: Faithfulness, output: str | int | None) -> bool:
    """Tell whether the network moves when its numbers do."""
    if "wide" not in result.neighbourhoods:
        return False
    total = result.total[:, result.neighbourhood_index("wide"), result.output_index(output)]
    return float(np.nan_to_num(total).sum()) > 0


def _reason(
    result: Faithfulness, asked: Question, chosen: int, as_good: list[int],
    affordable: list[int], entries: Entries, budget: int | None,
) -> str:  # fmt: skip
    name, of = EXPLANATIONS[result.methods[chosen]], len(affordable)
    column = result.neighbourhood_index(asked.neighbourhood)
    within = "" if budget is None else f" in at most {budget:,} passes"
    many = f"Of {of} explanations that speak of it{within}, {name}" if of > 1 else f"Only {name}"
    how = "misses least" if of > 1 else f"speaks of it{within}"
    if len(as_good) > 1:
        how = "is among those that miss least, and takes the fewest passes"
    over = "samples that none was made from"
    if _is_whole(result, asked.neighbourhood):
        over = "all that can be removed"
    said = f"{asked.why[0].upper()}{asked.why[1:]}. {many} {how}, over {over}."
    anchor = result.methods.index(RANDOM) if RANDOM in result.methods else None
    if anchor is not None and entries.value[chosen, column] >= entries.value[anchor, column]:
        said += " Random numbers at their best scale do no worse."
    return said


def _is_whole(result: Faithfulness, neighbourhood: str) -> bool:
    """Tell whether a neighbourhood was looked at as a whole: no samples, and nothing held out."""
    return neighbourhood == "one-at-a-time" or (result.listed and neighbourhood in REMOVALS)


def _instead(
    result: Faithfulness, question: str, entries: Entries, output: str | int | None
) -> str:
    """Say what to do where no linear explanation is adequate."""
    if _is_silent(result, QUESTIONS[question].neighbourhood, output):
        if not _moves_at_all(result, output):
            return "Choose other rows, or a background with other rows than those to be explained."
        return (
            "The model hardly moves there, although it does when its numbers move: this "
            "neighbourhood does not show what the model does. Ask what happens if numbers move."
        )
    honest = []
    for other in questions_for(result):
        column = result.neighbourhood_index(QUESTIONS[other].neighbourhood)
        order = _candidates(result, entries.value[:, column])
        good = order and entries.value[order[0], column] <= ADEQUATE
        if other != question and good and not _is_silent(
            result, QUESTIONS[other].neighbourhood, output
        ):  # fmt: skip
            honest.append(QUESTIONS[other].words)
    asks = f" Ask what can be answered: {' '.join(honest[:2])}" if honest else ""
    return (
        "No linear explanation is adequate there. Choose a smaller neighbourhood, look at which "
        f"features work together, or fit a function with pairs.{asks}"
    )


def _none(
    result: Faithfulness, question: str, column: int, order: list[int], budget: int | None,
    output: str | int | None,
) -> Advice:  # fmt: skip
    """Say why nothing can be recommended."""
    if order:
        least = min(result.calls[i] for i in order)
        reason = (
            f"No explanation takes at most {budget:,} pass{'' if budget == 1 else 'es'} for a row."
        )
        instead = f"Allow at least {least:,} passes for each row."
    else:
        reason = (
            "Nothing can be said there: the model does not move, or no explanation of this "
            "model is about this neighbourhood."
        )
        instead = _instead(result, question, result.entries(output), output)
    return Advice(
        question, result.neighbourhoods[column], "", np.nan, np.nan, np.nan, "", np.nan, 0,
        adequate=False, reason=reason, instead=instead,
    )  # fmt: skip


def _lacking(neighbourhood: str) -> str:
    if neighbourhood in {"near", "wide"}:
        return "the table has no number that varies"
    if neighbourhood == "path":
        return "the way from the reference needs gradients, which a black box does not show"
    return f"there are no samples for {NEIGHBOURHOODS[neighbourhood]!r}"
