"""Local Interaction Bases of small networks."""

from functools import cache

from tests.networks import tiny_model, tiny_table
from workbench.core.context import Context
from workbench.core.method import METHODS
from workbench.engines.lib.graph import NAME
from workbench.engines.lib.params import LibParams


@cache
def some_basis(task="multiclass", *, n=400, activation="relu", **params):
    """What is inside an untrained network whose labels are those that it predicts."""
    table = tiny_table(n=n, task=task, seed=3)
    model = tiny_model(table, activation=activation)
    said = model.predict(table.X)
    y = said[:, 0] if task == "regression" else said.argmax(1)
    table = table.__class__(table.schema, table.X, table.ids, y, name="tiny")
    return METHODS[NAME].explain(model, table.split("test"), table, LibParams(**params), Context())
