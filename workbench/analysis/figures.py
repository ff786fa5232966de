"""Figures that steps name: held against methods, models and results, told by step and number."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from workbench.analysis.faults import place
from workbench.analysis.step import Step
from workbench.core.figures import ChosenFigure
from workbench.core.method import Method
from workbench.core.results import Result, Tabular
from workbench.core.schema import Schema
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.jobs.request import registered_methods


def misnamed(at: int, step: Mapping[str, Any], method: Method, content: Any) -> Iterator[str]:
    """Yield what is wrong with the figures of a step, whatever its result will be.

    What is no figure at all is left to whoever checks the form.
    """
    given = step.get("figures", ())
    if not isinstance(given, list | tuple) or not given:
        return
    from workbench.plots.chosen import misfit  # noqa: PLC0415 - plotly, only where figures are named

    for number, part in enumerate(given):
        try:
            figure = ChosenFigure.model_validate(part)
        except ValidationError:
            continue
        if fault := misfit(method.yields, figure):
            yield f"{place(('steps', at), content)}, figure {number + 1}: {fault}"


def unknown_to(schema: Schema, steps: Iterable[Step]) -> list[str]:
    """Return what figures of steps ask that a model of this schema does not have."""
    faults = []
    for step in steps:
        if not step.figures:
            continue
        from workbench.plots.chosen import misfit  # noqa: PLC0415 - as above

        kind = registered_methods().find(step.method).yields
        for number, figure in enumerate(step.figures, 1):
            if fault := misfit(kind, figure, schema):
                faults.append(f"{_where(step, number)}: {fault}")
    return faults


def beyond(step: Step, rows: Table) -> Iterator[str]:
    """Yield figures of rows that a result about these rows, or fewer of them, cannot have."""
    if not step.figures:
        return
    from workbench.plots.chosen import BY_NUMBER  # noqa: PLC0415 - as above

    kind = registered_methods().find(step.method).yields
    ids = set(rows.ids.tolist())
    for number, figure in enumerate(step.figures, 1):
        row = figure.options.get("row")
        if not isinstance(row, int):
            continue
        if kind in BY_NUMBER:
            if row not in ids:
                yield f"figure {number}: there is no row number {row} among those looked at"
        elif row >= len(rows):
            yield (
                f"figure {number}: there is no row {row}, the result has "
                f"{counted(len(rows), 'row')}, counted from 0"
            )


def drawable(step: Step, result: Result | None) -> tuple[tuple[ChosenFigure, ...], tuple[str, ...]]:
    """Return the figures of a step that its result has, and a sentence for each other one."""
    kept: list[ChosenFigure] = []
    faults: list[str] = []
    if not step.figures or not isinstance(result, get_args(Tabular)):
        return (), ()
    from workbench.plots.chosen import fault_of  # noqa: PLC0415 - as above

    for number, figure in enumerate(step.figures, 1):
        if fault := fault_of(result, figure):
            faults.append(f"{_where(step, number)} cannot be drawn: {fault}.")
        else:
            kept.append(figure)
    return tuple(kept), tuple(faults)


def _where(step: Step, number: int) -> str:
    return f"step {step.id!r}, figure {number}"
