"""Slopes of every output of a network at once, column by column."""

import torch
from jaxtyping import Float
from torch import Tensor


def slopes(
    outputs: Float[Tensor, "m k"], inputs: Float[Tensor, "m p"], *, constant_sum: bool
) -> Float[Tensor, "m p k"]:
    r"""Return :math:`\partial f_k(z_i) / \partial z_{ij}`, one backward pass per column.

    Parameters
    ----------
    outputs
        What a network said of ``inputs``, each row treated alone, with its graph.
    constant_sum
        The outputs of a row add up to a constant, as probabilities do: the slopes of the last
        column are minus the sum of the others, and a backward pass is saved.
    """
    last = outputs.shape[1] - constant_sum
    columns = [
        torch.autograd.grad(outputs[:, column].sum(), inputs, retain_graph=True)[0]
        for column in range(last)
    ]
    if constant_sum:
        columns.append(-sum(columns[1:], columns[0]))
    return torch.stack(columns, -1)
