"""The set function: what would the model say, had it known only the features in S?"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, Output, SplitsFirstLayer
from workbench.numerics.devices import free_cache, is_out_of_memory
from workbench.numerics.links import Link, apply_link, link_slope
from workbench.numerics.maskers import Masker

CPU_CHUNK_BYTES = 2**21
REPORT_EVERY = 2**17


class Game:
    r"""Value of coalitions of raw features for rows of a table.

    .. math:: v(x, S) = g\Big(\sum_b w_b\, f(x_S, b_{\bar S})\Big)

    with background rows :math:`b`, the chosen output :math:`f` and link :math:`g`. Rows and
    background are encoded once and mixed afterwards: an encoder works feature by feature, so a
    categorical feature is one player however many columns it has.

    Where the network starts with a linear layer, the layer is applied to the known and the
    unknown part separately, :math:`W(x_S) + W(b_{\bar S}) + c`: the first part does not depend on
    the background row, the second not on the explained row.

    Attributes
    ----------
    evaluations
        Rows that went through the network so far.
    chunk_rows
        Rows per network pass; halved when memory runs out.
    """

    def __init__(
        self,
        model: Model,
        masker: Masker,
        *,
        output: Output = "probability",
        link: Link = "identity",
        context: Context,
        expected: int = 0,
    ) -> None:
        self.model = model
        self.masker = masker
        self.output = output
        self.link = link
        self.context = context
        self.expected = expected
        self.n_players = len(model.schema.features)
        self.chunk_rows = context.chunk_rows or _chunk_rows(model, context)
        self.evaluations = 0
        self._reported = 0
        self._inputs = model.encode(masker.rows)  # (b, p)
        self._weights = masker.weights.to(model.device, model.dtype)
        self._split = model.network if isinstance(model.network, SplitsFirstLayer) else None
        self._hidden = None if self._split is None else self._first_layer_by_feature(self._split)
        with torch.no_grad():
            outputs = self._outputs_of(self._inputs).double().cpu()  # (b, k)
        mean = masker.weights @ outputs
        self.empty: Float[Tensor, " k"] = apply_link(mean, link)
        self.empty_std_errors = _std_errors(outputs, masker.weights) * link_slope(mean, link)

    @torch.no_grad()
    def full(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Value of the coalition of all features: what the model says."""
        parts = [self._outputs_of(self.model.encode(x)) for x in torch.split(X, self.chunk_rows)]
        return apply_link(torch.cat(parts).double().cpu(), self.link)

    @torch.no_grad()
    def values(
        self, X: Float[Tensor, "n d"], coalitions: Bool[Tensor, "m d"] | Bool[Tensor, "n m d"]
    ) -> Float[Tensor, "n m k"]:
        """Value of every coalition for every row, in double precision on the CPU.

        Parameters
        ----------
        coalitions
            True where a feature is known. Two axes: the same coalitions for all rows; three:
            coalitions of each row's own. Empty and full coalitions cost nothing, and a coalition
            that occurs twice is evaluated once.

        Raises
        ------
        InvalidInputError
            If the coalitions are not over the model's features.
        """
        if coalitions.shape[-1] != self.n_players:
            raise InvalidInputError(
                f"Coalitions are over {coalitions.shape[-1]} players, the model has "
                f"{self.n_players} features."
            )
        if coalitions.ndim == 3:
            return self._values_by_row(X, coalitions)
        unique, inverse = _unique(coalitions)
        size = unique.sum(1)
        inner = (size > 0) & (size < self.n_players)
        table = torch.empty(len(X), len(unique), len(self.empty), dtype=torch.float64)
        table[:, size == 0] = self.empty
        if (size == self.n_players).any():
            table[:, size == self.n_players] = self.full(X)[:, None]
        table[:, inner] = self._sweep(X, unique[inner][None])
        return table[:, inverse]

    def _values_by_row(self, X: Tensor, coalitions: Tensor) -> Tensor:
        """Evaluate each row's unique inner coalitions, padded to the row with the most."""
        unique = [_unique(own) for own in coalitions]
        inner = [own[(own.sum(1) > 0) & (own.sum(1) < self.n_players)] for own, _ in unique]
        longest = max((len(own) for own in inner), default=0)
        if all(len(own) == longest == coalitions.shape[1] for own in inner):
            return self._sweep(X, coalitions)
        return torch.stack([
            self.values(x[None], own)[0] for x, own in zip(X, coalitions, strict=True)
        ])

    def _sweep(self, X: Tensor, coalitions: Tensor) -> Tensor:
        """Evaluate inner coalitions ``[1 | n, m, d]``, with smaller chunks if memory runs out."""
        while True:
            try:
                return apply_link(self._sweep_once(X, coalitions), self.link)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self.chunk_rows == 1:
                    raise
            self.chunk_rows //= 2
            free_cache(self.model.device)

    def _sweep_once(self, X: Tensor, coalitions: Tensor) -> Tensor:
        """Mean outputs ``[n, m, k]``: background in the outer loop, then coalitions, then rows."""
        Z = self.model.encode(X)
        total = torch.zeros(len(X), coalitions.shape[1], len(self.empty), dtype=torch.float64)
        for part in _slices(len(self.masker), self.chunk_rows):
            pairs = max(1, self.chunk_rows // (part.stop - part.start))
            for chosen in _slices(coalitions.shape[1], pairs):
                known = coalitions[:, chosen].to(Z.device)
                shared = self._unknown_part(known, part) if len(known) == 1 else None
                for rows in _slices(len(X), max(1, pairs // known.shape[1])):
                    own = known if len(known) == 1 else known[rows]
                    unknown = self._unknown_part(own, part) if shared is None else shared
                    total[rows, chosen] += self._tile(Z[rows], own, unknown, part).double().cpu()
                    self._count(len(Z[rows]) * own.shape[1] * (part.stop - part.start))
        return total

    def _unknown_part(self, known: Tensor, part: slice) -> Tensor:
        """First layer of the unknown features, or the background itself without such a layer."""
        if self._hidden is None:
            return self._inputs[part]  # (b, p)
        hidden = self._hidden[:, part]  # (d, b, h)
        unknown = (~known).to(hidden.dtype) @ hidden.flatten(1)  # (r, c, b h)
        return unknown.unflatten(-1, hidden.shape[1:])

    def _tile(self, Z: Tensor, known: Tensor, unknown: Tensor, part: slice) -> Tensor:
        """Weighted mean output over a part of the background, for rows times coalitions."""
        columns = known[..., self.model.groups]  # (1 | r, c, p)
        if self._split is None:
            mixed = torch.where(columns[:, :, None], Z[:, None, None], unknown)  # (r, c, b, p)
            logits = self.model.network(mixed.flatten(0, 2))
        else:
            first = nn.functional.linear(
                columns * Z[:, None], self._split.first.weight, self._split.first.bias
            )  # (r, c, h)
            mixed = first[:, :, None] + unknown  # (r, c, b, h)
            logits = self._split.rest(mixed.flatten(0, 2))
        outputs = self.model.outputs(logits, self.output).unflatten(0, mixed.shape[:3])
        return torch.einsum("rcbk,b->rck", outputs, self._weights[part])

    def _first_layer_by_feature(self, network: SplitsFirstLayer) -> Float[Tensor, "d b h"]:
        """Return what each feature of each background row adds to the first layer."""
        weight = network.first.weight  # (h, p)
        hidden = weight.new_zeros(self.n_players, len(self._inputs), len(weight))
        for column, feature in enumerate(self.model.groups.tolist()):
            hidden[feature] += self._inputs[:, column, None] * weight[:, column]
        return hidden

    def _outputs_of(self, inputs: Tensor) -> Tensor:
        self._count(len(inputs))
        return self.model.outputs(self.model.network(inputs), self.output)

    def _count(self, evaluations: int) -> None:
        self.evaluations += evaluations
        if self.evaluations >= self._reported + REPORT_EVERY:
            self._reported = self.evaluations
            total = max(self.expected, self.evaluations)
            self.context.step(self.evaluations, total, "model evaluations")


def _chunk_rows(model: Model, context: Context) -> int:
    """Keep activations in the cache on a CPU, within the memory budget elsewhere."""
    widths = [m.out_features for m in model.network.modules() if isinstance(m, nn.Linear)]
    width = max([len(model.groups), *widths])
    row = width * torch.finfo(model.dtype).bits // 8
    if model.device.type == "cpu":
        return max(256, min(16384, CPU_CHUNK_BYTES // row))
    return max(1024, context.budget // (4 * row))


def _slices(n: int, step: int) -> list[slice]:
    return [slice(start, min(n, start + step)) for start in range(0, n, step)]


def _unique(coalitions: Bool[Tensor, "m d"]) -> tuple[Bool[Tensor, "u d"], Int[Tensor, " m"]]:
    """Return the distinct coalitions and, for each given one, its place among them."""
    packed = np.packbits(coalitions.numpy(), axis=1)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return coalitions[torch.from_numpy(first)], torch.from_numpy(inverse)


def _std_errors(outputs: Float[Tensor, "b k"], weights: Float[Tensor, " b"]) -> Tensor:
    """Return the standard error of a weighted mean over background rows; NaN for a single row."""
    effective = 1 / (weights**2).sum()
    mean = weights @ outputs
    variance = weights @ (outputs - mean) ** 2 * effective / (effective - 1)
    return (variance / effective).sqrt()
