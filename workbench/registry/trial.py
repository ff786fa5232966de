"""Rows to try a model on before it is let in, made of what its schema says."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.counter_rng import stream
from workbench.core.errors import RegistryError, WorkbenchError
from workbench.core.model import Model
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table

TRIAL_ROWS = 61  # no multiple of the small batch, so that its last part is shorter
SMALL_BATCH = 7
MAX_SAMPLE = 100
MISSING_SHARE = 0.2


def trial_rows(
    schema: Schema, *, sample: Table | None = None, n: int = TRIAL_ROWS
) -> Float[Tensor, "n d"]:
    """Make rows within the schema's ranges and categories; some values are missing where allowed.

    Raises
    ------
    RegistryError
        If the sample has other features than the schema.
    """
    columns = [
        _values(feature, stream(0, place), n) for place, feature in enumerate(schema.features)
    ]
    rows = torch.from_numpy(np.stack(columns, axis=1))
    if sample is None:
        return rows
    if sample.schema.names != schema.names:
        raise RegistryError(
            f"Table {sample.name!r} has other columns than the model's schema; choose a table with "
            f"the columns {', '.join(schema.names[:8])}, or try the model without one."
        )
    return torch.cat([rows, sample.X[:MAX_SAMPLE].double()])


def _values(feature: Feature, rng: np.random.Generator, n: int) -> np.ndarray:
    if feature.kind == "categorical":
        values = rng.integers(0, len(feature.categories), n).astype(np.float64)
        values[: min(n, len(feature.categories))] = np.arange(len(feature.categories))[:n]
    else:
        low, high = _bounds(feature)
        values = low + (high - low) * rng.random(n)
        if feature.integer:
            values = values.round()
    if feature.has_missing:
        values[rng.random(n) < MISSING_SHARE] = np.nan
    return values


def _bounds(feature: Feature) -> tuple[float, float]:
    low, high = feature.range or (0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(high - low)):
        return 0.0, 1.0
    return min(low, high), max(low, high)


def try_out(model: Model, *, sample: Table | None = None) -> None:
    """Refuse a model that fails on ordinary rows or treats a row by the company it is in.

    Raises
    ------
    RegistryError
        If it breaks, gives the wrong number of outputs, NaN or infinity, or other outputs for the
        same row in another batch.
    """
    X = trial_rows(model.schema, sample=sample)
    whole = _predictions(model, X)
    wanted = (len(X), len(model.output_names))
    if tuple(whole.shape) != wanted:
        raise RegistryError(
            f"The model gives outputs of shape {tuple(whole.shape)} for {len(X)} rows, its schema "
            f"needs {wanted}; correct the classes of the schema, or the model's last layer."
        )
    bad = ~torch.isfinite(whole).all(1)
    if bad.any():
        row = X[int(bad.nonzero()[0])]
        shown = ", ".join(
            f"{feature.name}={feature.show(value)}"
            for feature, value in zip(model.schema.features[:6], row.tolist(), strict=False)
        )
        raise RegistryError(
            f"The model gives NaN or infinity for a row of its schema ({shown}, ...); check the "
            "preprocessing, or state the ranges of the features in the schema."
        )
    for size in (1, SMALL_BATCH):
        parts = torch.cat([_predictions(model, rows) for rows in torch.split(X, size)])
        if parts.shape != whole.shape or not torch.allclose(parts, whole, rtol=1e-3, atol=1e-4):
            raise RegistryError(
                f"The model says something else about a row in batches of {size} than in one of "
                f"{len(X)}; a row's output must depend on that row alone."
            )


def _predictions(model: Model, X: Tensor) -> Tensor:
    try:
        return model.predict(X)
    except WorkbenchError:
        raise
    except Exception as error:  # torch raises whatever it likes
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise RegistryError(
            f"The model fails on rows of its schema ({lines[0][:200].rstrip('.')}); check its "
            "input columns, categories and layers."
        ) from None
