"""How good scaled copies of a network are, and how much they need features together."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.numerics.scaled_rows import Losses, ScaledRows
from workbench.numerics.second_differences import Mean, PairSums, precise
from workbench.numerics.swaps import Set


def row_losses_of_reference(rows: ScaledRows, losses: Losses, d: int) -> Float[Tensor, " n"]:
    """Return the loss of each row where no feature is scaled."""
    masks = torch.ones(1, d, dtype=torch.float64)
    return torch.cat([precise(losses(rows.ask(masks, own), own))[0] for own in rows.parts()])


def excess(
    rows: ScaledRows,
    losses: Losses,
    reference: Float[Tensor, " n"],
    masks: Float[Tensor, "v d"],
) -> Mean:
    """Return by how much the mean loss of each copy is above that of the network.

    Standard errors are those of differences row by row. A copy without a finite answer for some
    row is infinitely worse.

    Parameters
    ----------
    losses
        Turns what the network says of these rows into their losses.
    reference
        Loss of each row where no feature is scaled.
    """
    n = len(rows)
    total = torch.zeros(len(masks), dtype=torch.float64, device=reference.device)
    squares = torch.zeros_like(total)
    for own in rows.parts():
        found = precise(losses(rows.ask(masks, own), own))
        above = found - reference[own.to(reference.device)]  # (v, c)
        total += above.sum(1)
        squares += above.square().sum(1)
    mean = total / n
    variance = (squares / n - mean.square()).clamp(min=0.0) / max(1, n - 1)
    infinite = float("inf")
    values = mean.nan_to_num(nan=infinite, posinf=infinite)
    errors = variance.sqrt().nan_to_num(nan=infinite, posinf=infinite)
    return Mean(values.cpu()[:, None], errors.cpu()[:, None])


def scores_in_loss(
    rows: ScaledRows,
    losses: Losses,
    members: Set,
    masks: Float[Tensor, "v d"],
    donors: Int[Tensor, "r n"],
) -> Mean:
    r"""Return what the features of a set do together in the loss of each scaled copy.

    .. math:: \mathrm{FIS}_S = \varphi_S - \sum_{i \in S} \varphi_i, \qquad
              \varphi_T = E[\ell(x_T) - \ell(x)],

    all of the same copy, with :math:`x_T` the row that takes the features of :math:`T` from
    another one: all of them from the same row, and the same rows for all copies and sets. For a
    single feature it is :math:`\varphi_i`. Standard errors as of
    ``numerics.second_differences.differences``.

    Parameters
    ----------
    donors
        For each repetition, the row that each row takes features from.

    References
    ----------
    Li, Wang, Deng and Barnard (2024), Exploring the Cloud of Feature Interaction Scores in a
    Rashomon Set.
    """
    v, d = masks.shape
    subsets = [members] if len(members) == 1 else [members, *((i,) for i in members)]
    taken = torch.zeros(len(subsets), d, dtype=torch.bool)
    for place, subset in enumerate(subsets):
        taken[place, list(subset)] = True
    taken, repeated = taken.repeat_interleave(v, 0), masks.repeat(len(subsets), 1)
    sums = PairSums(v, len(rows), 1, len(donors))
    for own in rows.parts():
        base = precise(losses(rows.ask(masks, own), own))  # (v, c)
        for others in donors[:, own]:
            answers = rows.ask(repeated, own, others, taken)
            rise = precise(losses(answers, own)).unflatten(0, (len(subsets), v)) - base
            sums.add(own, others, (rise[0] - rise[1:].sum(0))[..., None])
    return sums.mean()
