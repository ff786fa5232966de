"""Evaluate a model: how good is it on labelled rows, and how sure are we?"""

import time
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.method import METHODS, Cost, Method
from workbench.core.model import CHUNK_ROWS, Model
from workbench.core.performance import Performance
from workbench.core.table import Table
from workbench.engines.calls import check_features, provenance_of, true_values
from workbench.engines.performance.classification import (
    Labelled,
    classification,
    predicted_classes,
)
from workbench.engines.performance.params import EvaluateParams
from workbench.engines.performance.regression import regression
from workbench.engines.performance.resampling import BLOCK_ELEMENTS, MAX_DRAWN, RESAMPLES
from workbench.engines.weighing import row_weights
from workbench.numerics.intervals import effective_rows

NAME = "performance.evaluate"
# Errors are squared, and the square has to be a number.
LARGEST = 1e150
STEP_ROWS = 4 * CHUNK_ROWS


def _evaluate(
    model: Model, rows: Table, _: Table, params: EvaluateParams, context: Context
) -> Performance:
    started = time.perf_counter()
    check_features(model, rows, "rows to evaluate on")
    truth = true_values(model, rows)
    given, notes = row_weights(rows, wanted=params.weights)
    weights = np.ones(len(rows)) if given is None else given
    outputs = _predict(model, rows, context)
    fields: dict[str, Any]
    if model.schema.task == "regression":
        ids = rows.ids.numpy()
        fields = regression(outputs[:, 0], truth, weights, ids, params, context)
    else:
        codes = truth.astype(np.int64)
        predicted = predicted_classes(outputs, model.schema, params.threshold)
        labelled = Labelled(outputs, codes, predicted, weights, model.schema)
        fields = classification(labelled, params, context)
    if len(rows) > MAX_DRAWN:
        notes += (f"bootstrap: {RESAMPLES} resamples of {MAX_DRAWN:,} rows, rescaled",)
    return Performance(
        provenance=provenance_of(
            NAME, model, rows, None, params, context, evaluations=len(rows),
            chunk_rows=min(len(rows), CHUNK_ROWS), seconds=time.perf_counter() - started,
            notes=notes,
        ),
        schema=model.schema,
        output_names=model.output_names,
        level=params.level,
        threshold=params.threshold,
        trained_on=model.card.training_table,
        weighted=params.weights and rows.weights is not None,
        effective_rows=effective_rows(weights),
        **fields,
    )  # fmt: skip


def _predict(model: Model, rows: Table, context: Context) -> Float[np.ndarray, "n k"]:
    """Probabilities or values of all rows; only these grow with the number of rows.

    Raises
    ------
    InvalidInputError
        If the model has no answer for a row that can be squared.
    """
    found = np.empty((len(rows), len(model.output_names)))
    for start in range(0, len(rows), STEP_ROWS):
        part = model.predict(rows.X[start : start + STEP_ROWS]).numpy()
        wrong = ~(np.abs(part) <= LARGEST).all(1)  # NaN is not
        if wrong.any():
            row = int(rows.ids[start + int(wrong.argmax())])
            raise InvalidInputError(
                f"Model {model.name} returns no usable number for row {row} of {rows.name!r}; "
                "look for a value far outside the training data there, and mend or leave out the "
                "row."
            )
        found[start : start + len(part)] = part
        context.step(start + len(part), len(rows), "rows")
    return found


def _cost(model: Model, n_rows: int, _: int, __: EvaluateParams) -> Cost:
    k = len(model.output_names)
    per_row = 8 * (k + 8 + len(model.schema.features) // 8)
    return Cost(n_rows, n_bytes=n_rows * per_row + 40 * BLOCK_ELEMENTS)


METHODS.register(
    NAME,
    Method(
        title="How good is the model",
        question="How good is this model, and how sure are we?",
        explain=_evaluate,
        params=EvaluateParams,
        yields=Performance,
        needs=frozenset(),
        uses=frozenset({"labels"}),
        cost=_cost,
        reference="Wilson (1927); DeLong, DeLong and Clarke-Pearson (1988)",
        weakness="Holds for rows drawn like these; it says nothing of rows of another kind.",
    ),
)
