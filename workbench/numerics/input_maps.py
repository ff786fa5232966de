"""Changes of a network's inputs that a first linear layer can take into its weights."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.model import splits_first_layer


@dataclass(frozen=True, eq=False)
class InputMap:
    """Inputs ``z`` become ``z @ matrix + shift``, in double precision."""

    matrix: Float[Tensor, "p p"]
    shift: Float[Tensor, " p"]

    def __call__(self, inputs: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        """Return changed inputs, in the precision of those given."""
        # On the CPU, as some devices know no double precision.
        changed: Tensor = inputs.cpu().double() @ self.matrix + self.shift
        return changed.to(inputs)


class Mapped(nn.Module):
    """A network behind a change of its inputs, where its first layer is not to be seen."""

    def __init__(self, change: InputMap, network: nn.Module) -> None:
        super().__init__()
        self.change, self.network = change, network

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs for changed inputs."""
        found: Tensor = self.network(self.change(inputs))
        return found


def without_columns(n_columns: int, hidden: Sequence[int], merged: Mapping[int, int]) -> InputMap:
    """Hide some inputs, which become 0, and read some as others, which add up.

    Parameters
    ----------
    merged
        From the input that is not to be told apart to the one that it is read as.
    """
    matrix = torch.eye(n_columns, dtype=torch.float64)
    for source, target in merged.items():
        matrix[source] = 0.0
        matrix[source, target] = 1.0
    matrix[:, list(hidden)] = 0.0
    return InputMap(matrix, torch.zeros(n_columns, dtype=torch.float64))


def residual_map(inputs: Float[Tensor, "n p"], columns: Sequence[int]) -> InputMap:
    r"""Take out of every input what a straight line tells of some of them, which become 0.

    .. math:: z' = z - (s - \bar s) \hat\beta,\quad
              \hat\beta = \arg\min_\beta \lVert z - \bar z - (s - \bar s)\beta \rVert^2

    References
    ----------
    Bird et al. (2020), Fairlearn: ``CorrelationRemover`` with ``alpha`` of 1.
    """
    z = inputs.double().cpu()
    told = list(columns)
    mean = z[:, told].mean(0)
    beta = least_squares(z[:, told] - mean, z)
    matrix = torch.eye(z.shape[1], dtype=torch.float64)
    matrix[told] -= beta
    shift = mean @ beta
    matrix[:, told], shift[told] = 0.0, 0.0
    return InputMap(matrix, shift)


def least_squares(
    centred: Float[Tensor, "n s"], inputs: Float[Tensor, "n p"]
) -> Float[Tensor, "s p"]:
    """Return the coefficients of least norm: one-hot columns add up to a constant."""
    found: Tensor = torch.linalg.lstsq(centred, inputs, driver="gelsd").solution
    return found


def behind(change: InputMap, network: nn.Module) -> tuple[nn.Module, bool]:
    r"""Return a network that changes its inputs itself, and whether it is of the same make.

    Where the network shows its first linear layer, the change goes into its weights,
    :math:`W' = W A^\top` and :math:`b' = b + W c`: the same shapes, no step more.
    """
    if not splits_first_layer(network):
        return Mapped(change, network).eval(), False
    found: Any = copy.deepcopy(network)
    first = found.first
    with torch.no_grad():
        weight = first.weight.cpu().double()
        if first.bias is not None:
            first.bias.add_((weight @ change.shift).to(first.bias))
        elif change.shift.any():
            return Mapped(change, cast(nn.Module, network)).eval(), False
        first.weight.copy_(weight @ change.matrix.T)
    return cast(nn.Module, found.eval()), True
