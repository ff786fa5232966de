"""A model's chosen output and its slopes, in chunks that are counted and can be stopped."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from workbench.core.context import Context
from workbench.core.errors import InvalidInputError
from workbench.core.model import Model, Output
from workbench.numerics.devices import free_cache, is_out_of_memory
from workbench.numerics.slopes import slopes

CPU_CHUNK_BYTES = 2**22


class Differentiated:
    """A model's chosen output and its slopes, in chunks that are counted and can be stopped.

    Attributes
    ----------
    constant_sum
        The outputs of a row add up to a constant: probabilities to 1, two log-odds to 0.
    passes
        Forward and backward passes that give the slopes of all outputs.
    evaluations
        Rows that went through the network so far, forwards and once per backward pass.
    chunk_rows
        Rows per network pass; halved when memory runs out.
    """

    def __init__(self, model: Model, output: Output, context: Context, expected: int) -> None:
        self.model = model
        self.chunk_rows = context.chunk_rows or _chunk_rows(model, context)
        self.evaluations = 0
        self.constant_sum = adds_up(model, output)
        self.passes = passes(model, output)
        self._output = output
        self._context = context
        self._expected = expected
        groups = model.groups
        d = len(model.schema.features)
        self._groups = functional.one_hot(groups, d).to(model.device, model.dtype)  # (p, d)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs of encoded rows, on the graph."""
        return self.model.outputs(self.model.network(inputs), self._output)

    @torch.no_grad()
    def outputs(self, inputs: Float[Tensor, "n p"]) -> Float[Tensor, "n k"]:
        """Return the outputs of encoded rows, in double precision on the CPU."""

        def evaluate(part: slice) -> Tensor:
            found = self.forward(inputs[part]).cpu().double()
            self.count(len(found))
            return found

        return self.in_chunks(len(inputs), 1, evaluate)

    def slopes(self, inputs: Float[Tensor, "m p"]) -> Float[Tensor, "m p k"]:
        """Return the slopes of all outputs of encoded rows."""
        leaf = inputs.detach().requires_grad_()
        with torch.enable_grad():
            outputs = self.forward(leaf)
            found = slopes(outputs, leaf, constant_sum=self.constant_sum)
        self.count(len(inputs) * self.passes)
        return found

    def by_feature(self, contributions: Float[Tensor, "m p k"]) -> Float[Tensor, "m d k"]:
        """Sum over the input columns of each raw feature; in double precision on the CPU."""
        found = torch.einsum("mpk,pd->mdk", contributions, self._groups)
        return found.cpu().double()

    def in_chunks(
        self, n: int, points: int, evaluate: Callable[[slice], Tensor]
    ) -> Float[Tensor, "n *rest"]:
        """Evaluate ``n`` items of so many points each, with smaller chunks where memory runs out.

        ``evaluate`` itself divides an item that has more points than ``chunk_rows``.

        Raises
        ------
        InvalidInputError
            If there is too little memory for a single row.
        RuntimeError
            As it came, where it does not say that memory ran out.
        MemoryError
            Never by itself: it is what running out of memory may look like.
        """
        parts: list[Tensor] = []
        start = 0
        while start < n:
            size = max(1, self.chunk_rows // points)
            try:
                parts.append(evaluate(slice(start, min(n, start + size))))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.chunk_rows == 1:
                    raise InvalidInputError(
                        f"{self.model.device.type} has too little memory for the slopes of a "
                        "single row; use another device."
                    ) from None
                self.chunk_rows //= 2
                free_cache(self.model.device)
                continue
            start += size
        return torch.cat(parts)

    def divided(self, points: int) -> list[slice]:
        """Parts of an item's points that fit into one pass."""
        step = self.chunk_rows
        return [slice(start, min(points, start + step)) for start in range(0, points, step)]

    def count(self, evaluations: int) -> None:
        """Tell how far it is, and stop if asked to."""
        self.evaluations += evaluations
        total = max(self._expected, self.evaluations)
        self._context.step(self.evaluations, total, "passes of rows through the network")


def adds_up(model: Model, output: Output) -> bool:
    """Tell whether a row's outputs add up to a constant: probabilities, and two log-odds."""
    task = model.schema.task
    return task != "regression" and (output == "probability" or task == "binary")


def passes(model: Model, output: Output) -> int:
    """Return how many passes, forward and backward, give the slopes of all outputs."""
    return 1 + len(model.output_names) - adds_up(model, output)


def _chunk_rows(model: Model, context: Context) -> int:
    """Keep activations in the cache on a CPU, within the memory budget elsewhere."""
    linear = [m.out_features for m in model.network.modules() if isinstance(m, nn.Linear)]
    width = len(model.groups) + sum(linear)  # a backward pass needs all layers' activations
    row = 2 * width * torch.finfo(model.dtype).bits // 8
    if model.device.type == "cpu":
        return max(256, min(16384, CPU_CHUNK_BYTES // row))
    return max(1024, context.budget // (4 * row))
