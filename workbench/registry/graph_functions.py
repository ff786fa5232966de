"""What a graph may call: layers with checked settings, and functions without side effects.

Names in a graph are looked up in the two tables of this file and nowhere else. No function here
writes to its inputs, takes text, or makes anything larger than its inputs' shapes allow for; the
sizes that come out are checked on shapes alone before a graph is used.
"""

# ruff: noqa: A006, PLW0108 - parameters have torch's names, so that a traced call binds to them;
# functions of torch stand behind lambdas because by themselves they take `out` and write to it.

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import torch
from pydantic import Field, TypeAdapter
from torch import Tensor, nn
from torch.nn import functional

MAX_SIZE = 2**16
MAX_WHOLE = 2**40
MAX_ITEMS = 4096

Size = Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)]
Whole = Annotated[int, Field(strict=True, ge=-MAX_SIZE, le=MAX_SIZE)]
Real = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Flag = Annotated[bool, Field(strict=True)]
Shape = Annotated[tuple[Size, ...], Field(min_length=1, max_length=4)]
Sizes = Size | Annotated[tuple[Size, ...], Field(min_length=1, max_length=2)]
Padding = (
    Annotated[int, Field(strict=True, ge=0, le=MAX_SIZE)]
    | Annotated[
        tuple[Annotated[int, Field(strict=True, ge=0, le=MAX_SIZE)], ...],
        Field(min_length=1, max_length=2),
    ]
)


@dataclass(frozen=True)
class Layer:
    """A layer of the allow-list with the settings that a graph may state.

    Attributes
    ----------
    needed, optional
        Type of each setting; they are the names of the layer's constructor and of its attributes.
    """

    kind: type[nn.Module]
    needed: Mapping[str, Any] = field(default_factory=dict)
    optional: Mapping[str, Any] = field(default_factory=dict)

    def read(self, module: nn.Module) -> dict[str, Any]:
        """Return the settings of a layer that exists."""
        found: dict[str, Any] = {}
        for name in (*self.needed, *self.optional):
            value = getattr(module, name, None)
            if name == "bias":
                value = getattr(module, "bias", None) is not None or (
                    getattr(module, "in_proj_bias", None) is not None
                )
            if value is not None:
                found[name] = list(value) if isinstance(value, tuple) else value
        return found

    def build(self, settings: Mapping[str, Any]) -> nn.Module:
        """Build the layer.

        Raises
        ------
        ValueError
            If a setting is unknown, lacking or out of bounds.
        """
        allowed = {**self.needed, **self.optional}
        if unknown := sorted(settings.keys() - allowed.keys()):
            raise ValueError(f"there is no setting {unknown[0]!r}")
        if lacking := sorted(self.needed.keys() - settings.keys()):
            raise ValueError(f"setting {lacking[0]!r} is lacking")
        checked = {
            name: TypeAdapter(allowed[name]).validate_python(value)
            for name, value in settings.items()
        }
        return self.kind(**checked)


def _plain(*kinds: type[nn.Module], **optional: Any) -> dict[str, Layer]:
    return {kind.__name__: Layer(kind, optional=optional) for kind in kinds}


_CONVOLUTION = {"in_channels": Size, "out_channels": Size, "kernel_size": Sizes}
_MORE = {"stride": Sizes, "padding": Padding, "dilation": Sizes, "groups": Size, "bias": Flag}
_POOL = {"stride": Sizes, "padding": Padding, "ceil_mode": Flag}
_NORM = {"eps": Real, "momentum": Share, "affine": Flag, "track_running_stats": Flag}

LAYERS: Mapping[str, Layer] = {
    "Linear": Layer(nn.Linear, {"in_features": Size, "out_features": Size}, {"bias": Flag}),
    "Bilinear": Layer(
        nn.Bilinear,
        {"in1_features": Size, "in2_features": Size, "out_features": Size},
        {"bias": Flag},
    ),
    "Embedding": Layer(nn.Embedding, {"num_embeddings": Size, "embedding_dim": Size}),
    "BatchNorm1d": Layer(nn.BatchNorm1d, {"num_features": Size}, _NORM),
    "BatchNorm2d": Layer(nn.BatchNorm2d, {"num_features": Size}, _NORM),
    "LayerNorm": Layer(
        nn.LayerNorm,
        {"normalized_shape": Shape},
        {"eps": Real, "elementwise_affine": Flag, "bias": Flag},
    ),
    "RMSNorm": Layer(
        nn.RMSNorm,
        {"normalized_shape": Shape},
        {"eps": Real, "elementwise_affine": Flag},
    ),
    "GroupNorm": Layer(
        nn.GroupNorm, {"num_groups": Size, "num_channels": Size}, {"eps": Real, "affine": Flag}
    ),
    "Conv1d": Layer(nn.Conv1d, _CONVOLUTION, _MORE),
    "Conv2d": Layer(nn.Conv2d, _CONVOLUTION, _MORE),
    "MaxPool1d": Layer(nn.MaxPool1d, {"kernel_size": Sizes}, _POOL),
    "MaxPool2d": Layer(nn.MaxPool2d, {"kernel_size": Sizes}, _POOL),
    "AvgPool1d": Layer(nn.AvgPool1d, {"kernel_size": Sizes}, _POOL),
    "AvgPool2d": Layer(nn.AvgPool2d, {"kernel_size": Sizes}, _POOL),
    "AdaptiveAvgPool1d": Layer(nn.AdaptiveAvgPool1d, {"output_size": Sizes}),
    "AdaptiveAvgPool2d": Layer(nn.AdaptiveAvgPool2d, {"output_size": Sizes}),
    "MultiheadAttention": Layer(
        nn.MultiheadAttention,
        {"embed_dim": Size, "num_heads": Size},
        {"dropout": Share, "bias": Flag, "batch_first": Flag},
    ),
    "Flatten": Layer(nn.Flatten, optional={"start_dim": Whole, "end_dim": Whole}),
    "Unflatten": Layer(nn.Unflatten, {"dim": Whole, "unflattened_size": Shape}),
    **_plain(nn.Dropout, nn.Dropout1d, nn.AlphaDropout, nn.FeatureAlphaDropout, p=Share),
    **_plain(
        nn.Identity, nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid,
        nn.Sigmoid, nn.Tanh, nn.LogSigmoid, nn.Softsign, nn.Tanhshrink,
    ),
    **_plain(nn.ELU, nn.CELU, alpha=Real),
    **_plain(nn.LeakyReLU, negative_slope=Real),
    **_plain(nn.Softplus, beta=Real, threshold=Real),
    **_plain(nn.Hardtanh, min_val=Real, max_val=Real),
    **_plain(nn.Hardshrink, nn.Softshrink, lambd=Real),
    **_plain(nn.GELU, approximate=Annotated[str, Field(pattern="^(none|tanh)$")]),
    **_plain(nn.PReLU, num_parameters=Size),
    **_plain(nn.GLU, nn.Softmax, nn.LogSoftmax, dim=Whole),
    "Threshold": Layer(nn.Threshold, {"threshold": Real, "value": Real}),
}  # fmt: skip


def _unary(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda input: function(input)


def _number(value: Any) -> Any:
    """Let tensors and numbers pass; a graph's whole numbers stay small.

    Raises
    ------
    TypeError
        If it is neither, as text and lists grow without bound under + and *.
    """
    if isinstance(value, Tensor | bool | float):
        return value
    if isinstance(value, int) and abs(value) <= MAX_WHOLE:
        return value
    raise TypeError(f"a tensor or a number of at most {MAX_WHOLE:,} is needed")


def _binary(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda input, other: _number(function(_number(input), _number(other)))


def _add(input: Any, other: Any, *, alpha: float = 1) -> Any:
    if isinstance(input, tuple) and isinstance(other, tuple):  # x.shape[:-1] + (5, 2)
        if len(input) + len(other) > 16:
            raise TypeError("a shape has at most 16 axes")
        return tuple(input) + tuple(other)
    return _number(_number(input) + (_number(other) if alpha == 1 else alpha * _number(other)))


def _sub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    return _number(_number(input) - (_number(other) if alpha == 1 else alpha * _number(other)))


def _div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    if rounding_mode is not None:
        return torch.div(input, other, rounding_mode=rounding_mode)
    return _number(_number(input) / _number(other))


def _pow(input: Any, exponent: Any) -> Any:
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        return _number(float(input) ** float(exponent))
    return torch.pow(_number(input), _number(exponent))


def _sizes(values: Sequence[Any]) -> tuple[int, ...]:
    """Accept ``f(x, 2, 3)`` and ``f(x, (2, 3))`` alike."""
    if len(values) == 1 and isinstance(values[0], Sequence):
        values = values[0]
    return tuple(operator.index(value) for value in values)


def _getitem(input: Any, key: Any) -> Any:
    if not isinstance(input, Tensor | tuple | list):
        raise TypeError("only tensors and tuples have parts")
    return input[key]


def _size(input: Tensor, dim: int | None = None) -> Any:
    return tuple(input.shape) if dim is None else input.shape[dim]


def _reduction(function: Callable[..., Tensor]) -> Callable[..., Any]:
    def reduced(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        return function(input) if dim is None else function(input, dim, keepdim)

    return reduced


def _spread(function: Callable[..., Tensor]) -> Callable[..., Any]:
    def spread(
        input: Tensor, dim: Any = None, *, correction: float = 1, unbiased: bool | None = None,
        keepdim: bool = False,
    ) -> Tensor:  # fmt: skip
        degrees = correction if unbiased is None else float(unbiased)
        return function(input, dim, correction=degrees, keepdim=keepdim)

    return spread


def _repeat(input: Tensor, *sizes: Any) -> Tensor:
    return input.repeat(_sizes(sizes))


def _reshape(input: Tensor, *shape: Any) -> Tensor:
    return input.reshape(_sizes(shape))


def _expand(input: Tensor, *sizes: Any) -> Tensor:
    return input.expand(_sizes(sizes))


def _max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    if isinstance(dim, Tensor):
        return torch.maximum(input, dim)
    return input.max() if dim is None else tuple(torch.max(input, dim, keepdim))


def _min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    if isinstance(dim, Tensor):
        return torch.minimum(input, dim)
    return input.min() if dim is None else tuple(torch.min(input, dim, keepdim))


def _einsum(equation: str, *operands: Any) -> Tensor:
    given = (
        operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    )
    return torch.einsum(equation, *given)


def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
) -> Tensor:  # fmt: skip
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask, 0.0 * dropout_p, is_causal, scale=scale
    )


def _softmax(input: Tensor, dim: int) -> Tensor:
    return input.softmax(dim)


def _log_softmax(input: Tensor, dim: int) -> Tensor:
    return input.log_softmax(dim)


def _norm(input: Tensor, p: float = 2, dim: Any = None, keepdim: bool = False) -> Tensor:
    return torch.linalg.vector_norm(input, float(p), dim, keepdim)


def _batch_norm(
    input: Tensor, running_mean: Tensor, running_var: Tensor, weight: Tensor | None = None,
    bias: Tensor | None = None, *, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    return functional.batch_norm(input, running_mean, running_var, weight, bias, eps=eps)


_SAME = (
    "abs", "ceil", "cos", "erf", "exp", "expm1", "floor", "log", "log10", "log1p", "log2", "neg",
    "reciprocal", "relu", "round", "rsqrt", "sigmoid", "sign", "sin", "sqrt", "square", "tanh",
    "isnan", "logical_not", "zeros_like", "ones_like",
)  # fmt: skip
_SAME_OF_NN = ("hardsigmoid", "hardswish", "logsigmoid", "mish", "relu6", "selu", "silu",
               "softsign", "tanhshrink")  # fmt: skip

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{name: _unary(getattr(torch, name)) for name in _SAME},
    **{name: _unary(getattr(functional, name)) for name in _SAME_OF_NN},
    "add": _add, "sub": _sub, "div": _div, "pow": _pow,
    "mul": _binary(operator.mul), "floordiv": _binary(operator.floordiv),
    "remainder": _binary(operator.mod),
    "eq": _binary(operator.eq), "ne": _binary(operator.ne), "lt": _binary(operator.lt),
    "le": _binary(operator.le), "gt": _binary(operator.gt), "ge": _binary(operator.ge),
    "logical_and": _binary(torch.logical_and), "logical_or": _binary(torch.logical_or),
    "maximum": _binary(torch.maximum), "minimum": _binary(torch.minimum),
    "where": lambda condition, input, other: torch.where(condition, _number(input), _number(other)),
    "masked_fill": lambda input, mask, value: input.masked_fill(mask, value),
    "nan_to_num": lambda input, nan=0.0: torch.nan_to_num(input, nan),
    "clamp": lambda input, min=None, max=None: torch.clamp(input, min, max),
    "lerp": lambda input, end, weight: torch.lerp(input, end, weight),
    # Activations with settings
    "celu": lambda input, alpha=1.0: functional.celu(input, alpha),
    "elu": lambda input, alpha=1.0: functional.elu(input, alpha),
    "gelu": lambda input, approximate="none": functional.gelu(input, approximate=approximate),
    "glu": lambda input, dim=-1: functional.glu(input, dim),
    "hardtanh": lambda input, min_val=-1.0, max_val=1.0: functional.hardtanh(
        input, min_val, max_val
    ),
    "leaky_relu": lambda input, negative_slope=0.01: functional.leaky_relu(input, negative_slope),
    "prelu": lambda input, weight: functional.prelu(input, weight),
    "softplus": lambda input, beta=1, threshold=20: functional.softplus(input, beta, threshold),
    "softmax": _softmax, "log_softmax": _log_softmax,
    "normalize": lambda input, p=2.0, dim=1, eps=1e-12: functional.normalize(input, p, dim, eps),
    # Sums of products
    "linear": lambda input, weight, bias=None: functional.linear(input, weight, bias),
    "bilinear": lambda input1, input2, weight, bias=None: functional.bilinear(
        input1, input2, weight, bias
    ),
    "embedding": lambda input, weight: functional.embedding(input, weight),
    "layer_norm": lambda input, normalized_shape, weight=None, bias=None, eps=1e-5: (
        functional.layer_norm(input, normalized_shape, weight, bias, eps)
    ),
    "batch_norm": _batch_norm,
    "matmul": lambda input, other: torch.matmul(input, other),
    "bmm": lambda input, mat2: torch.bmm(input, mat2),
    "addmm": lambda input, mat1, mat2: torch.addmm(input, mat1, mat2),
    "einsum": _einsum,
    "attention": _attention,
    # Shapes
    "cat": lambda tensors, dim=0: torch.cat(tuple(tensors), dim),
    "stack": lambda tensors, dim=0: torch.stack(tuple(tensors), dim),
    "chunk": lambda input, chunks, dim=0: tuple(input.chunk(chunks, dim)),
    "split": lambda tensor, split_size_or_sections, dim=0: tuple(
        tensor.split(split_size_or_sections, dim)
    ),
    "unbind": lambda input, dim=0: tuple(input.unbind(dim)),
    "flatten": lambda input, start_dim=0, end_dim=-1: input.flatten(start_dim, end_dim),
    "unflatten": lambda input, dim, sizes: input.unflatten(dim, _sizes([sizes])),
    "reshape": _reshape, "expand": _expand, "repeat": _repeat,
    "unsqueeze": lambda input, dim: input.unsqueeze(dim),
    "squeeze": lambda input, dim=None: input.squeeze() if dim is None else input.squeeze(dim),
    "transpose": lambda input, dim0, dim1: input.transpose(dim0, dim1),
    "permute": lambda input, *dims: input.permute(_sizes(dims)),
    "t": lambda input: input.t(),
    "narrow": lambda input, dim, start, length: input.narrow(dim, start, length),
    "select": lambda input, dim, index: input.select(dim, index),
    "index_select": lambda input, dim, index: input.index_select(dim, index),
    "roll": lambda input, shifts, dims=None: input.roll(shifts, dims),
    "flip": lambda input, *dims: input.flip(_sizes(dims)),
    "getitem": _getitem, "size": _size, "dim": lambda input: input.dim(),
    "contiguous": lambda input: input.contiguous(),
    "identity": lambda input: input,
    "long": lambda input: input.long(),
    "bool": lambda input: input.bool(),
    # Over axes
    "mean": _reduction(torch.mean), "sum": _reduction(torch.sum),
    "amax": _reduction(torch.amax), "amin": _reduction(torch.amin),
    "prod": _reduction(torch.prod), "logsumexp": _reduction(torch.logsumexp),
    "std": _spread(torch.std), "var": _spread(torch.var),
    "max": _max, "min": _min, "norm": _norm,
    "cumsum": lambda input, dim: input.cumsum(dim),
    "argmax": lambda input, dim=None, keepdim=False: input.argmax(dim, keepdim),
}  # fmt: skip
