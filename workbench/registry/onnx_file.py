"""What an ONNX file may hold; read in a confined process only, and never from its path.

The file is parsed from its bytes, so that nothing it names is opened. Whatever is not plain
operators of the standard on numbers inside the file is refused before a runtime sees it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from workbench.core.errors import RegistryError
from workbench.core.schema import listing

MAX_NODES = 200_000
MAX_ELEMENTS = 2**31
MAX_TEXT = 200
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
RANDOM = frozenset({
    "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike",
})  # fmt: skip
TYPES: Mapping[int, str] = {
    onnx.TensorProto.FLOAT: "float",
    onnx.TensorProto.DOUBLE: "double",
    onnx.TensorProto.INT64: "int64",
    onnx.TensorProto.INT32: "int32",
    onnx.TensorProto.STRING: "string",
    onnx.TensorProto.BOOL: "bool",
}
RECIPE = "for scikit-learn write skl2onnx.to_onnx(model, rows), for PyTorch torch.onnx.export"


def shown(text: str) -> str:
    """Quote a name out of a file for a message."""
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def damaged(name: str) -> str:
    """Say that a file is none."""
    return (
        f"{shown(name)} is not an ONNX model, is damaged, or was cut short; export it again: "
        f"{RECIPE}."
    )


def parse(content: bytes, name: str) -> onnx.ModelProto:
    """Parse a model and refuse what may not be run.

    Raises
    ------
    RegistryError
        Naming what the file holds that it may not.
    """
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RuntimeError):
        model = onnx.ModelProto()
    if not model.ir_version or not model.graph.node:
        raise RegistryError(damaged(name))
    own = {(function.domain, function.name) for function in model.functions}
    nodes = list(_nodes(model))
    if len(nodes) > MAX_NODES:
        raise RegistryError(
            f"{shown(name)} has more than {MAX_NODES:,} operators; export a smaller model."
        )
    for node in nodes:
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
            raise RegistryError(
                f"{shown(name)} uses operator {shown(node.op_type)} of {shown(node.domain)}, which "
                "is not part of the ONNX standard; export it with standard operators."
            )
        if node.op_type in RANDOM:
            raise RegistryError(
                f"{shown(name)} draws random numbers ({node.op_type}), so the same row would get "
                "different answers; export the model in evaluation mode."
            )
    for tensor in _tensors(model, nodes):
        _check_tensor(tensor, name)
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        _check_shape(value, name)
    return model


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Yield every node, of the graph, of graphs within nodes, and of functions, up to the limit."""
    waiting: list[Iterable[onnx.NodeProto]] = [model.graph.node]
    waiting += [function.node for function in model.functions]
    count = 0
    while waiting:
        for node in waiting.pop():
            count += 1
            if count > MAX_NODES + 1:
                return
            yield node
            for attribute in node.attribute:
                waiting += [graph.node for graph in (attribute.g, *attribute.graphs)]


def _tensors(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    defaults = (a for function in model.functions for a in function.attribute_proto)
    attributes = [*(a for node in nodes for a in node.attribute), *defaults]
    graphs = [model.graph, *(g for a in attributes for g in (a.g, *a.graphs))]
    sparse = [s for graph in graphs for s in graph.sparse_initializer]
    for graph in graphs:
        yield from graph.initializer
    for attribute in attributes:
        yield attribute.t
        yield from attribute.tensors
        sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
    for tensor in sparse:
        yield tensor.values
        yield tensor.indices


def _check_tensor(tensor: onnx.TensorProto, name: str) -> None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data):
        raise RegistryError(
            f"{shown(name)} keeps tensor {shown(tensor.name)} in another file, which is never "
            "opened; save the model with everything in one file."
        )
    if min(tensor.dims, default=1) < 0 or math.prod(tensor.dims) > MAX_ELEMENTS:
        raise RegistryError(
            f"{shown(name)} declares tensor {shown(tensor.name)} of shape "
            f"{listing(tensor.dims)}, which is out of bounds; export the model again."
        )


def _check_shape(value: onnx.ValueInfoProto, name: str) -> None:
    sizes = [d.dim_value for d in value.type.tensor_type.shape.dim if d.HasField("dim_value")]
    if min(sizes, default=1) < 0 or math.prod(sizes) > MAX_ELEMENTS:
        raise RegistryError(
            f"{shown(name)} declares {shown(value.name)} of shape {listing(sizes)}, which is out "
            "of bounds; export the model again."
        )


def read_inputs(model: onnx.ModelProto, name: str) -> list[dict[str, Any]]:
    """Return name, type, axes and columns (None: any number) of every input.

    Raises
    ------
    RegistryError
        If an input is no table: rows by columns, with any number of rows.
    """
    held = {tensor.name for tensor in model.graph.initializer}
    given = [value for value in model.graph.input if value.name not in held]
    if not given:
        raise RegistryError(f"{shown(name)} has no inputs; export a model that reads rows.")
    return [_read_input(value, name, alone=len(given) == 1) for value in given]


def _read_input(value: onnx.ValueInfoProto, name: str, *, alone: bool) -> dict[str, Any]:
    where = f"Input {shown(value.name)} of {shown(name)}"
    tensor = value.type.tensor_type
    kind = TYPES.get(tensor.elem_type)
    if value.type.WhichOneof("value") != "tensor_type" or kind is None:
        raise RegistryError(
            f"{where} is not a table of numbers, texts or truth values; export a model that reads "
            "float, double, int32, int64, string or bool columns."
        )
    axes = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    if not tensor.HasField("shape") and alone:
        axes = [None, None]
    if len(axes) not in {1, 2}:
        raise RegistryError(
            f"{where} has {len(axes)} axes, and tables have two; export a model that reads rows "
            "by columns."
        )
    if axes[0] is not None:
        raise RegistryError(
            f"{where} takes exactly {axes[0]} rows at a time; export the model with a first axis "
            "of any length (None, or dynamic_shapes)."
        )
    return {"name": value.name, "dtype": kind, "axes": len(axes), "columns": [*axes, 1][1]}


def read_output(model: onnx.ModelProto, name: str) -> dict[str, Any]:
    """Return which output holds the answer, whether there are labels beside it, and the classes.

    Raises
    ------
    RegistryError
        If there is none, or more than one could be it.
    """
    found, labels = [], False
    for value in model.graph.output:
        kind = TYPES.get(value.type.tensor_type.elem_type)
        if value.type.HasField("sequence_type") or kind in {"float", "double"}:
            found.append(value.name)
        labels |= kind in {"int64", "int32", "string"}
    named = [output for output in found if "prob" in output.lower()]
    chosen = named if len(named) == 1 else found
    if len(chosen) != 1:
        outputs = listing([shown(value.name) for value in model.graph.output]) or "none"
        trouble = (
            "more than one output could be the answer" if chosen else "no output holds numbers"
        )
        raise RegistryError(
            f"{shown(name)} does not say what its answer is: {trouble} (outputs: {outputs}); "
            "export one output of probabilities, logits or values."
        )
    return {"output": chosen[0], "has_label": labels, "classes": _classes(model, chosen[0])}


def _classes(model: onnx.ModelProto, output: str) -> list[str]:
    """Return the class names, in the order of the columns, as far as the file tells them."""
    told = []
    for node in model.graph.node:
        if node.domain != "ai.onnx.ml" or node.op_type in {"LabelEncoder", "OneHotEncoder"}:
            continue
        for attribute in node.attribute:
            if attribute.name in {"classlabels_strings", "classlabels_int64s", "classlabels_ints"}:
                names = [text.decode("utf-8", "replace") for text in attribute.strings]
                told.append((output in node.output, names or [str(i) for i in attribute.ints]))
    if own := [names for is_output, names in told if is_output and names]:
        return own[0]
    distinct = list({tuple(names): names for _, names in told if names}.values())
    return distinct[0] if len(distinct) == 1 else []


def texts(model: onnx.ModelProto) -> list[str]:
    """Return categories that the model knows, to try it with."""
    return sorted({
        text.decode("utf-8", "replace")
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.name in {"cats_strings", "keys_strings"}
        for text in attribute.strings
    })


def with_one_output(model: onnx.ModelProto, output: str, name: str) -> bytes:
    """Return the model that gives this output alone, as a matrix.

    scikit-learn's models answer with one dictionary per row, made by a last ``ZipMap`` out of the
    matrix that is wanted here.

    Raises
    ------
    RegistryError
        If there is no such output, or it is a sequence of something else.
    """
    kept = [value for value in model.graph.output if value.name == output]
    if not kept:
        raise RegistryError(f"{shown(name)} has no output {shown(output)}; export it again.")
    if kept[0].type.HasField("sequence_type"):
        maps = [node for node in model.graph.node if node.op_type == "ZipMap"]
        made = [node for node in maps if list(node.output) == [output]]
        if len(made) != 1 or len(made[0].input) != 1:
            raise RegistryError(
                f"Output {shown(output)} of {shown(name)} is a sequence; export the model with "
                "options={'zipmap': False}."
            )
        kept = [onnx.helper.make_empty_tensor_value_info(made[0].input[0])]
        model.graph.node.remove(made[0])
    del model.graph.output[:], model.training_info[:]
    model.graph.output.extend(kept)
    return model.SerializeToString()
