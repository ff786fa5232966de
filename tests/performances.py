"""Evaluations of made-up predictions, whose every number other libraries can compute."""

from dataclasses import replace

import numpy as np
import torch

from tests.networks import CLASSES, tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.method import METHODS
from workbench.core.performance import Performance
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table
from workbench.engines.performance.classification import (
    Labelled,
    classification,
    predicted_classes,
)
from workbench.engines.performance.evaluation import NAME
from workbench.engines.performance.params import EvaluateParams

HOSTILE_CLASSES = ("<img src=x onerror=alert(2)>", "<u>yes</u> $x^2$")


def evaluated(task="binary", *, n=300, weighted=False, seed=0, **params) -> Performance:
    """An untrained network on random rows; its labels follow its own outputs half of the time."""
    table = tiny_table(n=n, task=task, seed=seed)
    model = tiny_model(table)
    rng = np.random.default_rng(seed)
    said = model.predict(table.X).numpy()
    if task == "regression":
        y = said[:, 0] + rng.normal(size=n)
    else:
        drawn = (rng.random((n, 1)) > said.cumsum(1)[:, :-1]).sum(1)
        y = np.where(rng.random(n) < 0.7, drawn, rng.integers(0, len(CLASSES[task]), n))
    weights = torch.from_numpy(rng.uniform(0.2, 3.0, n)) if weighted else None
    rows = replace(table, y=torch.from_numpy(y), weights=weights, name="tiny/test")
    method = METHODS[NAME]
    return method.explain(model, rows, rows, EvaluateParams(**params), Context(seed=seed))


def of_probabilities(
    probabilities, truth, *, classes=("no", "yes"), weights=None, seed=0, **params
):
    """The fields of a classifier that gave these probabilities."""
    schema = Schema(
        features=(Feature(name="x"),), target="y", classes=classes,
        task="binary" if len(classes) == 2 else "multiclass",
    )  # fmt: skip
    settings = EvaluateParams(**params)
    probabilities, truth = np.asarray(probabilities, float), np.asarray(truth)
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, float)
    rows = Labelled(
        probabilities, truth, predicted_classes(probabilities, schema, settings.threshold),
        weights * (len(weights) / weights.sum()), schema,
    )  # fmt: skip
    return classification(rows, settings, Context(seed=seed))


def hostile() -> Performance:
    """Class names that would be markup or TeX if they were not escaped."""
    found = evaluated(n=60)
    schema = found.schema.model_copy(update={"classes": HOSTILE_CLASSES})
    return replace(
        found, schema=schema, output_names=HOSTILE_CLASSES, curve_names=HOSTILE_CLASSES[1:],
        calibration_of=HOSTILE_CLASSES[1],
    )  # fmt: skip


def one_class() -> Performance:
    """Rows of a single class: no curve is defined, and half of the class metrics are not."""
    table = tiny_table(n=40)
    rows = replace(table, y=torch.zeros(40, dtype=torch.int64), name="tiny/test")
    return METHODS[NAME].explain(tiny_model(table), rows, rows, EvaluateParams(), Context())


def table_of(columns, features, y=None, **schema) -> Table:
    """A table of these columns."""
    X = torch.tensor(np.array(columns, dtype=float).T)
    target = None if y is None else torch.tensor(y)
    return Table(Schema(features=features, **schema), X, torch.arange(len(X)), target, name="made")
