"""Which sets of features are worth a closer look."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from workbench.core.model import Model
from workbench.engines.interactions.scene import Scene
from workbench.numerics.swaps import Set

MOST_FEATURES = 60
MOST_SETS = 500
SCREEN_ROWS = 512


def all_pairs(d: int) -> list[Set]:
    """Return every pair of ``d`` features.

    Examples
    --------
    >>> all_pairs(3)
    [(0, 1), (0, 2), (1, 2)]
    """
    return list(itertools.combinations(range(d), 2))


def chosen_pairs(scene: Scene, model: Model, variances: Float[np.ndarray, " k"]) -> list[Set]:
    """Return all pairs; of more than 60 features the 500 that are strongest in a short run.

    The run takes features once, on 512 rows; what counts is the mean share of variance over the
    outputs.
    """
    pairs = all_pairs(len(model.schema.features))
    if len(model.schema.features) <= MOST_FEATURES:
        return pairs
    found = scene.measure(model, pairs, n=SCREEN_ROWS, repeats=1)
    strength = found.squared.values.numpy() / np.where(variances > 0, variances, 1)
    return _strongest(pairs, strength.mean(1))


def chosen_triples(
    pairs: Sequence[Set], strength: Float[np.ndarray, " s"], d: int
) -> list[Set]:  # fmt: skip
    r"""Return the triples that may be strongest, 500 at most.

    An effect of three features is one of each pair among them as well, so the mixed difference
    of a triple is at most the least of its pairs'. Triples of pairs that were left out are left
    out.
    """
    known: Mapping[Set, float] = dict(zip(pairs, strength.tolist(), strict=True))
    bounds: dict[Set, float] = {}
    for i, j in known:
        for k in range(j + 1, d):
            if (i, k) in known and (j, k) in known:
                bounds[i, j, k] = min(known[i, j], known[i, k], known[j, k])
    return _strongest(list(bounds), np.array(list(bounds.values())))


def _strongest(sets: Sequence[Set], strength: np.ndarray) -> list[Set]:
    kept = np.sort(np.argsort(-strength, kind="stable")[:MOST_SETS])
    return [sets[place] for place in kept]
