"""Counterfactuals in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import Counterfactuals
from workbench.plots import render
from workbench.plots.answers import counterfactuals_sentence
from workbench.plots.counterfactuals import changes_of, outcome
from workbench.plots.what_if import counterfactual_sentence
from workbench.plots.words import number
from workbench.report.section import Grid, Picture, Section, facts_of

FEW_ROWS = 20
LINES = 200


def counterfactuals_section(found: Counterfactuals, name: str) -> Section:
    """Build the section of counterfactuals."""
    few = 0 < len(found) <= FEW_ROWS
    singles = tuple(counterfactual_sentence(found, row) for row in range(len(found) if few else 0))
    record = found.provenance
    return Section(
        name=name,
        title=f"{record.title}: {record.model}",
        answers=singles if len(found) == 1 else (counterfactuals_sentence(found), *singles),
        pictures=tuple(
            _picture(found, row, name)
            for row in range(len(found) if few else 0)
            if len(found.of(row))
        ),
        outcomes=run_checks(found),
        tables=(_changes(found),) if len(found.owners) else (),
        values=_values(found) if few and len(found.owners) else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _picture(found: Counterfactuals, row: int, name: str) -> Picture:
    return Picture(
        f"{name}-nearest-{row}", f"Row {found.ids[row]}: the nearest changes",
        counterfactual_sentence(found, row), partial(render, found, "nearest", row=row),
    )  # fmt: skip


def _changes(found: Counterfactuals) -> Grid:
    """List each counterfactual with its changes, nearest first for each row."""
    ordered = [int(which) for row in range(len(found)) for which in found.of(row)]
    place = [nth for row in range(len(found)) for nth in range(1, len(found.of(row)) + 1)]
    rows = tuple(
        (
            str(found.ids[found.owners[which]]), str(nth),
            changes_of(found, which),
            f"{found.distances[which]:.2f}", outcome(found, which),
        )
        for which, nth in zip(ordered[:LINES], place, strict=False)
    )  # fmt: skip
    told = f" (the first {LINES:,} of {len(ordered):,})" if len(ordered) > LINES else ""
    return Grid(
        f"Changes with which the model decides otherwise{told} (distance: 1 for each changed "
        "feature, plus the size of the change in units of the feature's spread)",
        ("row", "nth nearest", "changes", "distance", "prediction"), rows, frozenset({0, 1, 3}),
    )  # fmt: skip


def _values(found: Counterfactuals) -> Grid:
    frame = found.to_frame()
    text = ("row", "counterfactual", "feature", "from", "to")
    numbers = [column for column in frame.columns if column not in text]
    rows = tuple(
        (*(str(cell) for cell in line[: len(text)]), *(number(x) for x in line[len(text) :]))
        for line in frame[[*text, *numbers]].itertuples(index=False, name=None)
    )
    columns = (*text, *map(str, numbers))
    return Grid(
        "Every changed feature", columns, rows, frozenset({0, 1, *range(len(text), len(columns))})
    )
