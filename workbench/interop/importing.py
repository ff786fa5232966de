"""Attributions that were computed elsewhere, as a result like any other."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from workbench.core.attribution import GIVEN_BASE, IMPORTED, MEAN_BASE, Attribution
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, Output
from workbench.core.provenance import Provenance
from workbench.core.table import Table
from workbench.core.wording import counted
from workbench.engines.calls import check_features, check_finite, created_now, versions_now
from workbench.interop.given import Given, read_given, spread
from workbench.interop.matching import OneHot, match_features, match_outputs, match_rows
from workbench.numerics.devices import describe_device
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
    stands_in = None if given.base is not None else background
    scene = explained_elsewhere(given, model, rows, outputs, output, stands_in)
    params = {
        "output": output, "one_hot": one_hot,
        "base": MEAN_BASE if given.base is None else GIVEN_BASE,
    }  # fmt: skip
    notes = (*of_rows, *of_columns, *of_outputs)
    if stands_in is not None:
        notes += (
            "no base value came with the attributions; the mean prediction of "
            f"{counted(len(stands_in), 'row')} of {stands_in.name} stands in for it",
        )
    return Attribution(
        provenance=record_of(given, model, rows, params, notes, made_by=made_by, started=started),
        values=given.values,
        std_errors=given.std_errors,
        **scene,
    )


def explained_elsewhere(
    given: Given, model: Model, rows: Table, outputs: tuple[str, ...], output: Output,
    background: Table | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the fields of a result that are about the rows, as the model here sees them.

    Raises
    ------
    InvalidInputError
        If predictions that came along are not the model's, or there is nothing to start from.
    """
    which = [model.output_names.index(name) for name in outputs]

    def ask(table: Table) -> np.ndarray:
        said = (model.predict if output == "probability" else model.scores)(table.X)
        check_finite(model, table, said)
        return said[:, which].numpy()

    predictions = ask(rows)
    _check_predictions(given, predictions, rows, model, output)
    base, errors = _base(given, output), np.full(len(which), np.nan)
    if base is None and background is not None:
        check_features(model, background, "background rows")
        means = ask(background)
        base = np.tile(means.mean(0), (len(rows), 1))
        errors = means.std(0, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else errors
    if base is None:
        raise InvalidInputError(
            "No base value came with the attributions; give base_values, or background rows whose "
            "mean prediction stands in for it."
        )
    whole = outputs == model.output_names
    return {
        "base_values": base, "predictions": predictions, "data": rows.X.double().numpy(),
        "ids": rows.ids.numpy(), "base_std_errors": errors, "output_names": outputs,
        "truth": np.full(len(rows), np.nan) if rows.y is None else rows.y.double().numpy(),
        # The class to show first may be one that nothing was said of.
        "schema": model.schema if whole else model.schema.model_copy(update={"favourable": None}),
        "unit": unit_of(model.schema, output, "identity"),
    }  # fmt: skip


def record_of(
    given: Given, model: Model, rows: Table, params: Mapping[str, Any], notes: tuple[str, ...], *,
    made_by: str = "", started: float | None = None,
) -> Provenance:  # fmt: skip
    """Write down where numbers came from; how they were computed is not known here."""
    return Provenance(
        method=IMPORTED, title=f"Imported: {made_by}" if made_by else "Imported values",
        reference=f"computed elsewhere, from {given.source}",
        params={"source": given.source, "sha256": given.sha256, **params}, seed=0,
        model=model.name, model_digest=model.digest, table=rows.name, table_digest=rows.digest,
        n_rows=len(rows), background="not known", background_digest="", n_background=0,
        evaluations=0, chunk_rows=0,
        seconds=0.0 if started is None else time.perf_counter() - started,
        device=describe_device(model.device),
        dtype=str(model.dtype).removeprefix("torch."), versions=versions_now(),
        created=created_now(), notes=notes,
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


def _base(given: Given, output: Output) -> Float[np.ndarray, "n k"] | None:
    """Return the base values that came along; of two classes one is enough.

    Raises
    ------
    InvalidInputError
        If one is no number.
    """
    if given.base is None:
        return None
    base = given.base
    if base.shape[1] == 2:  # probabilities add up to 1, log-odds to 0
        total = 1.0 if output == "probability" else 0.0
        base = np.where(np.isnan(base), total - base[:, ::-1], base)
    if not np.isfinite(base).all():
        raise InvalidInputError("A base value is no finite number; mend it or leave it out.")
    return base
