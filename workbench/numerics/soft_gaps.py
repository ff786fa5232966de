"""How far rates of groups lie apart, in a form that has a slope."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.fairness_metrics import RATES, Cells, Gap


def soft_confusion(
    chance: Float[Tensor, " n"], truth: Int[Tensor, " n"], group: Int[Tensor, " n"], n_groups: int
) -> Float[Tensor, "g 2 2"]:
    """Sum decisions by group, truth and decision where a decision is a number from 0 to 1."""
    said = torch.stack([1 - chance, chance], 1)  # (n, 2)
    cells = said.new_zeros(2 * n_groups, 2).index_add(0, 2 * group + truth, said)
    return cells.view(n_groups, 2, 2)


def soft_spread(counts: Float[Tensor, "g 2 2"], gap: Gap) -> Float[Tensor, ""]:
    r"""Return how far groups lie apart in the rates that a gap is made of.

    .. math:: \sum_r \frac{1}{G_r} \sum_g (r_g - \bar r)^2

    over the groups for which a rate is defined, :math:`\bar r` being their plain mean: 0 where
    the gap is 0 (of a ratio: 1), and smooth where the gap has corners.
    """
    total = counts.new_zeros(())
    for name in gap.of:
        of = _sum(counts, RATES[name].of)
        known = of > 0
        if int(known.sum()) < 2:
            continue
        rates = _sum(counts, RATES[name].counts)[known] / of[known]
        total = total + (rates - rates.mean()).square().mean()
    return total


def _sum(counts: Float[Tensor, "g 2 2"], cells: Cells) -> Float[Tensor, " g"]:
    return torch.stack([counts[:, truth, decided] for truth, decided in cells]).sum(0)
