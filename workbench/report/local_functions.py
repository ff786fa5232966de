"""Local functions in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import LocalFunctions
from workbench.core.wording import percent
from workbench.plots import render
from workbench.plots.local_functions import coefficients_of, local_function_sentence
from workbench.plots.words import decimals_for, number, quantity, signed
from workbench.report.section import Grid, Picture, Section, facts_of

FEW_ROWS = 5


def local_functions_section(functions: LocalFunctions, name: str) -> Section:
    """Build the section of local functions: every row of a few, means of more."""
    n = len(functions)
    few = 0 < n <= FEW_ROWS
    which, record = functions.output_index(None), functions.provenance
    rows = range(n if few else 0)
    answers = [] if n == 1 else [local_function_sentence(functions)]
    return Section(
        name=name,
        title=f"{record.title}: {quantity(functions, which)}, {record.model}",
        answers=(*answers, *(local_function_sentence(functions, row) for row in rows)),
        pictures=tuple(_picture(functions, row, name) for row in rows),
        outcomes=run_checks(functions),
        tables=(_fits(functions, which), *([_means(functions, which)] if n > 1 else []))
        if n
        else (),
        values=_values(functions, which) if few else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _picture(functions: LocalFunctions, row: int, name: str) -> Picture:
    return Picture(
        f"{name}-coefficients-{row}", f"Row {functions.ids[row]}: coefficients of its function",
        local_function_sentence(functions, row),
        partial(render, functions, "coefficients", row=row),
    )  # fmt: skip


def _fits(functions: LocalFunctions, which: int) -> Grid:
    """Set what is missed of samples not seen beside what is missed of those fitted to."""
    held, fitted = functions.share_missed(which), functions.share_missed_fitted(which)
    rows = tuple(
        (str(functions.ids[row]), percent(float(held[row])), percent(float(fitted[row])))
        for row in range(len(functions))
    )[:FEW_ROWS]
    first = f", the first {FEW_ROWS} of {len(functions):,} rows" * (len(functions) > FEW_ROWS)
    return Grid(
        f"Share of the variance that the {functions.function} function misses; neighbourhood: "
        f"{functions.operator}, {functions.law}, scale {number(functions.scale)}{first}",
        ("row", f"{functions.heldout:,} samples not seen", f"{functions.samples:,} fitted to"),
        rows, frozenset({0, 1, 2}),
    )  # fmt: skip


def _means(functions: LocalFunctions, which: int) -> Grid:
    values = functions.coefficients[:, :, which]
    size = abs(values).mean(0)
    decimals = decimals_for(float(size.max(initial=0.0))) + 1
    rows = tuple(
        (functions.names[j], f"{size[j]:,.{decimals}f}",
         signed(float(values[:, j].mean()), decimals), functions.meanings[j])
        for j in (-size).argsort(kind="stable")
    )  # fmt: skip
    return Grid(
        f"Coefficients over all rows, for {quantity(functions, which)}",
        ("feature", "mean size", "mean", "stands for"), rows, frozenset({1, 2}),
    )  # fmt: skip


def _values(functions: LocalFunctions, which: int) -> Grid:
    rows = []
    for row in range(len(functions)):
        found = coefficients_of(functions, row, which)
        rows += [
            (str(functions.ids[row]), meaning, number(float(value)), number(float(value - half)),
             number(float(value + half)))
            for meaning, value, half in zip(
                found.meanings, found.values, found.half, strict=True
            )
        ]  # fmt: skip
    return Grid(
        "Every coefficient", ("row", "stands for", "coefficient", "95 % from", "95 % to"),
        tuple(rows), frozenset({0, 2, 3, 4}),
    )  # fmt: skip
