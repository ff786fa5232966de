"""The last linear layer of a network, and what it reads."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.numerics.chunks import slices

CHUNK_ROWS = 8192


@dataclass(frozen=True)
class ReadOut:
    """A linear layer whose output is the network's.

    Attributes
    ----------
    alone
        Whether it is the whole network, that is, a linear model.
    """

    network: nn.Module
    name: str
    layer: nn.Linear
    alone: bool

    @property
    def weights(self) -> Float[Tensor, "k h"]:
        """Weights in double precision, with the bias in a last column where there is one."""
        parts = [self.layer.weight.detach().double()]
        if self.layer.bias is not None:
            parts.append(self.layer.bias.detach().double()[:, None])
        return torch.cat(parts, 1)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its parameters."""
        own = ("weight",) if self.layer.bias is None else ("weight", "bias")
        return tuple(f"{self.name}.{part}" for part in own)

    def laid_out(self, changes: Float[Tensor, "b k h"]) -> Float[Tensor, "b p"]:
        """Lay changes in the order of its parameters: weights row by row, then the bias."""
        width = self.layer.in_features
        return torch.cat((changes[..., :width].flatten(1), changes[..., width:].flatten(1)), 1)

    @torch.no_grad()
    def features(self, inputs: Float[Tensor, "n f"]) -> Float[Tensor, "n h"]:
        """Return what the layer reads of encoded rows, in double precision.

        Raises
        ------
        InvalidInputError
            If what the network says is not what the layer says.
        """
        seen: list[tuple[Tensor, Tensor]] = []
        handle = self.layer.register_forward_hook(
            lambda _, read, said: seen.append((read[0], said))
        )
        try:
            said = [self.network(inputs[part]) for part in slices(len(inputs), CHUNK_ROWS)]
        finally:
            handle.remove()
        if len(seen) != len(said) or any(
            own[1].shape != all_.shape or not torch.equal(own[1], all_)
            for own, all_ in zip(seen, said, strict=True)
        ):
            raise InvalidInputError(
                f"The last linear layer {self.name!r} of the network is not its output, so its "
                "range says nothing of the network's; use an explorer of all weights."
            )
        return torch.cat([read.double() for read, _ in seen])


def read_out(network: nn.Module) -> ReadOut:
    """Return the last linear layer of a network.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    layers = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Linear)]
    if not layers:
        raise InvalidInputError(
            "The network has no linear layer; use retraining to look for equally good models."
        )
    name, layer = layers[-1]
    own = sum(values.numel() for values in layer.parameters())
    alone = own == sum(values.numel() for values in network.parameters())
    return ReadOut(network, name, layer, alone)
