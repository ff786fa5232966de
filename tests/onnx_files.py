"""ONNX files made on the spot: scikit-learn models, and small graphs of any kind."""

import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from workbench.core.card import Card
from workbench.core.schema import Feature, Schema
from workbench.core.table import Table

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
JOBS = ("baker", "clerk", "diver")


def people(*, n=80, task="binary", seed=0):
    """Two numbers, a whole number and a category; the target depends on all of them."""
    rng = np.random.default_rng(seed)
    X = np.stack(
        [rng.normal(40, 12, n).round(1), rng.normal(0, 1, n).round(3),
         rng.integers(0, 5, n), rng.integers(0, 3, n)], axis=1,
    )  # fmt: skip
    drive = X[:, 0] / 12 + X[:, 1] * (X[:, 3] - 1) + X[:, 2] / 2 + rng.normal(0, 0.3, n)
    y = drive if task == "regression" else (drive > np.median(drive)).astype(int)
    if task == "multiclass":
        y = np.digitize(drive, np.quantile(drive, [0.3, 0.6]))
    classes = {"binary": ("no", "yes"), "multiclass": ("low", "mid", "high")}.get(task, ())
    schema = Schema(
        features=(
            Feature(name="age"), Feature(name="hours-per week"),
            Feature(name="children", integer=True),
            Feature(name="job", kind="categorical", categories=JOBS),
        ),
        target="y", task=task, classes=classes,
    )  # fmt: skip
    return Table(schema, torch.from_numpy(X), torch.arange(n), torch.from_numpy(y), name="people")


def frame(table):
    """The rows as scikit-learn reads them: categories as words."""
    import pandas as pd

    X = table.X.numpy()
    columns = {"age": X[:, 0], "hours": X[:, 1], "children": X[:, 2].astype(int)}
    return pd.DataFrame(columns | {"job": np.array(JOBS, dtype=object)[X[:, 3].astype(int)]})


def as_words(table):
    classes = table.schema.classes
    return np.array(classes)[table.y.numpy()] if classes else table.y.numpy()


def pipeline(table, model, *, scale=True):
    """Scaling, one-hot columns and a model, trained on the table.

    Trees are not given scaled numbers: a file scales in single precision, scikit-learn in double,
    and a number right at a split may end on either side.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = ColumnTransformer([
        ("numbers", StandardScaler() if scale else "passthrough", ["age", "hours", "children"]),
        ("words", OneHotEncoder(handle_unknown="ignore"), ["job"]),
    ])
    return make_pipeline(columns, model).fit(frame(table), as_words(table))


def export(model, path, *, matrix=0, **options):
    """Write what skl2onnx makes of a model: one input per column, or one for all of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import (
            FloatTensorType,
            Int64TensorType,
            StringTensorType,
        )

        if matrix:
            inputs = [("X", FloatTensorType([None, matrix]))]
        else:
            inputs = [
                ("age", FloatTensorType([None, 1])), ("hours", FloatTensorType([None, 1])),
                ("children", Int64TensorType([None, 1])), ("job", StringTensorType([None, 1])),
            ]  # fmt: skip
        made = convert_sklearn(model, initial_types=inputs, options={id(model): options})
    if not matrix:  # a file names its inputs as it likes, within reason
        for place in made.graph.input:
            if place.name == "hours":
                place.name = "Hours_per_week"
        for node in made.graph.node:
            node.input[:] = ["Hours_per_week" if i == "hours" else i for i in node.input]
    path.write_bytes(made.SerializeToString())
    return path


def card(schema, network, path=None, **changes):
    """A card by hand."""
    import hashlib

    content = b"" if path is None else path.read_bytes()
    given = {
        "name": "people", "version": 1, "title": "People", "schema": schema,
        "encoder": {"name": "raw"}, "network": network, "metrics": (), "training_table": "people",
        "training_digest": "0", "training_rows": 80, "split": "none", "created_by": "a test",
        "seed": 0, "licence": "none", "intended_use": "tests", "limits": "none",
        "weights_sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    return Card(**(given | changes))


def numbers(d=2, task="binary", names="abcdefgh"):
    classes = {"binary": ("no", "yes"), "multiclass": ("red", "green", "blue")}.get(task, ())
    features = tuple(Feature(name=names[i]) for i in range(d))
    return Schema(features=features, target="y", task=task, classes=classes)


def tensor(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, values):
    return onnx.numpy_helper.from_array(np.asarray(values), name)


def file_of(path, nodes, *, inputs=None, outputs=None, initializers=(), functions=(), **changes):
    """Write a model of these nodes; by default from ``X [n, 2]`` to ``Y [n, 2]``."""
    graph = helper.make_graph(
        nodes, "graph", [tensor("X", [None, 2])] if inputs is None else inputs,
        [tensor("Y", [None, 2])] if outputs is None else outputs, list(initializers),
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    opsets += [helper.make_opsetid(d, 1) for d in changes.pop("domains", ())]
    model = helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def node(kind, inputs=("X",), outputs=("Y",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def endless(trips=2**62):
    """A loop that adds 1 to its state as often as that."""
    body = helper.make_graph(
        [node("Add", ("state", "one"), ("next",)), node("Identity", ("go",), ("going",))],
        "body", [tensor("i", [], INT64), tensor("go", [], TensorProto.BOOL), tensor("state", None)],
        [tensor("going", [], TensorProto.BOOL), tensor("next", None)],
    )  # fmt: skip
    nodes = [node("Loop", ("trips", "always", "X"), ("Y",), body=body)]
    held = [constant("trips", np.int64(trips)), constant("always", np.bool_(True)),
            constant("one", np.float32(1))]  # fmt: skip
    return {"nodes": nodes, "initializers": held}
