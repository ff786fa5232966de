"""The parameters of a network as one vector, so that many networks are one matrix."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call


@dataclass(frozen=True)
class FlatWeights:
    """Where each parameter of a network lies in a vector of all of them.

    Attributes
    ----------
    given
        The parameters of the network as it is, or some of them; the others stay.
    """

    network: nn.Module
    given: Mapping[str, Tensor]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(values.numel() for values in self.given.values())

    @cached_property
    def start(self) -> Float[Tensor, " p"]:
        """The given parameters as a vector."""
        return self.join({name: values[None] for name, values in self.given.items()})[0]

    def join(self, parts: Mapping[str, Float[Tensor, "b ..."]]) -> Float[Tensor, "b p"]:
        """Lay stacked parameters in rows; those that are not named are 0."""
        first = next(iter(parts.values()))
        empty = first.new_zeros(len(first), 1)
        return torch.cat(
            [
                parts[name].flatten(1) if name in parts else empty.expand(-1, values.numel())
                for name, values in self.given.items()
            ],
            dim=1,
        )

    def split(self, flat: Float[Tensor, "*b p"]) -> dict[str, Float[Tensor, "..."]]:
        """Cut vectors into parameters by name."""
        sizes = [values.numel() for values in self.given.values()]
        parts = flat.split(sizes, dim=-1)
        return {
            name: part.reshape(*flat.shape[:-1], *values.shape)
            for (name, values), part in zip(self.given.items(), parts, strict=True)
        }

    def penalised(self) -> Float[Tensor, " p"]:
        """Return 1 for each weight and 0 for each bias or other vector."""
        parts = {
            name: torch.full_like(values, float(values.ndim > 1))[None]
            for name, values in self.given.items()
        }
        return self.join(parts)[0]

    def logits_at(
        self, moved: Mapping[str, Tensor], inputs: Float[Tensor, "n f"]
    ) -> Float[Tensor, "n k"]:
        """Ask the network with other parameters."""
        logits: Tensor = functional_call(self.network, dict(moved), (inputs,))
        return logits


def flat_weights(network: nn.Module, names: Collection[str] = ()) -> FlatWeights:
    """Lay out the parameters of a network, or those of some names alone."""
    return FlatWeights(
        network,
        {
            name: values.detach()
            for name, values in network.named_parameters()
            if not names or name in names
        },
    )
