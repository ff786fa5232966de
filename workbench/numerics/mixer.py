"""Rows of which some features are known and the rest come from a background row."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.core.model import Model, Output, splits_first_layer
from workbench.numerics.maskers import Masker


class Mixer:
    r"""Outputs of the model for mixtures :math:`(x_S, b_{\bar S})`.

    Rows and background are encoded once and mixed afterwards: an encoder works feature by
    feature, so a categorical feature is one player however many columns it has.

    Where the network starts with a linear layer, its features' shares
    :math:`W_i x_i` are computed once as well, and a mixture's hidden units are sums of shares,
    :math:`c + \sum_{i \in S} W_i x_i + \sum_{i \notin S} W_i b_i`: no input is ever assembled.
    """

    def __init__(self, model: Model, masker: Masker, output: Output) -> None:
        self.model = model
        self.output = output
        self.inputs = model.encode(masker.rows)  # (b, p)
        self._split = model.network if splits_first_layer(model.network) else None
        self._shares = (
            None if self._split is None else self._shares_of(self.inputs, self._split.first)
        )
        self._sum: Tensor | None = None

    def whole(self, inputs: Float[Tensor, "n p"]) -> Float[Tensor, "n k"]:
        """Return the outputs of unmixed rows."""
        return self.model.outputs(self.model.network(inputs), self.output)

    def unknown(self, known: Bool[Tensor, "r c d"], part: slice) -> Tensor:
        """Return what a part of the background puts in for the unknown features, for ``grid``.

        Hidden units ``[r, c, b, h]``, or the inputs themselves without a linear first layer.
        """
        if self._shares is None:
            return self.inputs[part]  # (b, p)
        shares = self._shares[part].transpose(0, 1)  # (d, b, h)
        hidden = (~known).to(shares.dtype) @ shares.flatten(1)  # (r, c, b h)
        return hidden.unflatten(-1, (shares.shape[1], shares.shape[2]))

    def all_but(self, places: list[int]) -> Tensor:
        """Return what the background puts in where only these features are known, for ``grid``.

        As ``unknown`` does for one coalition, in a pass over the hidden units instead of one over
        every feature's share of them.
        """
        if self._shares is None:
            return self.inputs  # (b, p)
        if self._sum is None:
            self._sum = self._shares.sum(1)  # (b, h)
        return (self._sum - self._shares[:, places].sum(1))[None, None]  # (1, 1, b, h)

    def grid(
        self, Z: Float[Tensor, "r p"], known: Bool[Tensor, "r1 c d"], unknown: Tensor
    ) -> Float[Tensor, "r c b k"]:
        """Return the outputs of all rows, coalitions and background rows of ``unknown``."""
        columns = known[..., self.model.groups]  # (1 | r, c, p)
        if self._split is None:
            mixed = torch.where(columns[:, :, None], Z[:, None, None], unknown)  # (r, c, b, p)
            logits = self.model.network(mixed.flatten(0, 2))
        else:
            first = self._split.first
            own = nn.functional.linear(columns * Z[:, None], first.weight, first.bias)  # (r, c, h)
            mixed = own[:, :, None] + unknown  # (r, c, b, h)
            logits = self._split.rest(mixed.flatten(0, 2))
        return self.model.outputs(logits, self.output).unflatten(0, mixed.shape[:3])

    def pairs(
        self, z: Float[Tensor, " p"], background: Int[Tensor, " j"], known: Bool[Tensor, "j d"]
    ) -> Float[Tensor, "j k"]:
        """Return the outputs of one row, with a background row and a coalition per mixture.

        ``background`` must be sorted: each run of a background row is one matrix product.
        """
        if self._split is None or self._shares is None:
            columns = known[:, self.model.groups]
            return self.whole(torch.where(columns, z, self.inputs[background]))
        rows, counts = torch.unique_consecutive(background, return_counts=True)
        shares = self._shares[rows]  # (u, d, h)
        change = self._shares_of(z[None], self._split.first) - shares
        start = shares.sum(1) + self._split.first.bias  # (u, h)
        chosen = known.to(z.dtype)
        hidden = z.new_empty(len(known), start.shape[1])
        stops = counts.cumsum(0).tolist()
        for place, (stop, count) in enumerate(zip(stops, counts.tolist(), strict=True)):
            run = slice(stop - count, stop)
            torch.addmm(start[place], chosen[run], change[place], out=hidden[run])
        return self.model.outputs(self._split.rest(hidden), self.output)

    def _shares_of(self, inputs: Float[Tensor, "n p"], first: nn.Linear) -> Float[Tensor, "n d h"]:
        """Return what each feature of each row adds to the first layer."""
        weight = first.weight  # (h, p)
        groups = self.model.groups
        n_features = len(self.model.schema.features)
        shares = weight.new_zeros(len(inputs), n_features, len(weight))
        for start in range(0, len(inputs), 64):  # a few at a time, for [64, p, h] in memory
            rows = inputs[start : start + 64]
            shares[start : start + 64].index_add_(1, groups, rows[:, :, None] * weight.T)
        return shares
