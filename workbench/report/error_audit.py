"""Errors by group in a report."""

from functools import partial

import numpy as np
from jaxtyping import Float

from workbench.checks import run_checks
from workbench.core.error_audit import MEASURES, ErrorAudit
from workbench.numerics.least_chance import is_least, least_chance
from workbench.plots import render, views_of
from workbench.plots.chance_words import chance_percent
from workbench.plots.error_audit import errors_sentence
from workbench.plots.words import number
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "groups": "How far predictions are off, by group",
    "gaps": "Gaps between the groups, and what chance brings",
}
MOST = 60


def error_audit_section(result: ErrorAudit, name: str) -> Section:
    """Build the section of an audit of errors."""
    record = result.provenance
    singles = [p for p, part in enumerate(result.partitions) if len(part) == 1]
    answers = tuple(errors_sentence(result, p) for p in singles)
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=answers,
        pictures=tuple(
            Picture(
                f"{name}-{view}", TITLES[view], f"{TITLES[view]}. {answers[0]}",
                partial(render, result, view),
            )
            for view in views_of(result)
        ),
        outcomes=run_checks(result),
        tables=(_groups(result), _gaps(result)),
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _groups(result: ErrorAudit) -> Grid:
    rows = tuple(
        (
            result.partition_names[result.partition_of[g]], result.group_names[g],
            f"{result.sizes[g]:,}", *(_cell(result.values[m, g]) for m in range(len(MEASURES))),
        )
        for g in range(min(MOST, len(result)))
    )  # fmt: skip
    columns = ("by", "group", "rows", *(title.lower() for title, _ in MEASURES.values()))
    caption = "Measures of the groups, with 95 % intervals"
    if len(result) > MOST:
        caption = f"{caption}, the first {MOST}"
    return Grid(caption, columns, rows, frozenset(range(2, len(columns))))


def _gaps(result: ErrorAudit) -> Grid:
    rows = tuple(
        (
            name, MEASURES[measure][0].lower(), _cell(result.gaps[m, p]),
            _number(result.floors[m, p, 1]), *_chances(result, m, p),
        )
        for p, name in enumerate(result.partition_names)
        for m, measure in enumerate(MEASURES)
    )  # fmt: skip
    columns = ("by", "measure", "gap", "random groups, 95 %", "chance", "corrected")
    return Grid("Gaps between groups", columns, rows, frozenset(range(2, 6)))


def _number(value: float) -> str:
    return number(float(value)) if value == value else "not defined"  # noqa: PLR0124 - NaN


def _chances(result: ErrorAudit, m: int, p: int) -> tuple[str, str]:
    chance, adjusted = float(result.chances[m, p]), float(result.adjusted[m, p])
    least = is_least(chance, least_chance(result))
    return chance_percent(chance, least=least), chance_percent(adjusted, least=least)


def _cell(values: Float[np.ndarray, " 3"]) -> str:
    value, low, high = (float(x) for x in values)
    if value != value:  # noqa: PLR0124 - NaN
        return "not defined"
    return f"{number(value)} ({_number(low)} to {_number(high)})"
