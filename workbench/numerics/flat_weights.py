"""The parameters of a network as one vector, so that many networks are one matrix."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap


@dataclass(frozen=True)
class FlatWeights:
    """Where each parameter of a network lies in a vector of all of them.

    Attributes
    ----------
    given
        The parameters of the network as it is.
    """

    network: nn.Module
    given: Mapping[str, Tensor]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(values.numel() for values in self.given.values())

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

    def moved(
        self, moves: Float[Tensor, "b p"], inputs: Float[Tensor, "n f"], chunk: int
    ) -> Float[Tensor, "b n k"]:
        """Ask the network after each of many moves of its parameters, some of them at a time."""
        given = self.join({name: values[None] for name, values in self.given.items()})[0]

        def one(move: Tensor) -> Tensor:
            return self.logits_at(self.split(given + move), inputs)

        logits: Tensor = vmap(one, chunk_size=chunk, randomness="error")(moves)
        return logits


def flat_weights(network: nn.Module) -> FlatWeights:
    """Read where the parameters of a network are."""
    return FlatWeights(network, {name: p.detach() for name, p in network.named_parameters()})
