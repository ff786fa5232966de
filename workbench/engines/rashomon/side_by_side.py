"""Several near-copies of a model as one model that has the outputs of all of them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.model import Model, Output
from workbench.numerics.stream.family import Family, Members
from workbench.numerics.stream.near_copies import NearCopies


class NetworksSideBySide(nn.Module):
    """Networks of near-copies: their logits behind each other, ``k`` of each.

    Their weights are made once, when it is built.
    """

    def __init__(self, family: Family, members: Members) -> None:
        super().__init__()
        model = family.model
        self.count = len(members.numbers)
        self._copies = NearCopies(model.network, len(model.groups))
        self._weights = dict(family.weights(members))
        # Tells ``Model`` where the networks are, and in which precision.
        self.where = nn.Buffer(torch.zeros((), device=model.device, dtype=model.dtype))

    def forward(self, inputs: Float[Tensor, "n p"]) -> Float[Tensor, "n bk"]:
        """Ask all of them about encoded rows."""
        logits: Tensor = self._copies.logits(inputs, self._weights)  # (b, n, k)
        return logits.transpose(0, 1).flatten(1)


@dataclass(frozen=True, eq=False)
class SideBySide(Model):
    """Near-copies as one model, so that what asks a model about rows asks all at once.

    Which rows are asked about, and which of them are the same, is found out once; so is what the
    copies have in common of their hidden units. An engine sees a model with ``b k`` outputs and
    draws the same numbers for each.
    """

    @classmethod
    def of(cls, family: Family, members: Members) -> "SideBySide":
        """Put members of a family side by side; explainers of the given model do not come along."""
        model = family.model
        network = NetworksSideBySide(family, members)
        return cls(model.encoder, network, model.card, model.digest)

    @property
    def count(self) -> int:
        """How many near-copies there are."""
        assert isinstance(self.network, NetworksSideBySide)  # noqa: S101 - see ``of``
        return self.network.count

    @property
    def output_names(self) -> tuple[str, ...]:
        """The outputs of the first, then of the second, and so on."""
        return self.schema.output_names * self.count

    def outputs(self, logits: Float[Tensor, "*n bk"], output: Output) -> Float[Tensor, "*n bk"]:
        """Turn what each network says into what is explained, as ``Model`` does."""
        own = logits.unflatten(-1, (self.count, -1))
        return super().outputs(own, output).flatten(-2)
