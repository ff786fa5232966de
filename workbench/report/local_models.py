"""Local models in a report."""

from functools import partial

from workbench.checks import run_checks
from workbench.core.results import LocalModels
from workbench.plots import render
from workbench.plots.local_models import fit_sentence, local_sentence
from workbench.plots.words import decimals_for, number, quantity, signed
from workbench.report.section import Grid, Picture, Section, facts_of

FEW_ROWS = 5
PICKED = 5


def local_models_section(models: LocalModels, name: str) -> Section:
    """Build the section of local models: every row of a few, a pick of several."""
    n = len(models)
    few = 0 < n <= FEW_ROWS
    chosen = range(n) if few else [int(row) for row in models.pick(PICKED)] if n else []
    which, record = models.output_index(None), models.provenance
    answers = [] if n == 1 else [local_sentence(models), fit_sentence(models)]
    for row in chosen:
        answers += [local_sentence(models, row), fit_sentence(models, row)]
    return Section(
        name=name,
        title=f"{record.title}: {quantity(models, which)}, {record.model}",
        answers=tuple(answers) or (local_sentence(models),),
        pictures=tuple(_picture(models, row, name, picked=not few) for row in chosen),
        outcomes=run_checks(models),
        tables=(_means(models, which),) if n > 1 else (),
        values=_values(models) if few else None,
        facts=facts_of(record),
        foot=record.describe(),
    )


def _picture(models: LocalModels, row: int, name: str, *, picked: bool) -> Picture:
    why = ", picked because its local model has features that others have not" if picked else ""
    return Picture(
        f"{name}-coefficients-{row}",
        f"Row {models.ids[row]}: coefficients of its local model{why}",
        local_sentence(models, row),
        partial(render, models, "coefficients", row=row),
    )


def _means(models: LocalModels, which: int) -> Grid:
    values = models.coefficients[:, :, which]
    size = abs(values).mean(0)
    decimals = decimals_for(float(size.max())) + 1
    share = models.selected[:, :, which].mean(0)
    rows = tuple(
        (models.names[j], f"{size[j]:,.{decimals}f}", signed(float(values[:, j].mean()), decimals),
         f"{share[j]:.0%}", models.meanings[j])
        for j in (-size).argsort(kind="stable")
    )  # fmt: skip
    return Grid(
        f"Coefficients over all rows, for {quantity(models, which)}",
        ("feature", "mean size", "mean", "selected", "stands for"), rows, frozenset({1, 2, 3}),
    )  # fmt: skip


def _values(models: LocalModels) -> Grid:
    frame = models.to_frame()
    frame = frame[frame["selected"]]
    text = ("row", "output", "condition", "meaning")
    numbers = ("coefficient", "low", "high", "r2")
    rows = tuple(
        (*(str(cell) for cell in line[: len(text)]), *(number(x) for x in line[len(text) :]))
        for line in frame[[*text, *numbers]].itertuples(index=False, name=None)
    )
    heads = {"low": "95 % from", "high": "95 % to", "r2": "R²", "meaning": "stands for"}
    return Grid(
        "Every coefficient",
        tuple(heads.get(column, column) for column in (*text, *numbers)),
        rows,
        frozenset({0, *range(len(text), len(text) + len(numbers))}),
    )
