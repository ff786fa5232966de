"""Which inputs meet in the units of a network, read off its weights."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.model import Model
from workbench.numerics.stream.near_copies import chain_of
from workbench.numerics.swaps import Set


@torch.no_grad()
def pair_weights(model: Model, sets: Sequence[Set]) -> Float[Tensor, "s k"] | None:
    r"""Score sets of features by the weights that bring them together in the first hidden layer.

    .. math:: \omega_S = \sum_u z_u \min_{i \in S} |W^{(1)}_{ui}|, \qquad
              z = |w_y|^T |W^{(L)}| \cdots |W^{(2)}|,

    where a feature of several columns counts with its largest weight, and :math:`w_y` reads out
    log-odds for two classes. None for a network that is no chain of linear layers and functions
    of one number; 0 where there is no hidden layer.

    References
    ----------
    Tsang, Cheng and Liu (2018), Detecting Statistical Interactions from Neural Network Weights.
    """
    if "perturbable" not in model.capabilities:
        return None
    chain = chain_of(model.network, len(model.groups))
    weights = [module.weight.double().cpu() for _, module in chain if isinstance(module, nn.Linear)]
    if not weights:
        return None
    read_out = model.outputs(weights[-1].T, "score").T.abs()  # (k, h)
    if len(weights) == 1:
        return torch.zeros(len(sets), len(read_out), dtype=torch.float64)
    for weight in reversed(weights[1:-1]):
        read_out = read_out @ weight.abs()
    first, groups = weights[0].abs(), model.groups.cpu()
    n_features = len(model.schema.features)
    strengths = first.new_zeros(len(first), n_features)
    strengths.scatter_reduce_(1, groups.long().expand_as(first), first, "amax")
    found = [strengths[:, list(members)].amin(1) @ read_out.T for members in sets]
    return torch.stack(found)
