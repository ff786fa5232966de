"""Whether the strongest features of a local model would be the same with other samples."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.numerics.local_fit import Selection, centred, choose, overlap, ridge, top_of

# Samples are summed up in so many groups, which are put together into halves.
GROUPS = 10
SPLITS = 5
PENALTY = 1.0
SEPARATED = 2.0  # standard errors


def told_apart(
    beta: Float[Tensor, "b k d"], errors: Float[Tensor, "b k d"], top: int
) -> Bool[Tensor, "b k"]:
    """Tell whether the strongest coefficients are ahead of the next by two standard errors."""
    if top >= beta.shape[-1]:
        return torch.ones_like(beta[..., 0], dtype=torch.bool)
    size, order = beta.abs().sort(dim=-1, descending=True, stable=True)
    sorted_errors = errors.gather(-1, order)
    gap = size[..., top - 1] - size[..., top]
    return gap >= SEPARATED * torch.hypot(sorted_errors[..., top - 1], sorted_errors[..., top])


@dataclass(frozen=True)
class Halves:
    """Splits of the samples into halves, and what is fitted to each.

    Attributes
    ----------
    groups
        Which groups make up each half: one half and the other, for every split.
    count, selection
        Features of a local model at most, and how they are chosen.
    top
        How many strongest features are compared.
    """

    groups: Float[Tensor, "h g"]
    count: int
    selection: Selection
    top: int

    def stability(
        self, raw: Float[Tensor, "b g q q"], at: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b k"]:
        """Return the mean overlap of the strongest features of two halves, over the splits.

        Parameters
        ----------
        raw
            Moments of each group, relative to the row.
        at
            Interpretable values of the rows.
        """
        n, d = at.shape
        moments = centred(torch.einsum("hg,bgpq->bhpq", self.groups, raw).flatten(0, 1), d)
        each = at.repeat_interleave(len(self.groups), 0)
        chosen = choose(moments, each, self.count, self.selection)
        strongest = top_of(ridge(moments, chosen, PENALTY)[0], self.top).view(n, SPLITS, 2, -1, d)
        return overlap(strongest[:, :, 0], strongest[:, :, 1]).mean(1)


def draw_halves(generator: np.random.Generator) -> Float[Tensor, "h g"]:
    """Mark which groups make up each half."""
    first = np.zeros((SPLITS, GROUPS))
    for split in first:
        split[generator.permutation(GROUPS)[: GROUPS // 2]] = 1
    return torch.from_numpy(np.stack([first, 1 - first], 1).reshape(2 * SPLITS, GROUPS))
