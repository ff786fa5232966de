"""From a PyTorch module to the steps of a graph: traced symbolically, then named by our tables."""

import inspect
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from workbench.core.errors import RegistryError
from workbench.registry.graph import is_free, one_line, references
from workbench.registry.graph_functions import FUNCTIONS, LAYERS

Step = dict[str, Any]
ALIASES: Mapping[str, str] = {
    "absolute": "abs", "cat": "cat", "clip": "clamp", "clamp_max": "minimum",
    "clamp_min": "maximum", "clone": "identity", "concat": "cat", "concatenate": "cat",
    "detach": "identity", "divide": "div", "double": "float", "dot": "matmul", "expit": "sigmoid",
    "float": "float", "floor_divide": "floordiv", "iadd": "add", "imatmul": "matmul",
    "imul": "mul", "int": "long", "ipow": "pow", "isub": "sub", "itruediv": "div",
    "invert": "logical_not", "and_": "logical_and", "or_": "logical_or", "mm": "matmul",
    "mod": "remainder", "multiply": "mul", "mv": "matmul", "ndimension": "dim",
    "negative": "neg", "scaled_dot_product_attention": "attention", "subtract": "sub",
    "swapaxes": "transpose", "swapdims": "transpose", "true_divide": "div", "truediv": "div",
    "view": "reshape",
}  # fmt: skip
# Words that change nothing in evaluation, or only where a result is stored.
_IGNORED = frozenset({"inplace", "_stacklevel", "training", "memory_format", "device", "copy",
                      "non_blocking"})  # fmt: skip
_FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def onnx_line(n_inputs: int) -> str:
    """Return the line that exports a module to ONNX, as a black box."""
    return (
        f"torch.onnx.export(model.eval(), torch.zeros(2, {n_inputs}), 'model.onnx', "
        "input_names=['X'], output_names=['output'], dynamic_axes={'X': {0: 'n'}, "
        "'output': {0: 'n'}}, dynamo=False)"
    )


def _calls() -> dict[Any, str]:
    """Map functions of torch and Python to the names of our table."""
    names = {name: name for name in FUNCTIONS} | dict(ALIASES)
    found: dict[Any, str] = {}
    for name, ours in names.items():
        for place in (torch, functional, operator, torch.special, torch.linalg):
            for spelled in (name, f"{name}_"):
                if callable(function := getattr(place, spelled, None)):
                    found.setdefault(function, ours)
    return found


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Follow everything but single layers of torch."""
        return type(m) in LAYERS_BY_KIND or super().is_leaf_module(m, module_qualified_name)


LAYERS_BY_KIND = {layer.kind: name for name, layer in LAYERS.items()}
CALLS = _calls()


class Tracing:
    """The steps of one module, with the tensors they need.

    Attributes
    ----------
    steps
        In order; the last one gives the output.
    state
        Tensors by the names that a ``GraphNetwork`` of these steps has.
    """

    def __init__(self, module: nn.Module, n_inputs: int) -> None:
        self.module = module
        self.n_inputs = n_inputs
        self.steps: list[Step] = []
        self.state: dict[str, Tensor] = {}
        self._layers = dict(module.named_modules())
        graph = self._trace()
        output = next(node for node in graph.nodes if node.op == "output").args[0]
        if not isinstance(output, fx.Node):
            raise RegistryError(
                "The network gives more than one output; wrap it in a module whose forward "
                "returns the one tensor to explain."
            )
        needed = _needed(output)
        for node in graph.nodes:
            if node in needed:
                self.steps.append(self._step(node))
        if not self.steps or self.steps[0]["op"] != "input":
            self._put_input_first()
        self._leave_out_first_no_ops()

    def _trace(self) -> fx.Graph:
        parameters = list(inspect.signature(self.module.forward).parameters.values())
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        fixed = {p.name: p.default for p in parameters[1:] if p.default is not p.empty}
        more = [p.name for p in parameters[1:] if p.name not in fixed and p.kind not in kinds]
        if more:
            raise RegistryError(
                f"The network's forward takes {len(more) + 1} inputs ({more[0]!r} is one too many);"
                " wrap it in a module that takes one tensor and takes it apart, such as x[:, :5] "
                "and x[:, 5:].long()."
            )
        try:
            return _Tracer().trace(self.module, concrete_args=fixed or None)
        except Exception as error:  # whatever the user's own forward raises
            raise RegistryError(
                "The network cannot be followed step by step, as what it does depends on its "
                f"numbers or on something other than tensors ({one_line(error)}); export it to "
                f"ONNX instead, as a black box: {onnx_line(self.n_inputs)}."
            ) from None

    def _step(self, node: fx.Node) -> Step:
        if node.op == "placeholder":
            return {"name": node.name, "op": "input"}
        if node.op == "get_attr":
            return self._tensor(node)
        if node.op == "call_module":
            return self._layer(node)
        return self._function(node)

    def _layer(self, node: fx.Node) -> Step:
        path = str(node.target)
        layer = self._layers[path]
        kind = LAYERS_BY_KIND.get(type(layer))
        if kind is None:
            raise RegistryError(
                f"Layer {path!r} is a {type(layer).__name__}, which a graph cannot hold; replace "
                f"it, or export the network to ONNX, as a black box: {onnx_line(self.n_inputs)}."
            )
        new = self._free_path(path, node)
        for name, tensor in layer.state_dict().items():
            self.state[f"{new}.{name}"] = tensor
        return {
            "name": node.name, "op": "layer", "target": kind, "path": new,
            "settings": LAYERS[kind].read(layer), "args": self._arguments(node.args),
            "kwargs": {k: self._argument(v) for k, v in node.kwargs.items()},
        }  # fmt: skip

    def _free_path(self, path: str, node: fx.Node) -> str:
        """Keep a layer's own name, but for names that modules use for something else."""
        reads_input = [arg for arg in node.args if isinstance(arg, fx.Node)]
        is_first = bool(reads_input) and reads_input[0].op == "placeholder"
        is_first &= path == "first" and isinstance(self._layers.get(path), nn.Linear)
        is_first &= is_first and len(reads_input[0].users) == 1
        parts = []
        for place, part in enumerate(path.split(".")):
            kept = part
            while not is_free(kept, top=place == 0, is_first=is_first):
                kept = f"{kept}_"
            parts.append(kept)
        return ".".join(parts)

    def _tensor(self, node: fx.Node) -> Step:
        path = str(node.target)
        tensor = operator.attrgetter(path)(self.module)
        if not isinstance(tensor, Tensor):
            raise RegistryError(
                f"The network uses {path!r}, a {type(tensor).__name__} instead of a tensor; make "
                "it a buffer with register_buffer."
            )
        if tensor.dtype in (torch.int32, torch.int16, torch.int8, torch.uint8):
            tensor = tensor.long()
        kinds = {torch.int64: "long", torch.bool: "bool"} | dict.fromkeys(_FLOATS, "float")
        new = self._free_path(path, node)
        self.state[new] = tensor.detach()
        settings = {
            "shape": list(tensor.shape),
            "dtype": kinds.get(tensor.dtype, str(tensor.dtype)),
            "learned": isinstance(tensor, nn.Parameter),
        }
        return {"name": node.name, "op": "tensor", "path": new, "settings": settings}

    def _function(self, node: fx.Node) -> Step:
        name, args, kwargs = _named(node)
        if name == "dropout":
            return self._dropout(node, kwargs)
        if name is None or (name not in FUNCTIONS and name != "float"):
            spelled = getattr(node.target, "__name__", str(node.target))
            raise RegistryError(
                f"The network calls {spelled!r}, which a graph cannot; rewrite it with other "
                "functions, or export the network to ONNX, as a black box: "
                f"{onnx_line(self.n_inputs)}."
            )
        return {
            "name": node.name, "op": "function", "target": name,
            "args": self._arguments(args, index=name == "getitem"),
            "kwargs": {k: self._argument(v) for k, v in kwargs.items()},
        }  # fmt: skip

    def _dropout(self, node: fx.Node, given: Mapping[str, Any]) -> Step:
        if given.get("training", True) is not False:
            raise RegistryError(
                "The network calls dropout without training=self.training, so it stays on after "
                "training; add that, or use nn.Dropout."
            )
        return {
            "name": node.name, "op": "layer", "target": "Dropout", "path": f"{node.name}_layer",
            "settings": {"p": float(given.get("p", 0.5))},
            "args": self._arguments([given["input"]]),
        }  # fmt: skip

    def _arguments(self, arguments: Sequence[Any], *, index: bool = False) -> list[Any]:
        return [self._argument(argument, index=index) for argument in arguments]

    def _argument(self, argument: Any, *, index: bool = False) -> Any:
        """Write an argument as JSON; within an index, lists and tuples mean different things."""
        if isinstance(argument, fx.Node):
            return {"node": argument.name}
        if isinstance(argument, slice):
            ends = (argument.start, argument.stop, argument.step)
            return {"slice": [self._argument(end) for end in ends]}
        if argument is Ellipsis:
            return {"ellipsis": True}
        if isinstance(argument, list | tuple):
            parts = [self._argument(part, index=index) for part in argument]
            return {"list": parts} if index and isinstance(argument, list) else parts
        if argument is None or isinstance(argument, bool | int | str):
            return argument
        if isinstance(argument, float) and math.isfinite(argument):
            return argument
        raise RegistryError(
            f"The network passes {str(argument)[:60]} to a function, which a graph cannot hold; "
            f"write it otherwise, or export the network to ONNX: {onnx_line(self.n_inputs)}."
        )

    def _put_input_first(self) -> None:
        """Let tensors that were named before the input come after it."""
        place = next((i for i, s in enumerate(self.steps) if s["op"] == "input"), None)
        if place is None:
            raise RegistryError("The network does not use its input; there is nothing to explain.")
        self.steps.insert(0, self.steps.pop(place))

    def _leave_out_first_no_ops(self) -> None:
        """Leave out what changes nothing, so that a linear layer comes first where there is one."""
        while len(self.steps) > 2 and self._is_no_op(self.steps[1]):
            readers = [s for s in self.steps if self.steps[0]["name"] in _inputs_of(s)]
            if readers != [self.steps[1]]:
                return
            self.replace(self.steps[1]["name"], self.steps[0]["name"])
            del self.steps[1]

    def _is_no_op(self, step: Step) -> bool:
        more = step.get("args", [])[1:]
        if step["op"] == "layer":
            flat = step["target"] == "Flatten" and step["settings"].get("start_dim", 1) == 1
            return flat or step["target"] == "Identity"
        flat = step.get("target") == "flatten" and (
            more[:1] == [1] or step["kwargs"].get("start_dim") == 1
        )
        shaped = step.get("target") == "reshape" and more in (
            [-1, self.n_inputs], [[-1, self.n_inputs]],
        )  # fmt: skip
        return flat or shaped or step.get("target") in {"float", "identity", "contiguous"}

    def replace(self, old: str, new: str) -> None:
        """Let every step that reads ``old`` read ``new``."""
        for step in self.steps:
            for part in ("args", "kwargs"):
                if part in step:
                    step[part] = _renamed(step[part], old, new)


def _renamed(argument: Any, old: str, new: str) -> Any:
    if isinstance(argument, dict):
        if argument.get("node") == old and len(argument) == 1:
            return {"node": new}
        return {key: _renamed(value, old, new) for key, value in argument.items()}
    if isinstance(argument, list):
        return [_renamed(part, old, new) for part in argument]
    return argument


def _inputs_of(step: Step) -> set[str]:
    return {*references(step.get("args", [])), *references(list(step.get("kwargs", {}).values()))}


def _needed(output: fx.Node) -> set[fx.Node]:
    """Return the nodes that the output depends on."""
    found: set[fx.Node] = set()
    waiting = [output]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            inputs = node.all_input_nodes
            waiting += inputs[:1] if _named(node)[0] == "float" else inputs  # not x.to(y.dtype)'s y
    return found


def _named(node: fx.Node) -> tuple[str | None, Sequence[Any], dict[str, Any]]:
    """Return our name of a call with the arguments that matter."""
    if node.op == "call_method":
        spelled = str(node.target)
        plain = spelled.rstrip("_") if not spelled.startswith("_") else spelled
        if plain in {"to", "type", "type_as"}:
            return _cast(node)
        kwargs = _that_matter(node.kwargs)
        name = plain if plain in FUNCTIONS else ALIASES.get(plain)
        return name, node.args[:1] if name == "float" else node.args, kwargs
    if node.op != "call_function":
        return None, node.args, dict(node.kwargs)
    if node.target is getattr:
        return _attribute(node)
    if node.target is functional.dropout:
        given = inspect.signature(functional.dropout).bind(*node.args, **node.kwargs)
        return "dropout", (), dict(given.arguments)
    args, kwargs = _bound(node.target, node.args, node.kwargs)
    return CALLS.get(node.target), args, kwargs


def _attribute(node: fx.Node) -> tuple[str | None, Sequence[Any], dict[str, Any]]:
    names = {"shape": "size", "ndim": "dim", "T": "t", "mT": None}
    return names.get(str(node.args[1])), node.args[:1], {}


def _cast(node: fx.Node) -> tuple[str | None, Sequence[Any], dict[str, Any]]:
    """Take a cast to any precision for one to the network's own."""
    asked = [*node.args[1:], *node.kwargs.values()]
    kinds = {torch.int64: "long", torch.int32: "long", torch.bool: "bool"}
    for kind, name in kinds.items():
        if kind in asked:
            return name, node.args[:1], {}
    return "float", node.args[:1], {}


def _that_matter(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    nothing = {"out", "dtype"}
    return {
        k: v for k, v in kwargs.items() if k not in _IGNORED and not (k in nothing and v is None)
    }


def _bound(
    function: Callable[..., Any] | str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Sequence[Any], dict[str, Any]]:
    """Give positional arguments of Python functions their names, as in ``relu(x, True)``."""
    if not inspect.isfunction(function):
        return args, _that_matter(kwargs)
    signature = inspect.signature(function)
    if any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return args, _that_matter(kwargs)
    named = dict(signature.bind(*args, **kwargs).arguments)
    first = next(iter(signature.parameters))
    kept = _that_matter(named)
    return [kept.pop(first)], kept
