"""DeepLIFT's rescale rule for any network, by watching the functions that it calls.

Layers, functions, methods and operators of torch all pass through one place, so a ReLU is treated
alike whether it is a module of its own, shared by several places, a function, or in place.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_unflatten

from workbench.core.errors import InvalidInputError
from workbench.numerics.slopes import slopes

Forward = Callable[[Tensor], Tensor]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Linear in what moves, or no more than another shape: the chain rule is right as it stands.
LINEAR = _words("""
    add sub subtract rsub radd neg negative pos positive iadd isub sum mean cumsum
    cat concat concatenate hstack vstack stack chunk split split_with_sizes tensor_split unbind
    getitem setitem index_select select narrow take_along_dim gather diagonal
    index_add index_copy index_put scatter_add slice_scatter select_scatter
    reshape view view_as reshape_as flatten unflatten ravel squeeze unsqueeze expand expand_as
    broadcast_to broadcast_tensors repeat repeat_interleave tile
    transpose permute t swapaxes swapdims movedim moveaxis flip fliplr flipud roll rot90
    contiguous clone copy_ to type float double half bfloat16 type_as cpu cuda detach
    dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout feature_dropout
    pad constant_pad_nd avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
    adaptive_avg_pool3d fold unfold tril triu diag diag_embed get set
    zeros_like ones_like empty_like full_like new_zeros new_ones new_full new_empty zero_ fill_
""")
# Linear in each of two arguments; a product where both of them move.
PRODUCTS = _words("""
    mul multiply imul rmul matmul rmatmul imatmul mm bmm mv dot inner outer linear bilinear
    einsum tensordot addmm addmv addbmm baddbmm conv1d conv2d conv3d conv_transpose1d
    conv_transpose2d conv_transpose3d
""")
# Each number of the outcome depends on the numbers at its own place.
ELEMENTWISE = _words("""
    mul multiply imul rmul
    relu relu6 leaky_relu elu celu selu gelu silu mish hardswish hardsigmoid hardtanh sigmoid
    tanh softplus softsign logsigmoid log_sigmoid tanhshrink hardshrink softshrink threshold
    prelu rrelu logit expit exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square abs absolute
    reciprocal sin cos tan sinh cosh asin acos atan arcsin arccos arctan asinh acosh atanh erf
    erfc sign sgn round floor ceil trunc frac pow ipow rpow float_power clamp clamp_min clamp_max
    clip nan_to_num where masked_fill maximum minimum fmax fmin div divide true_divide itruediv
    truediv rtruediv rdiv lerp remainder fmod hypot atan2 logaddexp xlogy
""")
# Where arguments act on each other, slopes are averaged over this many points between two rows.
NODES = 32


class DeepLift:
    r"""Contributions of the inputs to the difference between a row and a baseline row.

    A function :math:`g` of one number, between the number :math:`u` of the row and :math:`u^0` of
    the baseline, is replaced by the straight line through both points,

    .. math:: m = \frac{g(u) - g(u^0)}{u - u^0},

    the rescale rule; where the two are next to equal, by its slope midway. The chain rule then
    turns these multipliers into those of the inputs, :math:`M_{jk}`, and
    :math:`\sum_j M_{jk} (z_j - z^0_j) = f_k(z) - f_k(z^0)`.

    Both read as one rule, *the mean slope on the straight line between the two rows*, which also
    serves where arguments act on each other: for a product it is
    :math:`\bar b\,\Delta a + \bar a\,\Delta b`; for softmax, pooling, normalisation, attention and
    every other function it is taken at Gauss points. What these points miss is laid onto the
    arguments in proportion to their own differences (the smallest change of the multipliers that
    makes them add up). The softmax of two logits becomes the rescale rule of the sigmoid of their
    difference.

    Parameters
    ----------
    forward
        Treats each row alone, in evaluation mode, and takes the same steps for all rows. Its
        parameters must not require gradients.
    baselines
        One for each row of the later inputs.

    Attributes
    ----------
    outputs
        What the network says of the baselines.
    averaged
        Names of functions that were averaged at Gauss points.
    passed_over
        Names of functions whose outcome depends on the inputs but has no slope, such as
        comparisons; what flows through them is attributed to nobody.

    References
    ----------
    Shrikumar, Greenside and Kundaje (2017), Learning Important Features Through Propagating
    Activation Differences, Sec. 3.5.1; Aumann and Shapley (1974), Values of Non-Atomic Games, for
    the mean slope.
    """

    def __init__(self, forward: Forward, baselines: Float[Tensor, "p c"]) -> None:
        self._forward = forward
        self._baselines = baselines
        record = _Record()
        with torch.enable_grad(), record:
            outputs = forward(baselines.detach().clone().requires_grad_().clone())
        self.outputs: Float[Tensor, "p k"] = outputs.detach()
        self._steps = tuple(record.steps)
        self.averaged = tuple(sorted({step.name for step in self._steps if step.nodes > 1}))
        self.passed_over = tuple(sorted(record.passed_over))

    def contributions(
        self, inputs: Float[Tensor, "p c"], *, constant_sum: bool
    ) -> Float[Tensor, "p c k"]:
        """Return how much each input moved each output from its baseline.

        ``constant_sum`` says that the outputs of a row add up to a constant.

        Raises
        ------
        InvalidInputError
            If the network takes other steps for the inputs than for the baselines.
        """
        replay = _Replay(self._steps, len(inputs))
        leaf = inputs.detach().clone().requires_grad_()
        with torch.enable_grad():
            with replay:
                outputs = self._forward(leaf.clone())
            replay.finish()
            multipliers = slopes(outputs, leaf, constant_sum=constant_sum)
        return multipliers * (leaf.detach() - self._baselines)[:, :, None]


@dataclass(frozen=True)
class _Step:
    """A non-linear function's arguments that move and outcomes, for the baselines."""

    name: str
    nodes: int
    before: list[Tensor]
    after: list[Tensor]


class _Call:
    """A function with its arguments, of which those that require gradients move with the row."""

    def __init__(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.func = func
        self.name = _name(func)
        self._leaves, self._form = tree_flatten((args, kwargs))
        self._places = [
            place
            for place, leaf in enumerate(self._leaves)
            if isinstance(leaf, Tensor) and leaf.requires_grad
        ]

    @property
    def moving(self) -> list[Tensor]:
        return [self._leaves[place] for place in self._places]

    @property
    def is_linear(self) -> bool:
        """Tell whether the chain rule may be left as it is."""
        if not self._places or self.name in LINEAR:
            return True
        if self.name == "batch_norm":
            return not self._trains()
        return self.name in PRODUCTS and len(self._places) == 1

    @property
    def nodes(self) -> int:
        """How many points the mean slope takes."""
        n_moving = len(self._places)
        if self.name in PRODUCTS:  # the slope has one degree less than the product
            return (n_moving + 1) // 2
        return 1 if self.name in ELEMENTWISE and n_moving == 1 else NODES

    def _trains(self) -> bool:
        args, kwargs = tree_unflatten(self._leaves, self._form)
        return bool(kwargs.get("training", args[5] if len(args) > 5 else False))

    def __call__(self, moving: Sequence[Tensor]) -> Any:
        leaves = list(self._leaves)
        for place, tensor in zip(self._places, moving, strict=True):
            leaves[place] = tensor
        args, kwargs = tree_unflatten(leaves, self._form)
        return self.func(*args, **kwargs)


class _Record(TorchFunctionMode):
    """Takes down what the non-linear functions are given and give for the baselines."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[_Step] = []
        self.passed_over: set[str] = set()

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        call = _Call(func, args, kwargs or {})
        if call.is_linear:
            return func(*args, **(kwargs or {}))
        before = [tensor.detach().clone() for tensor in call.moving]
        outcome = func(*args, **(kwargs or {}))
        given = _floats(outcome)
        if given:
            after = [tensor.detach().clone() for tensor in given]
            self.steps.append(_Step(call.name, call.nodes, before, after))
        elif any(isinstance(part, Tensor) for part in tree_flatten(outcome)[0]):
            self.passed_over.add(call.name)
        return outcome


class _Replay(TorchFunctionMode):
    """Replaces the non-linear functions by their lines between baselines and inputs."""

    def __init__(self, steps: Sequence[_Step], n_rows: int) -> None:
        super().__init__()
        self._n_rows = n_rows
        self._steps: Iterator[_Step] = iter(steps)

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        call = _Call(func, args, kwargs or {})
        if call.is_linear:
            return func(*args, **(kwargs or {}))
        moving = call.moving
        held = [tensor.detach().clone() for tensor in moving]
        copies = [tensor.clone() for tensor in held]  # a function in place writes to these
        with torch.no_grad():
            outcome = call(copies)
        after = _floats(outcome)
        if not after:
            return outcome
        step = next(self._steps, None)
        if step is None or step.name != call.name:
            raise _other_steps()
        pull = _pull_back(call, step, held, after, self._n_rows)
        fresh = [part if part._base is None else part.clone() for part in after]
        lines = iter(_Line.apply(fresh, pull, *moving))  # type: ignore[no-untyped-call]
        parts, form = tree_flatten(outcome)
        for place, part in enumerate(parts):
            if _is_float(part):
                parts[place] = next(lines)
                for copy, original in zip(copies, moving, strict=True):
                    if part is copy:
                        parts[place] = original.copy_(parts[place])
        return tree_unflatten(parts, form)

    def finish(self) -> None:
        """Refuse a network that stopped earlier than for the baselines."""
        if next(self._steps, None) is not None:
            raise _other_steps()


class _Line(torch.autograd.Function):
    """Gives what it is handed, and passes gradients back through multipliers."""

    @staticmethod
    def forward(
        ctx: Any,
        after: list[Tensor],
        pull: Any,
        *moving: Tensor,  # noqa: ARG004 - tells whose gradients these are
    ) -> tuple[Tensor, ...]:
        ctx.pull = pull
        return tuple(after)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, *ctx.pull(gradients))


PullBack = Callable[[Sequence[Tensor]], list[Tensor]]


def _pull_back(
    call: _Call, step: _Step, held: list[Tensor], after: list[Tensor], n_rows: int
) -> PullBack:
    if call.name not in ELEMENTWISE:
        return _rowwise(call, step, held, after, n_rows)
    multipliers = _secants(call, step, held, after[0])
    return lambda gradients: [
        (gradients[0] * own).sum_to_size(tensor.shape)
        for own, tensor in zip(multipliers, held, strict=True)
    ]


def _secants(call: _Call, step: _Step, held: list[Tensor], after: Tensor) -> list[Tensor]:
    """Return the multipliers of a function that treats each place alone."""
    ends = [tensor.expand(after.shape) for tensor in held]
    starts = [tensor.expand(after.shape) for tensor in step.before]
    change = [end - start for end, start in zip(ends, starts, strict=True)]
    squares = sum((part.square() for part in change), torch.zeros_like(after))
    size = sum((e.square() + s.square() for e, s in zip(ends, starts, strict=True)), 0 * squares)
    near = squares <= torch.finfo(after.dtype).eps * size
    difference = after - step.after[0]
    if len(ends) == 1:
        line = difference / torch.where(near, 1, change[0])
        if not bool(near.any()):
            return [line]
        slope = _mean_slopes(call, starts, change, step.nodes)([torch.ones_like(after)])[0]
        return [torch.where(near, slope.nan_to_num(0, 0, 0), line)]
    means = _mean_slopes(call, starts, change, step.nodes)([torch.ones_like(after)])
    missed = difference - sum(
        (mean * part for mean, part in zip(means, change, strict=True)), torch.zeros_like(after)
    )
    share = torch.where(near, 0, missed / torch.where(near, 1, squares))
    return [mean + share * part for mean, part in zip(means, change, strict=True)]


def _rowwise(
    call: _Call, step: _Step, held: list[Tensor], after: list[Tensor], n_rows: int
) -> PullBack:
    """Return how gradients pass a function whose arguments act on each other within a row."""
    change = [end - start for end, start in zip(held, step.before, strict=True)]
    difference = [end - start for end, start in zip(after, step.after, strict=True)]
    means = _mean_slopes(call, step.before, change, step.nodes)
    axes = [_axis_of_rows(tensor, n_rows) for tensor in (*held, *after)]
    if None in axes:
        return means

    def by_row(left: Sequence[Tensor], right: Sequence[Tensor]) -> Float[Tensor, " p"]:
        """Sum of products within each row."""
        parts = [
            (a * b).movedim(_axis_of_rows(a, n_rows) or 0, 0).reshape(n_rows, -1).sum(1)
            for a, b in zip(left, right, strict=True)
        ]
        return torch.stack(parts).sum(0)

    squares = by_row(change, change)
    near = squares <= torch.finfo(squares.dtype).eps * (by_row(held, held) + squares)

    def pull(gradients: Sequence[Tensor]) -> list[Tensor]:
        pulled = means(gradients)
        missed = by_row(gradients, difference) - by_row(pulled, change)
        share = torch.where(near, 0, missed / torch.where(near, 1, squares))
        return [
            own + share.reshape(-1, *[1] * (own.ndim - 1 - (axis or 0))) * part
            for own, part, axis in zip(pulled, change, axes, strict=False)
        ]

    return pull


def _axis_of_rows(tensor: Tensor, n_rows: int) -> int | None:
    """Return the first axis that has a place for each row; some networks swap the axes."""
    return next((axis for axis, size in enumerate(tensor.shape) if size == n_rows), None)


def _mean_slopes(
    call: _Call, starts: Sequence[Tensor], change: Sequence[Tensor], n_nodes: int
) -> PullBack:
    """Return how gradients pass back by the mean slope on the line, at Gauss points."""
    places, weights = np.polynomial.legendre.leggauss(n_nodes)
    graphs: list[tuple[list[Tensor], list[Tensor]]] = []
    for place in (1 + places) / 2:
        leaves = [
            (start + float(place) * part).detach().requires_grad_()
            for start, part in zip(starts, change, strict=True)
        ]
        with torch.enable_grad():
            graphs.append((leaves, _floats(call([leaf.clone() for leaf in leaves]))))
    everywhere = [leaf for leaves, _ in graphs for leaf in leaves]

    def pull(gradients: Sequence[Tensor]) -> list[Tensor]:
        with torch.enable_grad():
            parts = [
                float(weight / 2) * (outcome * own).sum()
                for weight, (_, outcomes) in zip(weights, graphs, strict=True)
                for outcome, own in zip(outcomes, gradients, strict=True)
                if outcome.requires_grad
            ]
            if not parts:
                return [torch.zeros_like(start) for start in starts]
            total = torch.stack(parts).sum()
        found = torch.autograd.grad(total, everywhere, retain_graph=True, materialize_grads=True)
        return [torch.stack(found[i :: len(starts)]).sum(0) for i in range(len(starts))]

    return pull


def _floats(outcome: Any) -> list[Tensor]:
    return [part for part in tree_flatten(outcome)[0] if _is_float(part)]


def _is_float(part: Any) -> bool:
    return isinstance(part, Tensor) and part.is_floating_point()


def _name(func: Any) -> str:
    """Name of a function without what marks operators (``__add__``) and in-place (``add_``)."""
    name: str = getattr(func, "__name__", type(func).__name__)
    plain = name.strip("_") if name.startswith("__") else name.removesuffix("_")
    return plain if plain in LINEAR | PRODUCTS | ELEMENTWISE else name


def _other_steps() -> InvalidInputError:
    return InvalidInputError(
        "The network takes other steps for a row than for a background row, so DeepLIFT cannot "
        "compare them; choose integrated gradients instead."
    )
