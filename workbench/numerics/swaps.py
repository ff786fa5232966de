"""Rows in which some features were taken from another row, put to a network."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from workbench.core.model import Model, splits_first_layer
from workbench.numerics.chunks import slices

Feature = int
Set = tuple[Feature, ...]
CPU_BYTES = 2**22
GPU_SHARE = 16
BLACK_BOX_ROWS = 8192
# Passes need room for the layers that follow as well.
LAYERS = 3


@runtime_checkable
class Swaps(Protocol):
    """What a network says of rows in which the features of a set come from other rows.

    All features of a set come from the same other row, so that what belongs together within the
    set stays together; the columns of a one-hot feature always do.
    """

    def rows_at_once(self) -> int:
        """Return how many rows it is best asked about at once."""
        ...

    def ask(
        self, own: Int[Tensor, " c"], donors: Int[Tensor, " c"], sets: Sequence[Set]
    ) -> Float[Tensor, "s c k"]:
        """Return the network's outputs for each set of features taken from ``donors``."""
        ...


class HiddenSwaps:
    r"""Swaps behind the first layer, where a swapped feature is a vector that is added.

    With the columns :math:`W_g` of the first layer that read feature :math:`g`,

    .. math:: W z_{S \leftarrow z'} + b = W z + b + \sum_{g \in S} W_g (z'_g - z_g),

    and the vectors of single features serve all sets that they are in.
    """

    def __init__(
        self,
        first: nn.Linear,
        rest: Callable[[Tensor], Tensor],
        inputs: Float[Tensor, "n p"],
        groups: Int[Tensor, " p"],
        budget: int,
        pass_rows: int | None = None,
    ) -> None:
        self._first, self._rest, self._inputs = first, rest, inputs
        self._columns = _columns_of(groups)
        width = first.out_features
        self._room = pass_bytes(inputs, budget)
        self._pass_rows = pass_rows or self._room // (inputs.element_size() * width * LAYERS)
        self._row_bytes = inputs.element_size() * width * (1 + len(self._columns))

    def rows_at_once(self) -> int:
        """Return how many rows have room for the vectors of all features."""
        return max(32, 2 * self._room // self._row_bytes)

    @torch.no_grad()
    def ask(
        self, own: Int[Tensor, " c"], donors: Int[Tensor, " c"], sets: Sequence[Set]
    ) -> Float[Tensor, "s c k"]:
        """Return the network's outputs for each set of features taken from ``donors``."""
        z = self._inputs[own]
        moves = self._inputs[donors] - z  # (c, p)
        base = self._first(z)  # (c, h)
        needed = sorted({feature for members in sets for feature in members})
        place = {feature: at for at, feature in enumerate(needed)}
        weights = self._first.weight
        vectors = base.new_empty(len(needed), *base.shape)
        for feature, at in place.items():
            columns = self._columns[feature]
            torch.mm(moves[:, columns], weights[:, columns].T, out=vectors[at])
        found = []
        for part in slices(len(sets), max(1, self._pass_rows // len(own))):
            hidden = _added(base, vectors, [[place[i] for i in one] for one in sets[part]])
            found.append(self._rest(hidden.flatten(0, 1)).unflatten(0, hidden.shape[:2]))
        return torch.cat(found)


class InputSwaps:
    """Swaps among the encoded columns of whole rows, for networks that show no first layer."""

    def __init__(
        self, inputs: Tensor, model: Model, budget: int, pass_rows: int | None = None
    ) -> None:
        self._network: Callable[[Tensor], Tensor] = model.network
        self._inputs, self._groups = inputs, model.groups
        p = max(1, inputs.shape[1])
        wide = max([p, *(max(weight.shape) for weight in _matrices(model))])
        room = pass_bytes(inputs, budget) // (inputs.element_size() * wide * LAYERS)
        usual = BLACK_BOX_ROWS if "black_box" in model.capabilities else max(32, room)
        self._pass_rows = pass_rows or usual

    def rows_at_once(self) -> int:
        """Return how many rows a pass takes."""
        return self._pass_rows

    @torch.no_grad()
    def ask(
        self, own: Int[Tensor, " c"], donors: Int[Tensor, " c"], sets: Sequence[Set]
    ) -> Float[Tensor, "s c k"]:
        """Return the network's outputs for each set of features taken from ``donors``."""
        z, other = self._inputs[own], self._inputs[donors]
        found = []
        for part in slices(len(sets), max(1, self._pass_rows // len(own))):
            taken = torch.stack([self._columns(members) for members in sets[part]])
            rows = torch.where(taken[:, None], other, z)  # (s, c, p)
            found.append(self._network(rows.flatten(0, 1)).unflatten(0, rows.shape[:2]))
        return torch.cat(found)

    def _columns(self, members: Set) -> Tensor:
        return torch.isin(self._groups, torch.tensor(members).to(self._groups))


def swaps_of(
    model: Model, inputs: Float[Tensor, "n p"], budget: int, pass_rows: int | None = None
) -> Swaps:
    """Choose how to swap: behind the first layer where the network shows it.

    Parameters
    ----------
    inputs
        Encoded rows, on the model's device.
    budget
        Bytes that temporary tensors may take.
    pass_rows
        Rows per network pass; by default what has room.
    """
    if splits_first_layer(model.network):
        network = model.network
        return HiddenSwaps(network.first, network.rest, inputs, model.groups, budget, pass_rows)
    return InputSwaps(inputs, model, budget, pass_rows)


def _added(base: Tensor, vectors: Tensor, sets: Sequence[Sequence[int]]) -> Tensor:
    """Add to the same hidden rows the vectors of each set ``[s, c, h]``."""
    hidden = base.new_empty(len(sets), *base.shape)
    for place, members in enumerate(sets):
        if not members:
            hidden[place] = base
            continue
        torch.add(base, vectors[members[0]], out=hidden[place])
        for other in members[1:]:
            hidden[place] += vectors[other]
    return hidden


def _columns_of(groups: Tensor) -> list[slice | Tensor]:
    """Return the input columns of each feature, as a slice where they lie side by side."""
    found: list[slice | Tensor] = []
    for feature in range(int(groups.max()) + 1 if len(groups) else 0):
        columns = (groups == feature).nonzero()[:, 0]
        low, n = int(columns[0]) if len(columns) else 0, len(columns)
        beside = n == 0 or int(columns[-1]) - low + 1 == n
        found.append(slice(low, low + n) if beside else columns)
    return found


def pass_bytes(inputs: Tensor, budget: int) -> int:
    """Return the bytes that a pass may take: on a CPU it should stay in the cache."""
    return min(CPU_BYTES, budget // 4) if inputs.device.type == "cpu" else budget // GPU_SHARE


def _matrices(model: Model) -> list[Tensor]:
    return [weight for weight in model.network.parameters() if weight.ndim > 1]
