"""Local models whose every number is known, for tests of figures, checks and reports."""

import numpy as np

from tests.attributions import build, example
from workbench.core.local_models import LocalModels

EDGES = ((28.0, 37.0, 48.0), (), (9.0, 10.0, 12.0), (40.0,), (0.0,))


def local_models_of(singles, *, errors=0.01, r2=0.6, share=0.8, stability=0.9, **changes):
    """Local models with the values of an attribution as coefficients, in quartile bins."""
    n, d, k = singles.values.shape
    edges = EDGES[:d] if d <= len(EDGES) else ((0.0,),) * d
    is_category = [feature.kind == "categorical" for feature in singles.schema.features]
    fields = {
        "provenance": singles.provenance.model_copy(
            update={"method": "lime.tabular", "title": "LIME for tables"}
        ),
        "coefficients": singles.values,
        "std_errors": np.where(singles.values != 0, errors, 0.0),
        "selected": singles.values != 0,
        "intercepts": np.full((n, k), 0.3),
        "local_predictions": 0.3 + singles.values.sum(1),
        "predictions": singles.predictions,
        "r2": np.full((n, k), r2),
        "effective_share": np.full(n, share),
        "stability": np.full((n, k), stability),
        "samples": np.full(n, 5000),
        "separated": np.ones((n, k), dtype=bool),
        "data": singles.data,
        "ids": singles.ids,
        "truth": singles.truth,
        "scales": np.zeros(d),
        "schema": singles.schema,
        "output_names": singles.output_names,
        "unit": singles.unit,
        "sampling": "discretised",
        "top": 2,
        "meanings": tuple(
            f"same {'category' if c else 'bin'} as the row, against any other" for c in is_category
        ),
        "edges": tuple(
            () if c else bounds for c, bounds in zip(is_category, edges, strict=True)
        ),
    }  # fmt: skip
    return LocalModels(**(fields | changes))


def one_local_model(**changes):
    """Two features raise, one lowers, one is within its noise and one was not selected."""
    singles = build([[0.09, 0.262, -0.178, 0.012, 0.0]], data=[[47, 1, 9, 60, 0]])
    return local_models_of(singles, **changes)


def several_local_models(n=12, **changes):
    """Random rows."""
    return local_models_of(example(n=n, sampled=False), **changes)
