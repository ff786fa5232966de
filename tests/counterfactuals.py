"""Counterfactuals whose every number is known, for tests of figures."""

import numpy as np

from tests.attributions import example
from workbench.core.results import Counterfactuals


def found_changes():
    """One row with two counterfactuals, one with none."""
    rows = example(n=2)
    changed = np.zeros((2, rows.data.shape[1]), dtype=bool)
    changed[:, 0], changed[1, 2] = True, True
    return Counterfactuals(
        provenance=rows.provenance,
        data=rows.data,
        ids=rows.ids,
        predictions=rows.predictions,
        wishes=("the other class",) * 2,
        fulfilled=np.zeros(2, dtype=bool),
        reached=rows.predictions,
        owners=np.zeros(2, dtype=int),
        changed_data=np.where(changed, rows.data[:1] + 1.0, rows.data[:1]),
        changed_predictions=np.tile(rows.predictions[0, ::-1], (2, 1)),
        changed=changed,
        distances=np.array([1.5, 3.0]),
        schema=rows.schema,
        output_names=rows.output_names,
    )
