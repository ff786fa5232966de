"""Attributions over equally good models whose every number is known."""

import numpy as np

from tests.attributions import build, example
from workbench.core.attribution_range import AttributionRange

SHIFTS = (-0.1, -0.05, 0.05, 0.1)
# One feature of each kind: raises in all models, lowers in all, and one whose sign flips.
VALUES = [[0.262, -0.178, 0.03, 0.004, 0.0]]
DATA = [[47, 1, 9, 60, 0]]


def range_of(given, *, shifts=SHIFTS, scales=None, errors=0.0, drawn=0.0, **changes):
    """A range around an attribution: its values times ``scales`` plus ``shifts``, per model.

    A shift moves every feature the same way for the last output, and the first of two the other
    way; ``scales`` is 1 where not given.
    """
    n, d, k = given.values.shape
    signs = np.array([-1.0, 1.0]) if k == 2 else np.ones(k)
    moved = np.asarray(shifts, dtype=float)
    moved = moved[:, None, None, None] if moved.ndim == 1 else moved[:, None, :, None]
    m = len(moved)
    scales = np.ones(m) if scales is None else np.asarray(scales, dtype=float)
    values = given.values * scales[:, None, None, None] + moved * signs
    base = given.base_values[0]
    fields = {
        "provenance": given.provenance.model_copy(
            update={"method": "rashomon.attributions",
                    "title": "Explanations across equally good models"}
        ),
        "values": values,
        "std_errors": np.full((m, n, d, k), errors),
        "background_std_errors": np.full((m, d, k), drawn),
        "base_values": np.tile(base, (m, 1)),
        "model_predictions": base + values.sum(2),
        "given_values": given.values,
        "given_std_errors": np.full((n, d, k), errors),
        "given_background_std_errors": np.full((d, k), drawn),
        "given_base_values": base,
        "predictions": given.predictions,
        "excess": np.linspace(-0.001, 0.009, m),
        "noise": np.full(m, 0.002),
        "numbers": np.arange(m),
        "strengths": np.full(m, 0.1),
        "stretches": np.ones(m),
        "data": given.data,
        "ids": given.ids,
        "truth": given.truth,
        "schema": given.schema,
        "output_names": given.output_names,
        "unit": given.unit,
        "explorer": "gaussian-units",
        "inner": "shapley.exact",
        "inner_title": "Shapley values, exact",
        "tolerance": 0.01,
        "loss_name": "cross-entropy in nats",
        "base_loss": 0.31,
        "n_admission": 200,
    }  # fmt: skip
    return AttributionRange(**(fields | changes))


def one_range(**changes):
    """One row: two features that keep their sign in all four models, three that do not."""
    return range_of(build(VALUES, data=DATA), **changes)


def several_ranges(n=12, task="binary", **changes):
    """Random rows."""
    return range_of(example(task, n=n, sampled=False), **changes)
