"""Whether conditions of an analysis hold, each told in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.analysis.condition import BOUNDS, Cell, Condition
from workbench.analysis.replay import StepRun
from workbench.checks import Outcome, run_checks
from workbench.core.errors import InvalidInputError
from workbench.core.results import Result
from workbench.core.schema import listing
from workbench.core.wording import counted

if TYPE_CHECKING:
    import pandas as pd

_WORSE = {"not_applicable": 0, "ok": 0, "warning": 1, "failure": 2}
_WORDS = {
    "not_applicable": "does not apply", "ok": "is fine", "warning": "warns", "failure": "fails"
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """Whether a condition holds; None where that cannot be told, which is a fault.

    A condition about a step that was left out is not asked.
    """

    condition: Condition
    holds: bool | None
    sentence: str
    is_asked: bool = True


def judge(conditions: Sequence[Condition], runs: Mapping[str, StepRun]) -> tuple[Verdict, ...]:
    """Judge every condition on what became of the steps; steps that are not there were left out."""
    return tuple(_judge(condition, runs) for condition in conditions)


def _judge(condition: Condition, runs: Mapping[str, StepRun]) -> Verdict:
    if condition.step and condition.step not in runs:
        said = f"{condition.step}: not run this time, so not asked."
        return Verdict(condition, False, said, is_asked=False)
    meant = [runs[condition.step]] if condition.step else list(runs.values())
    failed = [run.step.id for run in meant if run.result is None]
    if failed:
        return Verdict(condition, None, f"{failed[0]}: failed, so that it cannot be told.")
    results = {run.step.id: run.result for run in meant if run.result is not None}
    if condition.any_check:
        return _any_check(condition, results)
    result = results[condition.step]
    if condition.check:
        return _check(condition, run_checks(result))
    try:
        return _value(condition, result)
    except InvalidInputError as error:
        return Verdict(condition, None, f"{condition.step}: {error}")


def _any_check(condition: Condition, results: Mapping[str, Result]) -> Verdict:
    least = _WORSE[condition.any_check or "failure"]
    found = [
        f"{name}, {outcome.code} {_WORDS[outcome.status]}: {outcome.sentence}"
        for name, result in results.items()
        for outcome in run_checks(result)
        if _WORSE[outcome.status] >= least
    ]
    word = "warns or fails" if condition.any_check == "warning" else "fails"
    if found:
        return Verdict(condition, True, f"{counted(len(found), 'check')} {word}: {found[0]}")
    where = f"of {condition.step}" if condition.step else "of any step"
    return Verdict(condition, False, f"No check {where} {word}: passes.")


def _check(condition: Condition, outcomes: Sequence[Outcome]) -> Verdict:
    for outcome in outcomes:
        if outcome.code == condition.check:
            holds = _WORSE[outcome.status] >= _WORSE[condition.status]
            end = "" if holds else " Passes."
            said = f"{condition.step}: {outcome.code} {_WORDS[outcome.status]}: {outcome.sentence}"
            return Verdict(condition, holds, said + end)
    return Verdict(condition, None, f"{condition.step}: check {condition.check} was not asked.")


def _value(condition: Condition, result: Result) -> Verdict:
    frame = _table(result)
    rows = _rows(frame, condition.where)
    values = _numbers(rows, condition.value)
    known = np.isfinite(values)
    if not known.any():
        raise InvalidInputError(f"{condition.value!r} has no value there, so it cannot be told.")
    low, high = _interval(rows, condition.value)
    if condition.sure and low is None:
        raise InvalidInputError(f"{condition.value!r} has no interval; leave out sure.")
    upwards = condition.bound in {"above", "at_least"}
    held = values
    if condition.sure and low is not None and high is not None:
        held = low if upwards else high
        known = known & np.isfinite(held)
        if not known.any():
            raise InvalidInputError(f"{condition.value!r} has no interval there; leave out sure.")
    candidates = np.flatnonzero(known)
    worst = candidates[np.argmax(held[known]) if upwards else np.argmin(held[known])]
    holds = _beyond(float(held[worst]), condition)
    return Verdict(condition, holds, _sentence(condition, holds, int(worst), values, low, high))


def _table(result: Result) -> "pd.DataFrame":
    make: Any = getattr(result, "to_frame", None)
    if make is None:
        raise InvalidInputError(f"{result.kind} has no table; use a check instead.")
    frame: pd.DataFrame = make()
    return frame.reset_index() if frame.index.name is not None else frame


def _rows(frame: "pd.DataFrame", where: Mapping[str, Cell]) -> "pd.DataFrame":
    rows = frame
    for column, wanted in where.items():
        cells = _column(rows, column)
        fits = [same_cell(cell, wanted) for cell in cells]
        if not any(fits):
            choice = listing(dict.fromkeys(map(repr, cells)))
            raise InvalidInputError(
                f"no row has {wanted!r} in column {column!r}; choose one of {choice}."
            )
        rows = rows[fits]
    return rows


def _column(frame: "pd.DataFrame", name: str) -> list[Any]:
    if name not in frame.columns:
        raise InvalidInputError(
            f"there is no column {name!r}; choose one of {listing(frame.columns, 30)}."
        )
    return list(frame[name].tolist())


def _numbers(rows: "pd.DataFrame", column: str) -> np.ndarray:
    cells = _column(rows, column)
    try:
        return np.array([math.nan if cell is None else float(cell) for cell in cells])
    except (TypeError, ValueError):
        raise InvalidInputError(f"column {column!r} holds no numbers; choose another.") from None


def _interval(rows: "pd.DataFrame", column: str) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the ends of a value's interval: columns of its name, or those of the table.

    Those of the table are of the column that they enclose, in every row.
    """
    if f"{column}_low" in rows.columns and f"{column}_high" in rows.columns:
        return _numbers(rows, f"{column}_low"), _numbers(rows, f"{column}_high")
    if "low" not in rows.columns or "high" not in rows.columns or column in {"low", "high"}:
        return None, None
    values, low, high = (_numbers(rows, name) for name in (column, "low", "high"))
    known = np.isfinite(values) & np.isfinite(low) & np.isfinite(high)
    slack = 1e-9 * np.maximum(np.abs(values), 1e-9)
    enclosed = (low - slack <= values) & (values <= high + slack)
    return (low, high) if known.any() and enclosed[known].all() else (None, None)


def _beyond(value: float, condition: Condition) -> bool:
    limit = condition.limit
    return {
        "above": value > limit,
        "below": value < limit,
        "at_least": value >= limit,
        "at_most": value <= limit,
    }[condition.bound]


def same_cell(cell: Any, wanted: Cell) -> bool:
    """Tell whether a cell of a table is the one that a condition names."""
    if wanted is None:
        return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))
    if isinstance(wanted, bool) or isinstance(cell, bool):
        return str(cell).lower() == str(wanted).lower()
    if isinstance(wanted, int | float) and isinstance(cell, int | float):
        return float(cell) == float(wanted)
    return str(cell) == str(wanted)


def _sentence(
    condition: Condition, holds: bool, at: int, values: np.ndarray,
    low: np.ndarray | None, high: np.ndarray | None,
) -> str:  # fmt: skip
    named = [str(wanted) for wanted in condition.where.values() if wanted not in {None, ""}]
    what = ", ".join([*named, *([] if condition.value == "value" else [condition.value])])
    between = ""
    if low is not None and high is not None and np.isfinite([low[at], high[at]]).all():
        between = f" ({low[at]:.6g} to {high[at]:.6g})"
    of = f", the worst of {len(values):,} rows," if len(values) > 1 else ""
    is_ = "is" if holds else "is not"
    sure = "surely " if condition.sure else ""
    return (
        f"{condition.step}: {what or 'value'} {values[at]:.6g}{between}{of} {is_} {sure}"
        f"{BOUNDS[condition.bound]} {condition.limit:g}: {'fails' if holds else 'passes'}."
    )
