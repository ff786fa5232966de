"""Near-copies of a network by multiplicative noise: one noise per member, whatever the rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, splits_first_layer
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
        if not linear_layers(self.model.network):
            raise InvalidInputError(
                f"Model {self.model.name} shows no weights of linear layers that could be moved; "
                "train models again instead (method retrain)."
            )
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
    def _layers(self) -> tuple[tuple[str, nn.Linear], ...]:
        """Name of the weights, and layer, of what is perturbed."""
        chosen = hidden_readers(self.model) if self.site == "units" else None
        return tuple(
            (f"{name}.weight", layer)
            for name, layer in linear_layers(self.model.network)
            if chosen is None or name in chosen
        )

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._layers)

    @cached_property
    def _copies(self) -> NearCopies:
        return NearCopies(self.model.network, len(self.model.groups))

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        """How many numbers each side of each layer takes of those drawn for a member."""
        found = []
        for _, layer in self._layers:
            if self.site == "weights":
                found.append(layer.weight.numel())
            else:
                found.append(layer.in_features)
            if self.site == "rank-one" and layer is not self._read_out:
                found.append(layer.out_features)
        return tuple(found)

    @property
    def _read_out(self) -> nn.Linear:
        return self._layers[-1][1]

    def logits(self, inputs: Float[Tensor, "n p"], members: Members) -> Float[Tensor, "b n k"]:
        """Ask members about encoded rows."""
        return self._copies.logits(inputs, self.weights(members))

    def weights(self, members: Members) -> Mapping[str, Float[Tensor, "b ..."]]:
        """Return the weights of members by name, stacked."""
        drawn = draw(self.law, self.seed, members.numbers, sum(self._sizes))
        parts = iter(drawn.split(self._sizes, 1))
        found = {}
        for name, layer in self._layers:
            noise = self._noise(layer, parts, members.strengths)
            away = members.stretches.to(noise)[:, None, None] * noise
            found[name] = layer.weight * (1 + away.to(layer.weight))
        return found

    def row_bytes(self) -> int:
        """Bytes that a row of one member takes."""
        return self._copies.row_bytes(self._names)

    def member_bytes(self) -> int:
        """Bytes that a member takes beside its rows."""
        return self._copies.member_bytes(self._names)

    def _noise(
        self, layer: nn.Linear, parts: Iterator[Tensor], strengths: Float[Tensor, " b"]
    ) -> Float[Tensor, "b #o #i"]:
        """Return what a layer's weights are multiplied by, less 1, from the next numbers drawn."""
        if self.site == "weights":
            return deviations(self.law, next(parts), strengths).view(-1, *layer.weight.shape)
        if self.site == "units" or layer is self._read_out:
            return deviations(self.law, next(parts), strengths)[:, None]
        # The product of two has the variance (1 + v)^2 - 1 where each has v.
        each = ((1 + strengths.square()).sqrt() - 1).sqrt()
        columns = 1 + deviations(self.law, next(parts), each)[:, None]
        rows = 1 + deviations(self.law, next(parts), each)[:, :, None]
        return rows * columns - 1


def hidden_readers(model: Model) -> tuple[str, ...]:
    """Return the names of linear layers that read hidden units, not the input.

    The first layer reads the input; so may others where the network does not say which one does,
    and those that read as many columns as there are in the input are left alone there.
    """
    names = linear_layers(model.network)[1:]
    if splits_first_layer(model.network):
        return tuple(name for name, _ in names)
    width = len(model.groups)
    return tuple(name for name, layer in names if layer.in_features != width)
