"""The ``graph`` architecture: a user's own network as a list of steps, interpreted, never executed.

A step is the input, a layer, a function, or a tensor of its own. Layers and functions are names of
the tables in ``graph_functions``; arguments are JSON, with ``{"node": "name"}`` for what another
step gave, and ``{"slice": [start, stop, step]}``, ``{"list": [...]}`` and ``{"ellipsis": true}``
for parts of a tensor; a plain list is a tuple.
"""

import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from workbench.core.errors import RegistryError
from workbench.registry.graph_functions import FUNCTIONS, LAYERS, MAX_ITEMS, MAX_WHOLE
from workbench.registry.graph_work import Work, tensors_of

MAX_NODES = 4096
MAX_NESTING = 4
MAX_PATH = 200
MAX_PARAMETERS = 2**30
MAX_ROW_ELEMENTS = 2**16
MAX_FIXED_ELEMENTS = 2**26
# Within a step, and of all outcomes that are needed at one time.
MAX_ROW_MEMORY = 2**18
MAX_FIXED_MEMORY = 2**27
MAX_ROW_OPERATIONS = 2**28
WORDS = frozenset({"none", "tanh", "floor", "trunc"})
DTYPES: Mapping[str, torch.dtype] = {
    "float": torch.float32,
    "long": torch.int64,
    "bool": torch.bool,
}
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Axis = Annotated[int, Field(strict=True, ge=0, le=2**31)]


class Node(BaseModel):
    """One step of a graph.

    Attributes
    ----------
    op
        ``input``: what the encoder gives. ``layer`` and ``function``: ``target`` of the tables,
        called with ``args`` and ``kwargs``. ``tensor``: numbers of the weights file.
    path
        Name of the layer or tensor in the weights file.
    settings
        Of a layer: its constructor's. Of a tensor: ``shape`` and ``dtype``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    op: Literal["input", "layer", "function", "tensor"]
    target: str = ""
    path: str = Field("", max_length=MAX_PATH)
    args: tuple[Any, ...] = Field((), max_length=64)
    kwargs: dict[str, Any] = Field(default_factory=dict, max_length=16)
    settings: dict[str, Any] = Field(default_factory=dict, max_length=16)


class GraphArguments(BaseModel):
    """Steps in the order in which they are taken; the last one's outcome is the output."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nodes: tuple[Node, ...] = Field(min_length=2, max_length=MAX_NODES)


class TensorSettings(BaseModel):
    """Shape and kind of a tensor that is no layer's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: tuple[Axis, ...] = Field((), max_length=8)
    dtype: Literal["float", "long", "bool"] = "float"
    learned: bool = False


class GraphNetwork(nn.Module):
    """A network that takes the steps of a card.

    If only a linear layer reads the input, ``first`` is that layer and ``rest`` everything after
    it, as ``SplitsFirstLayer`` asks.

    Raises
    ------
    RegistryError
        If a step is not in the tables, does not fit, or gives more than rows of this size may
        become; everything is found out on shapes alone, before memory is taken.
    """

    def __init__(self, n_inputs: int, n_outputs: int, arguments: GraphArguments) -> None:
        super().__init__()
        on_shapes = torch.get_default_device().type == "meta"
        if not on_shapes:
            with torch.device("meta"):
                GraphNetwork(n_inputs, n_outputs, arguments)
        _check_order(arguments.nodes)
        self._steps = arguments.nodes
        self._first_step = _splits_at(self._steps)
        self._drop = _last_uses(self._steps)
        for node in self._steps:
            self._add(node)
        if on_shapes:
            self.eval()
            self._check_sizes()
            self._check_shapes(n_inputs, n_outputs)

    def rest(self, hidden: Tensor) -> Tensor:
        """Everything after the first linear layer."""
        return self._take(self._steps[2:], {self._steps[1].name: hidden})

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits or values ``[n, k]``."""
        return self._take(self._steps[1:], {self._steps[0].name: inputs})

    def _take(self, steps: tuple[Node, ...], known: dict[str, Any]) -> Tensor:
        for node in steps:
            known[node.name] = self._outcome(node, known)
            for name in self._drop.get(node.name, ()):
                known.pop(name, None)
        output: Tensor = known[self._steps[-1].name]
        return output[:, None] if output.ndim == 1 else output

    def _outcome(self, node: Node, known: Mapping[str, Any]) -> Any:
        if node.op == "tensor":
            return self._find(node.path)
        args = [_resolve(argument, known) for argument in node.args]
        kwargs = {name: _resolve(argument, known) for name, argument in node.kwargs.items()}
        if node.op == "layer":
            return self._find(node.path)(*args, **kwargs)
        if node.target == "float":  # to the network's own precision, whichever that is
            return args[0].to(next(self.parameters()).dtype)
        return FUNCTIONS[node.target](*args, **kwargs)

    def _find(self, path: str) -> Any:
        *folders, last = path.split(".")
        place: nn.Module = self
        for folder in folders:
            place = place._modules[folder]  # type: ignore[assignment]
        for kept in (place._modules, place._parameters, place._buffers):
            if last in kept:
                return kept[last]
        raise AssertionError(path)

    def _add(self, node: Node) -> None:
        """Let a layer or tensor stand at its path, where the weights file has it."""
        if node.op in {"input", "function"}:
            if node.op == "function" and node.target not in FUNCTIONS and node.target != "float":
                raise RegistryError(
                    f"Step {node.name!r} calls function {node.target[:60]!r}, which is not one of "
                    "those that a graph may call; export the model to ONNX instead."
                )
            return
        made = _layer(node) if node.op == "layer" else _tensor(node)
        place, last = self._folder(node)
        if node.op == "layer" and last in place._modules:
            if repr(place._modules[last]) != repr(made):
                raise RegistryError(
                    f"Step {node.name!r} and another one describe layer {node.path!r} differently; "
                    "give each layer a path of its own."
                )
        elif not is_free(
            last, top=place is self, is_first=node.name == self._first_step
        ) or hasattr(place, last):
            raise RegistryError(
                f"Step {node.name!r} cannot use path {node.path!r}, which is taken or reserved; "
                "choose another."
            )
        elif isinstance(made, nn.Module):
            place.add_module(last, made)
        elif isinstance(made, nn.Parameter):
            place.register_parameter(last, made)
        else:
            place.register_buffer(last, made)
        if node.name == self._first_step and node.path != "first":
            self.__dict__["first"] = self._find(node.path)  # not registered a second time

    def _folder(self, node: Node) -> tuple[nn.Module, str]:
        *folders, last = node.path.split(".")
        place: nn.Module = self
        for folder in folders:
            inner = place._modules.get(folder)
            if inner is None and is_free(folder, top=place is self):
                inner = _Folder()
                place.add_module(folder, inner)
            if not isinstance(inner, _Folder):
                raise RegistryError(
                    f"Step {node.name!r} cannot use path {node.path!r}: {folder[:60]!r} is taken "
                    "or reserved; choose another."
                )
            place = inner
        return place, last

    def _check_sizes(self) -> None:
        n = sum(tensor.numel() for tensor in (*self.parameters(), *self.buffers()))
        if n > MAX_PARAMETERS:
            raise RegistryError(
                f"The graph has {n:,} parameters, allowed are {MAX_PARAMETERS:,}; use a smaller "
                "network."
            )
        if not any(p.is_floating_point() for p in self.parameters()):
            raise RegistryError("The graph has no learned numbers; there is nothing to explain.")

    @torch.no_grad()
    def _check_shapes(self, n_inputs: int, n_outputs: int) -> None:
        """Take all steps on shapes alone, with batches of two sizes."""
        meters = Work(), Work()
        (few, _), (many, output) = (
            self._shapes(n, n_inputs, meter) for n, meter in zip((3, 12), meters, strict=True)
        )
        for name, size in many.items():
            limit = MAX_FIXED_ELEMENTS if size == few[name] else 12 * MAX_ROW_ELEMENTS
            # What grows faster than the batch mixes rows, and would fill any memory.
            if size > 4 * few[name]:
                raise RegistryError(
                    f"Step {name!r} mixes the rows of a batch; each row must be treated alone."
                )
            if size > limit:
                raise RegistryError(
                    f"Step {name!r} gives {size:,} numbers for 12 rows, allowed are {limit:,}; use "
                    "a smaller network."
                )
        _check_work(*meters)
        if output not in {(12, n_outputs), (12,) if n_outputs == 1 else ()}:
            raise RegistryError(
                f"The graph gives an output of shape {output} for 12 rows, its schema needs "
                f"(12, {n_outputs})."
            )

    def _shapes(self, n: int, n_inputs: int, meter: Work) -> tuple[dict[str, int], tuple[int, ...]]:
        """Return how many numbers each step gives, and the shape of the output."""
        known: dict[str, Any] = {self._steps[0].name: torch.empty(n, n_inputs, device="meta")}
        sizes: dict[str, int] = {}
        for node in self._steps[1:]:
            try:
                with meter:
                    known[node.name] = self._outcome(node, known)
            except Exception as error:  # torch raises whatever it likes
                raise RegistryError(
                    f"Step {node.name!r} ({node.target or node.op}) does not fit what it is given: "
                    f"{one_line(error)}."
                ) from None
            if node.op != "tensor":
                sizes[node.name] = sum(t.numel() for t in tensors_of(known[node.name]))
            meter.held = max(meter.held, sum(sizes.get(name, 0) for name in known))
            for name in self._drop.get(node.name, ()):
                known.pop(name, None)
        output = known[self._steps[-1].name]
        return sizes, tuple(output.shape) if isinstance(output, Tensor) else ()


class _Folder(nn.Module):
    """A part of a path; it only holds layers and tensors."""


RESERVED = frozenset(dir(nn.Module()))
RESERVED_AT_TOP = frozenset(dir(GraphNetwork)) | {"first", "_steps", "_first_step", "_drop"}


def is_free(name: str, *, top: bool, is_first: bool = False) -> bool:
    """Tell whether a layer or tensor may have this name; attributes of modules are taken."""
    if not (name.isascii() and (name.isdecimal() or name.isidentifier())):
        return False
    if top and is_first and name == "first":
        return True
    return name not in RESERVED and not (top and name in RESERVED_AT_TOP)


def one_line(error: Exception) -> str:
    """Return the first line of a message of torch, without its full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(".")


def _layer(node: Node) -> nn.Module:
    if node.target not in LAYERS:
        raise RegistryError(
            f"Step {node.name!r} is a layer {node.target[:60]!r}, which is not one of those that a "
            "graph may hold; export the model to ONNX instead."
        )
    try:
        return LAYERS[node.target].build(node.settings)
    except ValidationError as error:
        fault = error.errors()[0]["msg"]
        raise RegistryError(
            f"Step {node.name!r} has a setting that {node.target} does not take: {fault}."
        ) from None
    except (ValueError, TypeError, RuntimeError, AssertionError) as error:
        raise RegistryError(
            f"Step {node.name!r} has settings that {node.target} does not take: {one_line(error)}."
        ) from None


def _tensor(node: Node) -> Tensor:
    try:
        settings = TensorSettings.model_validate(node.settings)
    except ValidationError as error:
        raise RegistryError(
            f"Step {node.name!r} is not a tensor: {error.errors()[0]['msg']}."
        ) from None
    if math.prod(settings.shape) > MAX_FIXED_ELEMENTS:
        raise RegistryError(f"Step {node.name!r} is a tensor larger than {MAX_FIXED_ELEMENTS:,}.")
    values = torch.zeros(settings.shape, dtype=DTYPES[settings.dtype])
    if settings.learned and settings.dtype == "float":
        return nn.Parameter(values)
    return values


def references(argument: Any) -> Iterator[str]:
    """Yield the names of the steps that an argument is made of."""
    if isinstance(argument, Mapping):
        if "node" in argument:
            yield argument["node"]
        for part in argument.get("slice", argument.get("list", ())):
            yield from references(part)
    elif isinstance(argument, list | tuple):
        for part in argument:
            yield from references(part)


def _inputs_of(node: Node) -> list[str]:
    return [name for part in (*node.args, *node.kwargs.values()) for name in references(part)]


def _check_order(steps: tuple[Node, ...]) -> None:
    seen: set[str] = set()
    for place, node in enumerate(steps):
        if (node.op == "input") != (place == 0):
            raise RegistryError("A graph starts with its one step of kind 'input'.")
        if node.name in seen:
            raise RegistryError(f"Two steps are named {node.name!r}; give each its own name.")
        for argument in (*node.args, *node.kwargs.values()):
            _check_argument(argument, node, nesting=0)
        for name in _inputs_of(node):
            if name not in seen:
                raise RegistryError(
                    f"Step {node.name!r} needs {str(name)[:60]!r}, which is not an earlier step."
                )
        if node.op == "function" and node.target in FUNCTIONS:
            _check_call(node)
        seen.add(node.name)


def _check_call(node: Node) -> None:
    try:
        inspect.signature(FUNCTIONS[node.target]).bind(*node.args, **node.kwargs)
    except TypeError as error:
        raise RegistryError(
            f"Step {node.name!r} does not call function {node.target!r} rightly: {error}."
        ) from None


def _check_argument(argument: Any, node: Node, *, nesting: int) -> None:
    """Refuse what no argument can be: deep, long, of text, of numbers without bound."""
    fits = nesting <= MAX_NESTING
    if isinstance(argument, Mapping):
        fits &= _is_mark(argument)
        parts = argument.get("slice", argument.get("list", ())) if fits else ()
    else:
        parts = argument if isinstance(argument, list | tuple) else ()
    if isinstance(argument, str):
        fits &= argument in WORDS or (node.target == "einsum" and len(argument) <= 100)
    elif isinstance(argument, int) and not isinstance(argument, bool):
        fits &= abs(argument) <= MAX_WHOLE
    elif isinstance(argument, float):
        fits &= math.isfinite(argument)
    if not fits or len(parts) > MAX_ITEMS:
        raise RegistryError(
            f"Step {node.name!r} has an argument that is not a number, a step, or a short list of "
            "them."
        )
    for part in parts:
        _check_argument(part, node, nesting=nesting + 1)


def _is_mark(argument: Mapping[str, Any]) -> bool:
    keys = set(argument)
    if keys == {"node"}:
        return isinstance(argument["node"], str)
    if keys == {"slice"}:
        return isinstance(argument["slice"], list | tuple) and len(argument["slice"]) == 3
    if keys == {"list"}:
        return isinstance(argument["list"], list | tuple)
    return keys == {"ellipsis"}


def _resolve(argument: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(argument, Mapping):
        if "node" in argument:
            return known[argument["node"]]
        if "slice" in argument:
            return slice(*(_resolve(part, known) for part in argument["slice"]))
        if "list" in argument:
            return [_resolve(part, known) for part in argument["list"]]
        return ...
    if isinstance(argument, list | tuple):
        return tuple(_resolve(part, known) for part in argument)
    return argument


def _check_work(few: Work, many: Work) -> None:
    """Hold what 12 rows take, inside of steps as well, against what they may."""
    if many.operations > 12 * MAX_ROW_OPERATIONS:
        raise RegistryError(
            f"The graph takes {many.operations // 12:,} operations for a row, allowed are "
            f"{MAX_ROW_OPERATIONS:,}; use a smaller network."
        )
    limit = MAX_FIXED_MEMORY + 12 * MAX_ROW_MEMORY
    if many.held > limit:
        raise RegistryError(
            f"The graph needs {many.held:,} numbers at a time for 12 rows, allowed are {limit:,}; "
            "use a smaller network."
        )
    alike = len(few.made) == len(many.made)
    for before, size in zip(few.made if alike else [0] * len(many.made), many.made, strict=True):
        limit = MAX_FIXED_ELEMENTS if size == before else 12 * MAX_ROW_MEMORY
        if size > limit:
            raise RegistryError(
                f"Within a step of the graph {size:,} numbers come into being for 12 rows, allowed "
                f"are {limit:,}; use a smaller network."
            )


def _last_uses(steps: tuple[Node, ...]) -> dict[str, tuple[str, ...]]:
    """Tell after which step which outcomes are not needed any more."""
    last: dict[str, str] = {}
    for node in steps:
        for name in _inputs_of(node):
            last[name] = node.name
    drop: dict[str, tuple[str, ...]] = {}
    for name, user in last.items():
        if name != steps[-1].name:
            drop[user] = (*drop.get(user, ()), name)
    return drop


def _splits_at(steps: tuple[Node, ...]) -> str:
    """Return the name of the linear layer that alone reads the input, or nothing."""
    readers = [node for node in steps[1:] if steps[0].name in _inputs_of(node)]
    second = steps[1]
    alone = readers == [second] and second.op == "layer" and second.target == "Linear"
    plain = list(second.args) == [{"node": steps[0].name}] and not second.kwargs
    return second.name if alone and plain else ""
