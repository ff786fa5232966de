"""Near-copies of a network by multiplicative noise: one noise per member, whatever the rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, SplitsFirstLayer
from workbench.numerics.stream.family import Members, linear_layers
from workbench.numerics.stream.near_copies import NearCopies
from workbench.numerics.stream.noise import Law, deviations, draw

Site = Literal["units", "weights", "rank-one"]


@dataclass(frozen=True, eq=False)
class Dropout:
    r"""Copies of a model whose weights are multiplied by random numbers with mean 1.

    ==========  ==========================================  =================================
    site        weights of linear layer :math:`l`           which layers
    ==========  ==========================================  =================================
    units       :math:`W_l \mathrm{diag}(u_l)`              all that read hidden units
    weights     :math:`W_l \circ U_l`                       all
    rank-one    :math:`W_l \circ r_l q_l'`                  all; of the read-out, :math:`q` only
    ==========  ==========================================  =================================

    Noise on the units is noise on what leaves an activation, as dropout does. Logits and biases
    are never touched, and units never where a layer reads the input. The strength is the standard
    deviation of the number that a weight is multiplied by; a stretch :math:`t` multiplies the way
    from the given weights, :math:`W + t (W \circ U - W)`.

    Raises
    ------
    InvalidInputError
        If noise on hidden units is asked for and there is none.

    References
    ----------
    Hsu, Li, Hu and Chen (2024), Dropout-Based Rashomon Set Exploration for Efficient Predictive
    Multiplicity Estimation, Sec. 3 (units). Wan, Zeiler, Zhang, LeCun and Fergus (2013),
    Regularization of Neural Networks using DropConnect (weights).
    """

    model: Model
    site: Site
    law: Law
    seed: int

    def __post_init__(self) -> None:
        if not self._layers:
            raise InvalidInputError(
                f"Model {self.model.name} has no hidden units that noise could be put on; use "
                "noise on its weights (gaussian-weights) instead."
            )

    @property
    def key(self) -> str:
        """What the family is called among explorers."""
        return f"{self.law}-{self.site}"

    @cached_property
    def _layers(self) -> tuple[tuple[int, str, nn.Linear], ...]:
        """Place, name and layer of what is perturbed."""
        found = linear_layers(self.model.network)
        places = list(range(len(found)))
        if self.site == "units":
            hidden = set(hidden_readers(self.model))
            places = [place for place in places if found[place][0] in hidden]
        return tuple((place, f"{found[place][0]}.weight", found[place][1]) for place in places)

    @cached_property
    def _copies(self) -> NearCopies:
        return NearCopies(self.model.network, len(self.model.groups))

    def logits(self, inputs: Float[Tensor, "n p"], members: Members) -> Float[Tensor, "b n k"]:
        """Ask members about encoded rows."""
        return self._copies.logits(inputs, self.weights(members))

    def weights(self, members: Members) -> Mapping[str, Float[Tensor, "b ..."]]:
        """Return the weights of members by name, stacked."""
        find: Callable[[int, nn.Linear, Members], Tensor] = {
            "units": self._units, "weights": self._weights, "rank-one": self._rank_one,
        }[self.site]  # fmt: skip
        found = {}
        for place, name, layer in self._layers:
            noise = find(place, layer, members)
            away = members.stretches.to(noise)[:, None, None] * noise
            found[name] = layer.weight * (1 + away.to(layer.weight))
        return found

    def row_bytes(self) -> int:
        """Bytes that a row of one member takes."""
        return self._copies.row_bytes([name for _, name, _ in self._layers])

    def member_bytes(self) -> int:
        """Bytes that a member takes beside its rows."""
        return self._copies.member_bytes([name for _, name, _ in self._layers])

    def _noise(
        self, place: int, side: int, size: int, members: Members, strengths: Float[Tensor, " b"]
    ) -> Float[Tensor, "b s"]:
        drawn = draw(self.law, self.seed, 2 * place + side, members.numbers, size)
        return deviations(self.law, drawn, strengths)

    def _units(self, place: int, layer: nn.Linear, members: Members) -> Float[Tensor, "b 1 i"]:
        return self._noise(place, 0, layer.in_features, members, members.strengths)[:, None]

    def _weights(self, place: int, layer: nn.Linear, members: Members) -> Float[Tensor, "b o i"]:
        found = self._noise(place, 0, layer.weight.numel(), members, members.strengths)
        return found.view(-1, *layer.weight.shape)

    def _rank_one(self, place: int, layer: nn.Linear, members: Members) -> Float[Tensor, "b o i"]:
        r"""Noise on both sides: :math:`\mathrm{Var}(r q) = (1 + v)^2 - 1` where each has v."""
        last = layer is self._layers[-1][2]
        squares = members.strengths.square()
        each = members.strengths if last else ((1 + squares).sqrt() - 1).sqrt()
        columns = 1 + self._noise(place, 0, layer.in_features, members, each)[:, None]
        if last:
            return columns - 1
        rows = 1 + self._noise(place, 1, layer.out_features, members, each)[:, :, None]
        return rows * columns - 1


def hidden_readers(model: Model) -> tuple[str, ...]:
    """Return the names of linear layers that read hidden units, not the input.

    The first layer reads the input; so may others where the network does not say which one does,
    and those that read as many columns as there are in the input are left alone there.
    """
    names = linear_layers(model.network)[1:]
    if isinstance(model.network, SplitsFirstLayer):
        return tuple(name for name, _ in names)
    width = len(model.groups)
    return tuple(name for name, layer in names if layer.in_features != width)
