"""Near-copies of a network that read its features on other scales."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, splits_first_layer
from workbench.numerics.stream.family import Members, linear_layers
from workbench.numerics.stream.near_copies import NearCopies
from workbench.numerics.stream.noise import deviations, draw

KEY = "scaling"


@dataclass(frozen=True, eq=False)
class Scaled:
    r"""Copies of a model whose first layer is :math:`W_1 \mathrm{diag}(1 + s z_{g(j)})`.

    Every column of the input is multiplied by a number that the columns of its raw feature share
    (normal, with mean 1 and standard deviation s), so that a member weighs whole features
    otherwise, and one-hot columns of a feature together.

    Raises
    ------
    InvalidInputError
        If the network does not say which layer reads its input.

    References
    ----------
    Fisher, Rudin and Dominici (2019), All Models are Wrong, but Many are Useful: what a class of
    equally good models can make of a feature.
    """

    model: Model
    seed: int

    def __post_init__(self) -> None:
        if not self._layer:
            raise InvalidInputError(
                f"Model {self.model.name} has no linear first layer whose inputs could be scaled; "
                "use noise on its weights (gaussian-weights) instead."
            )

    @property
    def key(self) -> str:
        """What the family is called among explorers."""
        return KEY

    @cached_property
    def _layer(self) -> tuple[tuple[str, nn.Linear], ...]:
        network = self.model.network
        layers = linear_layers(network)
        if not splits_first_layer(network):
            return ()
        first = network.first
        return tuple((name, layer) for name, layer in layers if layer is first)

    @cached_property
    def _copies(self) -> NearCopies:
        return NearCopies(self.model.network, len(self.model.groups))

    def logits(self, inputs: Float[Tensor, "n p"], members: Members) -> Float[Tensor, "b n k"]:
        """Ask members about encoded rows."""
        return self._copies.logits(inputs, self.weights(members))

    def weights(self, members: Members) -> Mapping[str, Float[Tensor, "b ..."]]:
        """Return the first layer's weights of members, stacked."""
        ((name, layer),) = self._layer
        n_features = len(self.model.schema.features)
        drawn = draw("gaussian", self.seed, members.numbers, n_features)
        noise = deviations("gaussian", drawn, members.strengths)
        away = (members.stretches.to(noise)[:, None] * noise).to(layer.weight)
        return {f"{name}.weight": layer.weight * (1 + away[:, self.model.groups][:, None])}

    def row_bytes(self) -> int:
        """Bytes that a row of one member takes."""
        return self._copies.row_bytes([f"{name}.weight" for name, _ in self._layer])

    def member_bytes(self) -> int:
        """Bytes that a member takes beside its rows."""
        return self._copies.member_bytes([f"{name}.weight" for name, _ in self._layer])
