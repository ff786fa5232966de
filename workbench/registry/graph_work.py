"""What a network takes for a row, counted on shapes alone: nothing is computed, no memory taken.

A step of a graph may do far more than its outcome tells: attention makes a table of all pairs, a
pool looks at each number as often as its window is large, a product of sums unfolds in between.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

# A product of matrices does several of its operations at a time, which others do not.
OTHERS_WEIGH = 4
_POOLS = frozenset({"aten::avg_pool2d", "aten::max_pool2d_with_indices"})


class Work(TorchDispatchMode):
    """Counts while it is entered.

    Attributes
    ----------
    operations
        How much there is to compute.
    made
        For each tensor that comes into being, in order, how many numbers it has.
    held
        How many numbers the outcomes of steps have that are needed at one time; noted by whoever
        takes the steps.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0
        self.made: list[int] = []
        self.held = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Do one operation on shapes and count it."""
        given = dict(kwargs or {})
        outcome = func(*args, **given)
        if not func.is_view:
            self.operations += _operations(func, args, given, outcome)
            self.made.extend(tensor.numel() for tensor in tensors_of(outcome))
        return outcome


def _operations(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outcome: Any) -> int:
    count = flop_registry.get(func.overloadpacket)
    if count is not None:
        return int(count(*args, **kwargs, out_val=outcome))
    name = func.name().partition(".")[0]
    sizes = [tensor.numel() for tensor in (*tensors_of(outcome), *tensors_of(args))]
    touched = max(sizes, default=0)
    if name in _POOLS:
        window = args[1] if len(args[1]) > 1 else 2 * tuple(args[1])
        touched *= math.prod(window)
    elif name == "aten::_trilinear":
        touched = math.prod((args[0].shape[0], *args[1].shape[-3:]))
    return OTHERS_WEIGH * touched


def tensors_of(outcome: Any) -> Iterator[Tensor]:
    """Yield the tensors in what a step gave, or was given."""
    if isinstance(outcome, torch.Tensor):
        yield outcome
    elif isinstance(outcome, tuple | list):
        for part in outcome:
            yield from tensors_of(part)
