"""Resamples of rows as counts, the same for many models, and what each decides about them."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from workbench.numerics.chunks import slices

PART = 100


def resampled_confusions(
    decided: Bool[np.ndarray, "m n"],
    truth: Int[np.ndarray, " n"],
    group: Int[np.ndarray, " n"],
    n_groups: int,
    *,
    draws: int,
    rng: np.random.Generator,
) -> Iterator[Float[np.ndarray, "b m g 2 2"]]:
    """Yield counts of (group, truth, decision) of models in resamples, some resamples at a time.

    Rows are drawn with replacement within their group, so that no group vanishes; a resample has
    the same rows for all models, and what is compared is paired. Every count is a whole number
    that single precision holds exactly.
    """
    cells = [[np.flatnonzero((group == g) & (truth == t)) for t in (0, 1)] for g in range(n_groups)]
    said = [[torch.from_numpy(decided[:, at].T.astype(np.float32)) for at in row] for row in cells]
    for part in slices(draws, PART):
        b = part.stop - part.start
        counts = np.zeros((b, len(decided), n_groups, 2, 2))
        for g, row in enumerate(cells):
            size = sum(len(at) for at in row)
            if not size:
                continue
            times = rng.multinomial(size, np.full(size, 1 / size), b).astype(np.float32)
            for t, own in enumerate(torch.from_numpy(times).split([len(at) for at in row], 1)):
                favoured = (own @ said[g][t]).numpy().astype(np.float64)
                counts[:, :, g, t, 1] = favoured
                counts[:, :, g, t, 0] = own.sum(1).numpy().astype(np.float64)[:, None] - favoured
        yield counts
