"""What a family of near-copies of a network is, and how one of them becomes a model."""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.model import Model


class Members(NamedTuple):
    """Near-copies of a network, by what each is made again from.

    Attributes
    ----------
    numbers
        With the family's seed they address the random numbers of a member, or name its direction.
    strengths
        Standard deviation of a noise around 1, or size of a step.
    stretches
        Factor on the whole way from the given network, 1 unless it was pushed to a boundary.
    """

    numbers: Int[Tensor, " b"]
    strengths: Float[Tensor, " b"]
    stretches: Float[Tensor, " b"]

    def take(self, chosen: Int[Tensor, " c"] | slice) -> "Members":
        """Select members by position."""
        return Members(self.numbers[chosen], self.strengths[chosen], self.stretches[chosen])

    def stretched(self, stretches: Float[Tensor, " b"]) -> "Members":
        """Return the same members further along their ways, or less far."""
        return self._replace(stretches=stretches)


@runtime_checkable
class Family(Protocol):
    """Near-copies of one model: what they say, and the weights of one.

    Every member is a function of (family, seed, number, strength, stretch): the same whatever
    the chunk size, the device, the rows or the other members. At stretch 0 it is the model.
    """

    @property
    def key(self) -> str:
        """Return the key of ``EXPLORERS`` that the family belongs to."""
        ...

    @property
    def model(self) -> Model:
        """Return the given model."""
        ...

    def logits(self, inputs: Float[Tensor, "n p"], members: Members) -> Float[Tensor, "b n k"]:
        """Ask members about encoded rows, in the precision and on the device of the model."""
        ...

    def weights(self, members: Members) -> Mapping[str, Float[Tensor, "b ..."]]:
        """Return the parameters of members that differ from the model's, by name, stacked."""
        ...

    def row_bytes(self) -> int:
        """Return the bytes of temporary tensors that a row of one member takes in ``logits``."""
        ...

    def member_bytes(self) -> int:
        """Return the bytes that a member takes beside its rows: weights, and numbers drawn."""
        ...


def materialise(family: Family, members: Members, place: int = 0) -> Model:
    """Return one member as a model, which every method and page can take.

    Its digest says that it is not the model of the card: explainers that were trained for that
    one do not come along.
    """
    network = copy.deepcopy(family.model.network)
    changed = family.weights(members.take(slice(place, place + 1)))
    own = dict(network.named_parameters())
    with torch.no_grad():
        for name, values in changed.items():
            own[name].copy_(values[0])
    one = (members.numbers[place].item(), *(float(part[place]).hex() for part in members[1:]))
    mark = f"{family.model.digest} {family.key} {one}"
    digest = hashlib.sha256(mark.encode()).hexdigest()
    return replace(family.model, network=network, digest=digest, explainers=())


def linear_layers(network: nn.Module) -> tuple[tuple[str, nn.Linear], ...]:
    """Return the linear layers of a network by name, in the order in which they are declared."""
    return tuple(
        (name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)
    )
