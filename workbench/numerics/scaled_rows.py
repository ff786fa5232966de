"""What copies of a network say that read every feature on a scale of its own."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.core.model import Model, splits_first_layer
from workbench.numerics.chunks import slices
from workbench.numerics.swaps import BLACK_BOX_ROWS, LAYERS, pass_bytes

Losses = Callable[[Tensor, Tensor], Tensor]
FEWEST_ROWS = 32


class ScaledRows:
    r"""Copies :math:`f(m \cdot x)` of a network, asked about encoded rows and mixtures of two.

    All columns that a raw feature is encoded into share the number :math:`m_i` of that feature.
    Behind a first layer with the columns :math:`W_i`, a copy that takes the features of
    :math:`S` from another row :math:`z'` sees

    .. math:: b + \sum_{i \notin S} m_i W_i z_i + \sum_{i \in S} m_i W_i z'_i,

    so a copy is a row of a small matrix, and no input is assembled. Networks that show no first
    layer get scaled inputs.

    Parameters
    ----------
    inputs
        Encoded rows, on the model's device.
    budget
        Bytes that temporary tensors may take.
    count
        Told how many rows went through the network.
    """

    def __init__(
        self, model: Model, inputs: Float[Tensor, "n p"], budget: int, count: Callable[[int], None]
    ) -> None:
        self._model, self._inputs, self._count = model, inputs, count
        self._d = len(model.schema.features)
        network, each = model.network, inputs.element_size()
        self._hidden = splits_first_layer(network)
        room = pass_bytes(inputs, budget) // each
        widths = [max(part.shape) for part in network.parameters() if part.ndim > 1]
        width = network.first.out_features if splits_first_layer(network) else inputs.shape[1]
        self._pass_rows = max(FEWEST_ROWS, room // (max([width, 1, *widths]) * LAYERS))
        if "black_box" in model.capabilities:
            self._pass_rows = BLACK_BOX_ROWS
        shares = 2 * room // (width * (1 + 2 * self._d)) if self._hidden else self._pass_rows
        self._step = min(len(inputs), max(FEWEST_ROWS, shares))

    def __len__(self) -> int:
        return len(self._inputs)

    def parts(self) -> list[Int[Tensor, " c"]]:
        """Cut the rows into parts to ask about at once."""
        return [torch.arange(part.start, part.stop) for part in slices(len(self), self._step)]

    @torch.no_grad()
    def ask(
        self,
        masks: Float[Tensor, "v d"],
        own: Int[Tensor, " c"],
        donors: Int[Tensor, " c"] | None = None,
        taken: Bool[Tensor, "v d"] | None = None,
    ) -> Float[Tensor, "v c k"]:
        """Return what the network says with each of several scales.

        Parameters
        ----------
        donors, taken
            Rows that features are taken from, and which features.
        """
        z = self._inputs[own]
        other = None if donors is None else self._inputs[donors]
        masks = masks.to(z)
        answer = self._behind_first if self._hidden else self._from_inputs
        found = []
        ask_part = answer(z, other)
        for part in slices(len(masks), max(1, self._pass_rows // len(own))):
            chosen = None if taken is None else taken[part].to(z.device)
            found.append(ask_part(masks[part], chosen))
            self._count((part.stop - part.start) * len(own))
        return torch.cat(found)

    def _behind_first(
        self, z: Tensor, other: Tensor | None
    ) -> Callable[[Tensor, Tensor | None], Tensor]:
        network = self._model.network
        assert splits_first_layer(network)  # noqa: S101 - asked for where it is so alone
        shares = self._shares(z)
        if other is not None:
            shares = torch.cat([shares, self._shares(other)])
        bias = network.first.bias

        def answer(masks: Tensor, taken: Tensor | None) -> Tensor:
            weights = masks
            if other is not None and taken is not None:
                weights = torch.cat([masks.masked_fill(taken, 0), masks.masked_fill(~taken, 0)], 1)
            hidden = (weights @ shares.flatten(1)).view(len(masks) * len(z), -1)
            if bias is not None:
                hidden += bias
            return network.rest(hidden).unflatten(0, (len(masks), len(z)))

        return answer

    def _shares(self, z: Float[Tensor, "c p"]) -> Float[Tensor, "d c h"]:
        """Return what each feature brings to each unit of the first layer."""
        network = self._model.network
        assert splits_first_layer(network)  # noqa: S101 - asked for where it is so alone
        weight, groups = network.first.weight, self._model.groups
        shares = z.new_empty(self._d, len(z), weight.shape[0])
        for feature in range(self._d):
            columns = (groups == feature).nonzero()[:, 0]
            torch.mm(z[:, columns], weight[:, columns].T, out=shares[feature])
        return shares

    def _from_inputs(
        self, z: Tensor, other: Tensor | None
    ) -> Callable[[Tensor, Tensor | None], Tensor]:
        network: Callable[[Tensor], Tensor] = self._model.network
        groups = self._model.groups

        def answer(masks: Tensor, taken: Tensor | None) -> Tensor:
            rows = z
            if other is not None and taken is not None:
                rows = torch.where(taken[:, groups][:, None], other, z)
            rows = rows * masks[:, groups][:, None]
            return network(rows.flatten(0, 1)).unflatten(0, (len(masks), len(z)))

        return answer
