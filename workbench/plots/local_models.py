"""Local models: the coefficients of one row as bars, and what they say in words."""

import numpy as np
import plotly.graph_objects as go

from workbench.core.local_models import IN_BINS
from workbench.core.results import LocalModels
from workbench.core.wording import counted, percent
from workbench.plots import words
from workbench.plots.coefficients import Coefficients, coefficient_bars, moves
from workbench.plots.layout import check_bars, check_row, empty

MEANS = {True: "against any other bin or category", False: "per standard deviation or category"}


def coefficients(
    models: LocalModels,
    row: int = 0,
    *,
    output: str | int | None = None,
    max_features: int = 12,
    dark: bool = False,
) -> go.Figure:
    """Draw the coefficients of one row's local model, largest first, with 95 % intervals.

    The intervals are for the choice of samples, given the features that were selected; features
    that were not are left out.

    Parameters
    ----------
    row
        Position of the row in the result, not its number in the file.

    Raises
    ------
    InvalidInputError
        If there is no such row or output, or ``max_features`` is below 1.
    """
    which = models.output_index(output)
    check_bars(max_features)
    if not len(models):
        return empty(dark=dark)
    check_row(models, row)
    found = _coefficients(models, row, which)
    if not len(found.values):
        return empty("The local model has no feature.", dark=dark)
    return coefficient_bars(
        found, f"coefficient for {words.quantity(models, which)}", f"row {models.ids[row]}",
        MEANS[models.sampling == IN_BINS], "whiskers: 95 %, samples",
        max_features=max_features, dark=dark,
    )  # fmt: skip


def local_sentence(
    models: LocalModels, row: int | None = None, output: str | int | None = None
) -> str:
    """Say which conditions of a row raise or lower the output most in its local model.

    Up to two are named each way; one whose 95 % interval includes 0, or that is below a twentieth
    of the largest, is left out. Of several rows, which features have the largest coefficients.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = models.output_index(output)
    if not len(models):
        return "There are no rows to explain."
    if row is None and len(models) > 1:
        return _overall(models, which)
    row = row or 0
    check_row(models, row)
    what = words.quantity(models, which)
    named = _coefficients(models, row, which).worth_a_word()
    start = f"Row {models.ids[row]}: in a linear model of its neighbourhood"
    if not named:
        return f"{start}, no feature moves {what} by more than its uncertainty."
    return f"{start} of {what}, {moves(named)}."


def fit_sentence(
    models: LocalModels, row: int | None = None, output: str | int | None = None
) -> str:
    """Say how well the local model fits, how much the kernel weighs, and how stable it is.

    Raises
    ------
    InvalidInputError
        If there is no such row or output.
    """
    which = models.output_index(output)
    if not len(models):
        return "There are no rows to explain."
    if row is None and len(models) > 1:
        few, most = np.percentile(models.r2[:, which], [10, 90])
        return (
            f"R² is {np.median(models.r2[:, which]):.2f} in the middle of "
            f"{counted(len(models), 'row')} ({few:.2f} to {most:.2f} for eight of ten); effective "
            f"samples {percent(float(np.median(models.effective_share)))}; the {models.top} "
            f"strongest features of half samples overlap by "
            f"{percent(float(models.stability[:, which].mean()))}."
        )
    row = row or 0
    check_row(models, row)
    local, said = models.local_predictions[row, which], models.predictions[row, which]
    return (
        f"The local model says {words.number(float(local))} of the row, the model "
        f"{words.number(float(said))}; it explains R² = {models.r2[row, which]:.2f} of the "
        f"variance over {counted(int(models.samples[row]), 'sample')} (effective "
        f"{percent(float(models.effective_share[row]))}); the {models.top} strongest features of "
        f"half samples overlap by {percent(float(models.stability[row, which]))}."
    )


def _overall(models: LocalModels, which: int) -> str:
    size = np.abs(models.coefficients[:, :, which]).mean(0)
    order = [int(j) for j in np.argsort(-size, kind="stable")[:3] if size[j] > 0]
    what, rows = words.quantity(models, which), counted(len(models), "row")
    if not order:
        return f"In the local models of {rows}, no feature moves {what}."
    named = ", ".join(f"{models.names[j]} ({words.number(float(size[j]))})" for j in order)
    return f"In the local models of {rows}, {what} depends most on {named}; mean size."


def _coefficients(models: LocalModels, row: int, which: int) -> Coefficients:
    """Return the coefficients of the selected features, the largest first."""
    order = np.argsort(-np.abs(models.coefficients[row, :, which]), kind="stable")
    order = order[models.selected[row, order, which]]
    names = [models.condition(row, j) for j in order]
    return Coefficients(
        names, [f"{name}: {models.meanings[j]}" for name, j in zip(names, order, strict=True)],
        models.coefficients[row, order, which], models.half_widths()[row, order, which],
    )  # fmt: skip
