"""Interactions whose every number is known, for tests of figures, checks and reports."""

import numpy as np

from tests.attributions import build, example
from workbench.core.interactions import Interactions


def pairs_of(singles, pairs, *, errors=None, index="k-SII", **changes):
    """Interactions with these values of pairs ``{(i, j): value}``, for the second output.

    The first output has the opposite sign. ``singles`` is an attribution.
    """
    n, d, k = singles.values.shape
    values = np.zeros((n, d, d, k))
    values[:, range(d), range(d)] = singles.values
    for (i, j), value in pairs.items():
        for a, b in ((i, j), (j, i)):
            values[:, a, b, 1], values[:, a, b, 0] = value, -np.asarray(value)
    both = values[:, *np.triu_indices(d)].sum(1)
    fields = {
        "provenance": singles.provenance.model_copy(
            update={"method": "shapley.interactions", "title": "Interactions"}
        ),
        "values": values,
        "index": index,
        "base_values": singles.base_values,
        "predictions": singles.base_values + both,
        "data": singles.data,
        "ids": singles.ids,
        "truth": singles.truth,
        "base_std_errors": singles.base_std_errors,
        "schema": singles.schema,
        "output_names": singles.output_names,
        "unit": singles.unit,
        "background_std_errors": None if errors is None else np.full((d, d, k), errors),
        "background_dof": None if errors is None else 9.0,
    }
    return Interactions(**(fields | changes))


def one_row(**changes):
    """Two pairs that matter and one that hardly does, additive."""
    singles = build([[0.09, 0.262, 0.178, -0.095, -0.006]], data=[[47, 1, 15, 20, 0]])
    return pairs_of(singles, {(0, 3): 0.05, (1, 2): -0.03, (2, 4): 0.001}, **changes)


def several_rows(n=12):
    """A strong pair and a weak one, both with either sign."""
    rng = np.random.default_rng(0)
    pairs = {(0, 1): rng.normal(size=n) * 0.1, (2, 3): rng.normal(size=n) * 0.01}
    return pairs_of(example(n=n, sampled=False), pairs)
