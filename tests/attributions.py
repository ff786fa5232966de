"""Attributions whose every number is known, for tests of figures, checks and reports."""

from dataclasses import replace

import numpy as np

from workbench.core.provenance import Provenance
from workbench.core.results import Attribution
from workbench.core.schema import Feature, Schema

HOSTILE_SCRIPT = "<script>alert(1)</script>"
HOSTILE_BOLD = "<b>x</b>"

FEATURES = (
    Feature(name="age", unit="years", integer=True, range=(17.0, 90.0)),
    Feature(
        name="marital_status",
        kind="categorical",
        categories=("Never-married", "Married-civ-spouse", "Divorced"),
    ),
    Feature(name="education_num", integer=True, range=(1.0, 16.0)),
    Feature(name="hours_per_week", integer=True, range=(1.0, 99.0)),
    Feature(name="capital_gain", range=(0.0, 99999.0)),
)
HOSTILE = (
    Feature(name=HOSTILE_SCRIPT, integer=True),
    Feature(name=HOSTILE_BOLD, kind="categorical", categories=("<i>a</i>", "=1+1", "c&amp;d")),
    Feature(name="%{customdata[0]} $x^2$ " + "very long name " * 6),
)
TASKS = {
    "binary": {"classes": ("<=50K", ">50K"), "favourable": ">50K"},
    "multiclass": {"classes": ("red", "green", "blue")},
    "regression": {},
}


def provenance(**changes):
    record = {
        "method": "shapley.kernel",
        "title": "Kernel SHAP",
        "reference": "Lundberg and Lee (2017)",
        "params": {"coalitions": 1024},
        "seed": 0,
        "model": "adult-mlp@1",
        "model_digest": "3f9a" * 16,
        "table": "adult/test",
        "table_digest": "71c2" * 16,
        "n_rows": 1,
        "background": "100 rows of adult/train (seed 0)",
        "background_digest": "ab12" * 16,
        "n_background": 100,
        "evaluations": 102_400,
        "chunk_rows": 8192,
        "seconds": 0.05,
        "device": "cpu",
        "dtype": "float32",
        "versions": {"workbench": "0.1.0"},
        "created": "2026-01-01T00:00:00Z",
    }
    return Provenance(**(record | changes))


def build(values, *, features=None, base=0.24, data=None, task="binary", unit=None, **changes):
    """An additive attribution with these values ``[n, d, k]``, or ``[n, d]`` for all outputs alike.

    A binary task turns ``[n, d]`` into both classes, the first with the opposite sign.
    """
    values = np.asarray(values, dtype=float)
    n, d = values.shape[:2]
    if features is None:
        features = FEATURES[:d] if d <= len(FEATURES) else numbered(d)
    schema = Schema(features=features, target="income", task=task, **TASKS[task])
    k = len(schema.output_names)
    if values.ndim == 2:
        signs = np.array([-1.0, 1.0]) if task == "binary" else np.ones(k)
        values = values[:, :, None] * signs
    bases = np.array([1 - base, base]) if task == "binary" else np.full(k, base)
    record = provenance(n_rows=n, **changes.pop("record", {}))
    fields = {
        "values": values,
        "base_values": np.tile(bases, (n, 1)),
        "predictions": bases + values.sum(1),
        "data": np.zeros((n, d)) if data is None else np.asarray(data, dtype=float),
        "ids": np.arange(n) * 10 + 7,
        "truth": np.full(n, np.nan),
        "base_std_errors": np.full(k, 0.002),
        "schema": schema,
        "output_names": schema.output_names,
        "unit": unit if unit is not None else ("USD" if task == "regression" else "probability"),
        "provenance": record,
    }
    return Attribution(**(fields | changes))


def numbered(d):
    return tuple(Feature(name=f"f{i}", range=(-10.0, 10.0)) for i in range(d))


def example(task="binary", *, n=40, sampled=True, features=FEATURES, seed=0, scale=0.05):
    """Random but plausible rows; one missing value, standard errors where sampled."""
    random = np.random.default_rng(seed)
    data = np.stack([_column(feature, n, random) for feature in features], axis=1)
    weights = np.linspace(2.0, 0.2, len(features))
    k = max(1, len(TASKS[task].get("classes", ())))
    values = random.normal(size=(n, len(features), k)) * weights[:, None] * scale
    if task == "binary":
        values[:, :, 0] = -values[:, :, 1]
    if n > 1:
        data[-1, 0] = np.nan
    errors = np.full(values.shape, 0.02 * scale) if sampled else None
    return build(values, features=features, data=data, task=task, std_errors=errors)


def _column(feature, n, random):
    if feature.kind == "categorical":
        return random.integers(0, len(feature.categories), n).astype(float)
    low, high = feature.range or (0.0, 100.0)
    column = random.uniform(low, high, n)
    return column.round() if feature.integer else column


def hostile(*, n=3, **changes):
    """Names, categories and outputs that would be markup, formulas or templates if not escaped."""
    result = example(n=n, features=HOSTILE)
    outputs = ("<img src=x onerror=alert(2)>", "<u>yes</u>")
    schema = result.schema.model_copy(update={"classes": outputs, "favourable": outputs[1]})
    return replace(result, schema=schema, output_names=outputs, **changes)
