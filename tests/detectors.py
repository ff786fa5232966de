"""Detectors whose every number is known, for tests of figures, checks and reports."""

import itertools

import numpy as np

from tests.networks import tiny_model, tiny_table
from workbench import api
from workbench.core.detectors import Detectors

NAMES = ("mixed-difference", "friedman-root", "integrated-hessians", "cross-hessian")


def some_detectors(strengths=None, **changes):
    """Four detectors of six pairs, for one output; the last does not know some of them.

    ``strengths`` ``[c, s]`` are those by default of detectors that agree on the first pair.
    """
    if strengths is None:
        strengths = [
            [4.0, 3.0, 2.0, 1.0, 0.5, 0.0],
            [9.0, 8.0, 3.0, 2.0, 1.0, 0.0],
            [0.4, 0.1, 0.3, 0.0, 0.0, 0.0],
            [7.0, np.nan, np.nan, 5.0, 6.0, np.nan],
        ]
    values = np.array(strengths, dtype=np.float64)[..., None]
    table = tiny_table(d=4, task="regression")
    c = len(values)
    asked = api.detectors(tiny_model(table), table, device="cpu", detectors="weights")
    fields = {
        "provenance": asked.provenance,
        "pairs": np.array(list(itertools.combinations(range(4), 2)), dtype=np.int64),
        "detectors": NAMES[:c],
        "strengths": values,
        "signed": np.where(np.arange(c)[:, None, None] == 0, -values, np.nan),
        "std_errors": values / 10,
        "seconds": np.array([0.1, 0.5, 2.0, 0.03])[:c],
        "evaluations": np.array([1000, 9000, 50, 0])[:c],
        "gradients": np.array([0, 0, 12_000, 700])[:c],
        "shared": np.arange(c),
        "units": ("EUR²", "EUR", "EUR", "EUR")[:c],
        "left_out": (("shapley", "it may take too long"),),
        "mean_predictions": np.zeros(1),
        "n_possible": 6,
        "schema": table.schema,
        "output_names": asked.output_names,
        "unit": "",
        "smoothing": 0.01,
        "missed": 1e-4,
    }
    return Detectors(**(fields | changes))
