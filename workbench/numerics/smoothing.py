"""A network with its kinks rounded off, so that it has second derivatives everywhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

# Functions with kinks that are not rounded off: what they do together has no second derivative.
KINKED = frozenset({
    "max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "maximum", "minimum", "fmax", "fmin", "max", "min", "amax", "amin", "clamp", "clamp_min",
    "clamp_max", "clip", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "threshold",
    "rrelu", "sign", "round", "floor", "ceil", "trunc",
})  # fmt: skip


class Smoothing(TorchFunctionMode):
    r"""Puts a smooth function in place of each function with a kink, while it is entered.

    .. math:: \max(u, 0) \to \tfrac1\beta \log(1 + e^{\beta u}),

    which is off by :math:`\log 2 / \beta` at the kink and by next to nothing further away; what is
    made of it (leaky and capped rectifiers, the absolute value) follows. It does not matter whether
    the network has a layer for it, calls a function, or writes in place.

    Attributes
    ----------
    replaced
        Names of the functions that were rounded off.
    kinked
        Names of functions that have kinks and were not.

    References
    ----------
    Dombrowski et al. (2019), Explanations Can Be Manipulated and Geometry Is to Blame; Janizek,
    Sturmfels and Lee (2021), Explaining Explanations: Axiomatic Feature Interactions for Deep
    Networks.
    """

    def __init__(self, beta: float) -> None:
        super().__init__()
        self.replaced: set[str] = set()
        self.kinked: set[str] = set()
        self._beta = beta
        self._smooth: Mapping[str, Callable[..., Tensor]] = {
            "relu": self._relu, "leaky_relu": self._leaky, "prelu": self._prelu,
            "relu6": self._relu6, "hardtanh": self._between, "abs": self._size,
            "absolute": self._size,
        }  # fmt: skip

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function, or what stands in for it."""
        given = dict(kwargs or {})
        full = getattr(func, "__name__", "")
        name = full.strip("_") if full.startswith("__") else full.removesuffix("_")
        smooth = self._smooth.get(name)
        if smooth is None:
            if name in KINKED:
                self.kinked.add(name)
            return func(*args, **given)
        self.replaced.add(name)
        writes = full.endswith("_") and not full.startswith("__")
        if not given.pop("inplace", False) and not writes:
            return smooth(*args, **given)
        own = args[0] if args else given["input"]
        return own.copy_(smooth(own.clone(), *args[1:], **given))

    def _relu(self, input: Tensor) -> Tensor:
        return functional.softplus(input, self._beta)

    def _leaky(self, input: Tensor, negative_slope: float = 0.01) -> Tensor:
        return negative_slope * input + (1 - negative_slope) * self._relu(input)

    def _prelu(self, input: Tensor, weight: Tensor) -> Tensor:
        if weight.numel() > 1 and input.ndim > 1:
            weight = weight.reshape(1, -1, *[1] * (input.ndim - 2))
        return weight * input + (1 - weight) * self._relu(input)

    def _relu6(self, input: Tensor) -> Tensor:
        return self._between(input, 0.0, 6.0)

    def _between(self, input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
        return min_val + self._relu(input - min_val) - self._relu(input - max_val)

    def _size(self, input: Tensor) -> Tensor:
        return self._relu(input) + self._relu(-input)


def smoothed(forward: Callable[[Tensor], Tensor], mode: Smoothing) -> Callable[[Tensor], Tensor]:
    """Return a function that gives what the network with its kinks rounded off says."""

    def call(inputs: Tensor) -> Tensor:
        with mode, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            return forward(inputs)

    return call
