"""Dropout as the method was published: a noise for every row, logits included."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor, nn

from workbench.core.errors import InvalidInputError
from workbench.core.model import Model
from workbench.numerics.stream.family import Members, linear_layers
from workbench.numerics.stream.noise import Law, deviations, draw


@dataclass(frozen=True, eq=False)
class PublishedDropout:
    """What is said where every row has a noise of its own on the outputs of all linear layers.

    A member is not one model: each row is answered by another one, and what a row is told depends
    on its place among the rows asked about. Noise on the logits makes ties and flips that no
    change of hidden units makes. It is here to be held against ``Dropout``, since published
    figures were found so; no member can be made a model.

    References
    ----------
    Hsu, Li, Hu and Chen (2024), the code released with the paper (hooks on linear layers).
    """

    model: Model
    law: Law
    seed: int

    @property
    def key(self) -> str:
        """What the family is called among explorers."""
        return f"published-{self.law}"

    @cached_property
    def _network(self) -> nn.Module:
        """A copy that hooks may be put on."""
        return copy.deepcopy(self.model.network)

    @cached_property
    def _layers(self) -> tuple[tuple[str, nn.Linear], ...]:
        return linear_layers(self._network)

    def logits(self, inputs: Float[Tensor, "n p"], members: Members) -> Float[Tensor, "b n k"]:
        """Ask members about encoded rows, each row with numbers of its own."""
        b, n = len(members.numbers), len(inputs)
        sizes = [n * layer.out_features for _, layer in self._layers]
        drawn = draw(self.law, self.seed, members.numbers, sum(sizes))
        away = members.stretches.to(drawn)[:, None] * deviations(self.law, drawn, members.strengths)
        noises = [
            (1 + part.reshape(b * n, -1)).to(inputs) for part in away.split(sizes, 1)
        ]  # (b n, h)
        hooks = [
            layer.register_forward_hook(lambda _, __, said, noise=noise: said * noise)
            for (_, layer), noise in zip(self._layers, noises, strict=True)
        ]
        try:
            said: Tensor = self._network(inputs.repeat(b, 1))
        finally:
            for hook in hooks:
                hook.remove()
        return said.view(b, n, -1)

    def weights(self, members: Members) -> Mapping[str, Float[Tensor, "b ..."]]:
        """Refuse: there is no such model.

        Raises
        ------
        InvalidInputError
            Always.
        """
        raise InvalidInputError(
            f"Member {int(members.numbers[0])} of {self.key} is not one model but another one for "
            "every row, so it cannot be looked at; choose an explorer with one noise per model."
        )

    def row_bytes(self) -> int:
        """Bytes that a row of one member takes."""
        wide = sum(layer.out_features for _, layer in self._layers) + len(self.model.groups)
        return 4 * wide * next(self._network.parameters()).element_size()

    def member_bytes(self) -> int:
        """Bytes that a member takes beside its rows."""
        return 0
