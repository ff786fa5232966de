"""Answers of many networks at once that differ from one in some of their weights."""

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from workbench.core.counter_rng import stream

ELEMENTWISE = (nn.ReLU, nn.GELU, nn.Tanh, nn.SiLU, nn.Dropout, nn.Identity)
PROBE_ROWS = 3


class NearCopies:
    """A network, and what it would say with other weights.

    A chain of linear layers and functions is computed layer by layer: once for all members up to
    the first layer that differs, that layer as one matrix product, and the rest batched. Any
    other network is called by way of ``torch.func``; nothing in it may draw random numbers.

    Parameters
    ----------
    n_inputs
        Columns that the network reads.
    """

    def __init__(self, network: nn.Module, n_inputs: int) -> None:
        self.network = network
        self._chain = chain_of(network, n_inputs)
        self._bytes = next(network.parameters()).element_size()
        self._n_inputs = n_inputs

    def logits(
        self, inputs: Float[Tensor, "n p"], weights: Mapping[str, Float[Tensor, "b ..."]]
    ) -> Float[Tensor, "b n k"]:
        """Return what members say about encoded rows.

        Parameters
        ----------
        weights
            Parameters of members that differ from the network's, by name, stacked.
        """
        if self._chain:
            return _along(self._chain, inputs, weights)

        def one(changed: dict[str, Tensor]) -> Tensor:
            said: Tensor = torch.func.functional_call(self.network, changed, (inputs,))
            return said

        found: Tensor = torch.func.vmap(one, randomness="error")(dict(weights))
        return found

    def row_bytes(self, changed: Iterable[str]) -> int:
        """Bytes that a row of one member takes, where parameters of these names differ."""
        names = set(changed)
        if not self._chain:
            wide = sum(m.out_features for m in self.network.modules() if isinstance(m, nn.Linear))
            return 3 * self._bytes * (wide + self._n_inputs)
        widths, batched = [0], False
        for name, module in self._chain:
            if isinstance(module, nn.Linear):
                before = module.in_features if batched else 0
                batched = batched or bool({f"{name}.weight", f"{name}.bias"} & names)
                widths.append(batched * (before + 2 * module.out_features))
        return self._bytes * max(widths)

    def member_bytes(self, changed: Iterable[str]) -> int:
        """Bytes of a member's own weights, and of the numbers that they are made from."""
        own = dict(self.network.named_parameters())
        return 3 * self._bytes * sum(own[name].numel() for name in changed)


def chain_of(network: nn.Module, n_inputs: int) -> tuple[tuple[str, nn.Module], ...]:
    """Return the parts of a network that does one after the other; empty for any other network.

    The order of declaration is held against what the network itself says about random rows, bit
    for bit: a part that is skipped, used twice or added to shows.
    """
    parts = tuple(
        (name, module) for name, module in network.named_modules() if not list(module.children())
    )
    if not all(isinstance(module, (nn.Linear, *ELEMENTWISE)) for _, module in parts):
        return ()
    own = next(network.parameters())
    rows = stream(0).standard_normal((PROBE_ROWS, n_inputs))
    probe = torch.from_numpy(rows).to(own)
    widths = [n_inputs, *(m.out_features for _, m in parts if isinstance(m, nn.Linear))]
    read = [m.in_features for _, m in parts if isinstance(m, nn.Linear)]
    if widths[:-1] != read or not torch.equal(_along(parts, probe, {})[0], network(probe)):
        return ()
    return parts


def _along(
    chain: tuple[tuple[str, nn.Module], ...],
    inputs: Float[Tensor, "n p"],
    weights: Mapping[str, Float[Tensor, "b ..."]],
) -> Float[Tensor, "b n k"]:
    hidden = inputs  # (n, p), and (b, n, h) from the first layer that differs
    for name, module in chain:
        weight, bias = weights.get(f"{name}.weight"), weights.get(f"{name}.bias")
        if not isinstance(module, nn.Linear) or (weight is None and bias is None):
            hidden = module(hidden)
            continue
        if weight is None:
            said = functional.linear(hidden, module.weight)
        elif hidden.ndim == 2:
            b, out, _ = weight.shape
            said = (weight.flatten(0, 1) @ hidden.T).view(b, out, -1).mT
        else:
            said = hidden @ weight.mT
        own = module.bias if bias is None else bias[:, None]
        hidden = said if own is None else said + own
    if hidden.ndim == 2:
        b = len(next(iter(weights.values()))) if weights else 1
        hidden = hidden.expand(b, -1, -1)
    return hidden
