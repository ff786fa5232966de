"""Attributions that were computed elsewhere, as a result like any other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.attribution import GIVEN_BASE, IMPORTED, MEAN_BASE, Attribution
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, Output
from workbench.core.provenance import Provenance
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import check_features, check_finite, created_now, versions_now
from workbench.interop.given import Given, read_given, spread
from workbench.interop.matching import OneHot, match_features, match_outputs, match_rows
from workbench.numerics.links import unit_of

# Predictions that came along may differ by so much of the range of the outputs, for rounding.
SAME = 1e-3


def import_attribution(
    source: Any,
    model: Model,
    rows: Table,
    background: Table | None = None,
    *,
    output: Output = "probability",
    of: str | int | None = None,
    one_hot: OneHot = "refuse",
    base_values: Any = None,
    made_by: str = "",
) -> Attribution:
    """Read attributions of rows that another program computed.

    Parameters
    ----------
    background
        Where no base value comes along, it is the mean of what the model says of these rows.
    output, of, one_hot, base_values, made_by
        As for ``workbench.import_attribution``.

    Raises
    ------
    WorkbenchError
        If the source cannot be read, or does not fit the model or the rows.
    """
    started = time.perf_counter()
    check_features(model, rows, "rows that were explained")
    _check_choice("output", output, ("probability", "score"))
    _check_choice("one_hot", one_hot, ("refuse", "sum"))
    given = read_given(source, model.schema.names)
    n, _, q = given.values.shape
    if base_values is not None:
        given = replace(given, base=spread(base_values, n, q))
    given, of_columns = match_features(given, model, one_hot)
    given, outputs, of_outputs = match_outputs(given, model, of)
    places, of_rows = match_rows(given, rows)
    rows = rows[torch.from_numpy(places)]
    _check_numbers(given, rows, model)
    which = [model.output_names.index(name) for name in outputs]
    answers = model.predict if output == "probability" else model.scores
    predictions = answers(rows.X)
    check_finite(model, rows, predictions)
    predictions = predictions[:, which].numpy()
    _check_predictions(given, predictions, rows, model, output)
    base, base_errors, of_base = _base(given, background, answers, which, model, output)
    params = {
        "source": given.source, "sha256": given.sha256, "output": output, "one_hot": one_hot,
        "base": GIVEN_BASE if given.base is not None else MEAN_BASE,
    }  # fmt: skip
    title = f"Imported: {made_by}" if made_by else "Imported attributions"
    return Attribution(
        provenance=Provenance(
            method=IMPORTED, title=title, reference=f"computed elsewhere, from {given.source}",
            params=params, seed=0, model=model.name, model_digest=model.digest, table=rows.name,
            table_digest=rows.digest, n_rows=len(rows), background="not known",
            background_digest="", n_background=0, evaluations=0, chunk_rows=0,
            seconds=time.perf_counter() - started, device="elsewhere",
            dtype=str(model.dtype).removeprefix("torch."), versions=versions_now(),
            created=created_now(), notes=(*of_rows, *of_columns, *of_outputs, *of_base),
        ),
        values=given.values,
        base_values=base,
        predictions=predictions,
        data=rows.X.double().numpy(),
        ids=rows.ids.numpy(),
        truth=np.full(len(rows), np.nan) if rows.y is None else rows.y.double().numpy(),
        base_std_errors=base_errors,
        # The class to show first may be one that nothing was said of.
        schema=model.schema if outputs == model.output_names
        else model.schema.model_copy(update={"favourable": None}),
        output_names=outputs,
        unit=unit_of(model.schema, output, "identity"),
        std_errors=given.std_errors,
    )  # fmt: skip


def _check_choice(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InvalidInputError(f"{name} is {' or '.join(map(repr, known))}, got {value!r}.")


def _check_numbers(given: Given, rows: Table, model: Model) -> None:
    """Refuse attributions that are no numbers, by row and feature."""
    wrong = np.argwhere(~np.isfinite(given.values))
    if len(wrong):
        i, j, _ = wrong[0]
        raise InvalidInputError(
            f"The attribution of {model.schema.names[j]!r} in row {int(rows.ids[i])} is no finite "
            "number; mend it or leave out the row."
        )


def _check_predictions(
    given: Given, predictions: Float[np.ndarray, "n k"], rows: Table, model: Model, output: Output
) -> None:
    """Refuse attributions of another model, or of another scale, where predictions came along."""
    if given.predictions is None:
        return
    far = np.nan_to_num(np.abs(given.predictions - predictions))
    size = max(1.0, float(np.abs(predictions).max()))
    if far.max() > SAME * size:
        i, k = np.unravel_index(int(far.argmax()), far.shape)
        raise InvalidInputError(
            f"The attributions came with a prediction of {given.predictions[i, k]:.4g} for row "
            f"{int(rows.ids[i])}, model {model.name} says {predictions[i, k]:.4g} ({output}): they "
            "are of another model, of other rows, or of another scale (output='score')."
        )


def _base(
    given: Given, background: Table | None, answers: Callable[[Tensor], Tensor], which: list[int],
    model: Model, output: Output,
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:  # fmt: skip
    """Return base values, their standard errors, and what to know of them.

    Raises
    ------
    InvalidInputError
        If none came along and there are no background rows.
    """
    n, _, k = given.values.shape
    if given.base is not None:
        base = given.base.copy()
        if k == 2 and np.isnan(base).any():  # of the other class, which was not given
            total = 1.0 if output == "probability" else 0.0
            base = np.where(np.isnan(base), total - base[:, ::-1], base)
        if not np.isfinite(base).all():
            raise InvalidInputError("A base value is no finite number; mend it or leave it out.")
        return base, np.full(k, np.nan), ()
    if background is None:
        raise InvalidInputError(
            "No base value came with the attributions; give base_values, or background rows whose "
            "mean prediction stands in for it."
        )
    check_features(model, background, "background rows")
    said = answers(background.X)[:, which].numpy()
    errors = said.std(0, ddof=1) / np.sqrt(len(said)) if len(said) > 1 else np.full(k, np.nan)
    note = (
        "no base value came with the attributions; the mean prediction of "
        f"{counted(len(background), 'row')} of {background.name} stands in for it"
    )
    return np.tile(said.mean(0), (n, 1)), errors, (note,)
