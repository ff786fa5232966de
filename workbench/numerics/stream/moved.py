"""Near-copies of a network whose weights were moved in ways that have a number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.core.model import Model
from workbench.numerics.flat_weights import FlatWeights
from workbench.numerics.stream.family import Members
from workbench.numerics.stream.near_copies import NearCopies

KEPT_BYTES = 2**28
Ways = Callable[[Int[Tensor, " b"]], Float[Tensor, "b p"]]


@dataclass(eq=False)
class Moved:
    r"""Copies of a model with weights :math:`W + s t \, \delta_j`.

    The number j of a member names its way :math:`\delta_j`, strength s and stretch t say how far
    along it the member is. Ways are found when they are asked for, and kept as long as there is
    room, since a search asks for them again and again.

    Attributes
    ----------
    flat
        Which parameters move, and how a way lays them out.
    ways
        Finds the ways of numbers; the same number has the same way, up to rounding.
    """

    key: str
    model: Model
    flat: FlatWeights
    ways: Ways
    _kept: dict[int, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._copies = NearCopies(self.model.network, len(self.model.groups))

    def logits(self, inputs: Float[Tensor, "n p"], members: Members) -> Float[Tensor, "b n k"]:
        """Ask members about encoded rows."""
        return self._copies.logits(inputs, self.weights(members))

    def weights(self, members: Members) -> Mapping[str, Float[Tensor, "b ..."]]:
        """Return the parameters of members by name, stacked."""
        ways = self.ways_of(members.numbers)
        far = (members.strengths * members.stretches).to(ways)
        moves = self.flat.split(far[:, None] * ways)
        return {name: self.flat.given[name] + move for name, move in moves.items()}

    def ways_of(self, numbers: Int[Tensor, " b"]) -> Float[Tensor, "b p"]:
        """Return the ways of members, finding those that are not kept."""
        missing = sorted(set(numbers.tolist()) - self._kept.keys())
        if missing:
            most = KEPT_BYTES // max(1, self.flat.size * self.flat.start.element_size())
            if len(self._kept) + len(missing) > most:
                self._kept.clear()
                missing = sorted(set(numbers.tolist()))
            found = self.ways(torch.tensor(missing, dtype=torch.int64))
            self._kept.update(zip(missing, found, strict=True))
        return torch.stack([self._kept[number] for number in numbers.tolist()])

    def row_bytes(self) -> int:
        """Bytes that a row of one member takes."""
        return self._copies.row_bytes(self.flat.given)

    def member_bytes(self) -> int:
        """Bytes that a member takes beside its rows."""
        return self._copies.member_bytes(self.flat.given)
