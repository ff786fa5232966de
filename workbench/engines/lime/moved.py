"""What a model says of samples that move with a row, where rows share most of the first layer."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from workbench.core.model import Model, Output, splits_first_layer
from workbench.engines.lime.neighbourhood import Draws, around
from workbench.numerics.chunks import slices

PROBES = 8  # outermost samples, and as many others, whose inputs are compared
PROBED_NUMBERS = 2**22  # at once
ROUNDING = 64  # units in the last place of the largest number that is involved


class MovedSamples:
    r"""Samples around some rows, by way of the same samples around the middle of the background.

    An encoder works feature by feature. Where a number enters its columns linearly, a sample that
    moves with row :math:`x` differs from the same sample around the middle :math:`c` by
    :math:`e(x) - e(c)` in the columns of numbers and in nothing else, whichever sample it is. A
    linear first layer with weights :math:`W` then says

    .. math:: h_i(x) = h_i(c) + W (e(x) - e(c)),

    a part that all rows share and one vector for each row. A number that the row lacks does not
    move with it, and its columns are put in as they were drawn.

    Parameters
    ----------
    centre
        Numbers of the middle; whatever the other features are.
    """

    def __init__(
        self, model: Model, draws: Draws, X: Float[Tensor, "b d"], centre: Float[Tensor, " d"],
        scales: Float[Tensor, " d"], is_number: Bool[Tensor, " d"],
    ) -> None:  # fmt: skip
        assert splits_first_layer(model.network)  # noqa: S101 - whoever calls has asked
        self.model, self.network = model, model.network
        self.draws, self.X, self.centre = draws, X, centre
        self.scales, self.is_number = scales, is_number
        groups = model.groups.to(X.device)
        self.columns = is_number[groups].nonzero()[:, 0].to(model.device)
        lacks = X.isnan()[:, groups].to(model.device)[:, self.columns]
        change = (model.encode(X) - model.encode(centre[None]))[:, self.columns]
        self.change = torch.where(lacks, 0.0, change)  # (b, c)
        self.lacks = lacks

    @torch.no_grad()
    def are_linear(self) -> Bool[Tensor, " b"]:
        """Tell for which rows the inputs of a few samples are what the encoder makes of them."""
        far = self.draws.steps.abs().amax(0)
        outer = far.topk(min(PROBES, len(far))).indices.cpu()
        few = self.draws.part(torch.cat([outer, torch.arange(min(PROBES, len(far)))]))
        shared, raw = self._middle(few)[:, self.columns], self.model.encode(few.raw)
        raw = raw[:, self.columns]
        step = max(1, PROBED_NUMBERS // (2 * PROBES * len(self.model.groups)))
        found = []
        for rows in slices(len(self.X), step):
            samples = around(few, self.X[rows], self.scales, self.is_number)
            own = self.model.encode(samples.flatten(0, 1))[:, self.columns]
            own = own.unflatten(0, samples.shape[:2])  # (b, m, c)
            change, lacks = self.change[rows, None], self.lacks[rows, None]
            made = torch.where(lacks, raw, shared + change)
            size = 1 + torch.maximum(own.abs(), torch.maximum(shared.abs(), change.abs()))
            off = (own - made).abs() / size
            found.append((off <= ROUNDING * torch.finfo(off.dtype).eps).flatten(1).all(1))
        return torch.cat(found).to(self.X.device)

    @torch.no_grad()
    def answers(
        self, rows: list[int], output: Output, chunk: int
    ) -> Iterator[tuple[int, slice, Float[Tensor, "s k"]]]:
        """Yield a row, some of its samples, and what the model says of them."""
        first = self.network.first
        weight = first.weight[:, self.columns]  # (h, c)
        moves = self.change @ weight.T  # (b, h)
        incomplete = self.lacks.any(1).tolist()
        for part in slices(len(self.draws.raw), chunk):
            some = self.draws.part(part)
            inputs = self._middle(some)
            shared = first(inputs)  # (s, h)
            if any(incomplete):
                drawn = (self.model.encode(some.raw) - inputs)[:, self.columns]
            for row in rows:
                hidden = shared + moves[row]
                if incomplete[row]:
                    lacks = self.lacks[row]
                    hidden += drawn[:, lacks] @ weight[:, lacks].T
                yield row, part, self.model.outputs(self.network.rest(hidden), output)

    def _middle(self, draws: Draws) -> Float[Tensor, "m p"]:
        """Return the network's inputs for samples around the middle."""
        return self.model.encode(around(draws, self.centre[None], self.scales, self.is_number)[0])
