"""How good a model is, in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.performance import CLASS_METRICS, Measure, Performance
from workbench.core.wording import percent
from workbench.plots import performance_sentence, render, views_of
from workbench.plots.words import number
from workbench.report.section import Grid, Picture, Section, facts_of

TITLES = {
    "metrics": "The metrics with their intervals",
    "confusion": "Which classes are taken for which",
    "roc": "How well rows are ranked: ROC curve",
    "pr": "What finding more rows costs: precision and recall",
    "calibration": "Whether probabilities come true",
    "residuals": "Where the errors are",
}
# As in an attribution: no generated code in a report.
OPTIONS: dict[str, dict[str, bool]] = {"residuals": {"webgl": False}}


def performance_section(performance: Performance, name: str) -> Section:
    """Build the section of a model's performance."""
    record = performance.provenance
    answer = performance_sentence(performance)
    tables = (_metrics(performance),)
    return Section(
        name=name,
        title=f"{record.title}: {record.model} on {record.table}",
        answers=(answer,),
        pictures=tuple(
            Picture(
                f"{name}-{view}", TITLES[view], f"{TITLES[view]}. {answer}",
                partial(render, performance, view, **OPTIONS.get(view, {})),
            )
            for view in views_of(performance)
        ),
        outcomes=run_checks(performance),
        tables=(*tables, _classes(performance)) if performance.classes else tables,
        values=None,
        facts=facts_of(record),
        foot=record.describe(),
    )  # fmt: skip


def _metrics(performance: Performance) -> Grid:
    level = percent(performance.level)
    rows = tuple(
        (m.name, *_numbers(m), m.interval, m.note) for m in performance.measures() if not m.of
    )
    notes = any(row[-1] for row in rows)
    columns = ("metric", "value", f"{level} from", f"{level} to", "interval", "note")
    last = len(columns) - (not notes)
    return Grid(
        "Every metric", columns[:last], tuple(row[:last] for row in rows), frozenset({1, 2, 3})
    )


def _classes(performance: Performance) -> Grid:
    level = percent(performance.level)
    found: dict[str, list[Measure]] = {name: [] for name in performance.classes}
    for measure in performance.measures():
        if measure.of and measure.name in CLASS_METRICS:
            found[measure.of].append(measure)
    rows = tuple(
        (name, f"{n:,}", *(_with_interval(m) for m in found[name]))
        for name, n in zip(performance.classes, performance.supports, strict=True)
    )
    heads = tuple(f"{name} ({level})" for name in CLASS_METRICS)
    columns = ("class", "rows", *heads)
    return Grid("Every class", columns, rows, frozenset(range(1, len(columns))))


def _numbers(measure: Measure) -> tuple[str, str, str]:
    value, low, high = (
        number(x) if x == x else "\N{EN DASH}"  # noqa: PLR0124 - NaN
        for x in (measure.value, measure.low, measure.high)
    )
    return value, low, high


def _with_interval(measure: Measure) -> str:
    value, low, high = _numbers(measure)
    return measure.note or f"{value} ({low} to {high})"
